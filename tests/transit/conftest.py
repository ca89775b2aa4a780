"""What the tests of transit share: the two example cities, and a small file of taps."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from citycard.city import City
from citycard.kernel.settings import structure
from citycard_transit.services import Fares
from citycard_transit.settings import TransitSettings

ROOT = Path(__file__).parents[2]


def settings_of(example: str) -> TransitSettings:
    content = tomllib.loads((ROOT / "examples" / example / "city.toml").read_text(encoding="utf-8"))
    return structure(TransitSettings, content["plugins"]["transit"], where=f"{example}: plugins.transit")


@pytest.fixture(scope="session")
def shenzhen() -> TransitSettings:
    return settings_of("shenzhen")


@pytest.fixture(scope="session")
def shenzhen_fares(shenzhen: TransitSettings) -> Fares:
    return Fares.of(shenzhen)


@pytest.fixture(scope="session")
def haibin() -> TransitSettings:
    return settings_of("morning")


@pytest.fixture
def small_file() -> Path:
    return Path(__file__).parent / "data" / "taps.csv"


@pytest.fixture(scope="session")
def haibin_city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    """A city of the generated morning, with its keys; nothing was played in it."""
    city = City.create(
        tmp_path_factory.mktemp("haibin") / "city", ROOT / "examples" / "morning" / "city.toml"
    )
    yield city
    city.close()
