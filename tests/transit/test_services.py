"""What the services of transit answer is the same in the processes that judge, which have no database."""

from __future__ import annotations

import shutil
from pathlib import Path

import attrs

from citycard.city import City
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard_transit.replay import Clockwork, replay
from citycard_transit.shenzhen import read_taps

ROOT = Path(__file__).parents[2]


def test_a_replayed_morning_is_priced_and_shared_in_a_pool_as_in_this_process(
    small_file: Path, tmp_path: Path
) -> None:
    city = City.create(tmp_path / "city", ROOT / "examples" / "shenzhen" / "city.toml")
    replay(city, read_taps(small_file), clockwork=Clockwork(), hold=tmp_path / "held")
    receive(city, sorted((tmp_path / "held").glob("*.ccb")))
    city.close()
    shutil.copytree(city.folder, tmp_path / "copy")
    reports = []
    for folder, engine in ((city.folder, "local"), (tmp_path / "copy", "pool:2")):
        opened = City.open(folder, clock=city.clock)
        report = clear(opened, engine=engine)
        opened.close()
        assert report.engine == engine
        reports.append(attrs.evolve(report, engine="", closed_at=None))
    assert reports[0] == reports[1]
    assert (reports[0].price_difference_fen, len(reports[0].partners)) == (0, 2)
