"""A city whose plugins, a yard and a loud one, are found on disk as if they were installed."""

from __future__ import annotations

import importlib
import sys
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

from citycard.city import City
from citycard.clock import FixedClock

ON_DISK = Path(__file__).parent / "data"
sys.path.insert(0, str(Path(__file__).parent))  # moneytown is for several tests

CITY = """\
[city]
name = "Yard town"
code = "9901"

[plugins]
allow = ["yard", "loud"]
enable = ["yard"]

[[districts]]
id = "nanshan"
name = "Nanshan"
"""


@pytest.fixture
def clock():
    return FixedClock(datetime(2018, 9, 1, 1, 0, tzinfo=UTC))


@pytest.fixture
def yard(monkeypatch):
    """Install the plugins and return the yard's module, which remembers what it heard and swept."""
    for name in ("yard", "loud"):
        monkeypatch.syspath_prepend(str(ON_DISK / name))
    module = importlib.import_module("citycard_yard")
    for remembered in (module.heard, module.swept, module.doing):
        remembered.clear()
    return module


@pytest.fixture
def city(yard, tmp_path, clock):
    template = tmp_path / "template.toml"
    template.write_text(CITY)
    made = City.create(tmp_path / "town", template, clock=clock)
    yield made
    made.close()


@pytest.fixture
def other(city, clock):
    """The same city in another process, as far as the store can tell."""
    again = City.open(city.folder, clock=clock)
    yield again
    again.close()


@pytest.fixture
def parked(yard):
    """The body of an event as it is written into the outbox."""
    return SimpleNamespace(
        topic="yard.bicycle-parked",
        body={"asn": "1", "at": "2018-09-01T08:30:00", "day": "2018-09-01"},
        record=yard.BicycleParked(
            asn="1",
            at=datetime(2018, 9, 1, 8, 30),
            day=datetime(2018, 9, 1, tzinfo=UTC).date(),
        ),
    )


@pytest.fixture
def money_town(store_url, tmp_path):
    """A city without plugins, once on each database."""
    from moneytown import made_city

    made = made_city(tmp_path, store_url)
    yield made
    made.close()
