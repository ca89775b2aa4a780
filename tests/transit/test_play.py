"""What gates are told before a play stands in every record they write."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from citycard.city import City
from citycard.terminal import read_batch, read_record
from citycard_transit.replay import Clockwork, replay
from citycard_transit.shenzhen import read_taps

ROOT = Path(__file__).parents[2]


@pytest.fixture
def city(tmp_path: Path) -> Iterator[City]:
    made = City.create(tmp_path / "city", ROOT / "examples" / "shenzhen" / "city.toml")
    yield made
    made.close()


def test_every_record_names_the_configuration_that_its_gate_held(
    city: City, small_file: Path, tmp_path: Path
) -> None:
    city.configuration()
    # Somebody does not want transit: that makes the next configuration.
    city.plugins.disable("transit", by="a test", partner="somebody")

    replay(city, read_taps(small_file), clockwork=Clockwork(), hold=tmp_path / "held")

    batches = [read_batch(file.read_bytes()) for file in (tmp_path / "held").glob("*.ccb")]
    numbers = {read_record(record).config for batch in batches for record in batch.records}
    assert numbers == {2} == {city.configuration().number}
