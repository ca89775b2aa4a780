"""A city whose plugins, a yard and a loud one, are found on disk as if they were installed."""

from __future__ import annotations

import importlib
import shutil
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
def city(yard, found_city, tmp_path, clock):
    template = tmp_path / "template.toml"
    template.write_text(CITY)
    made = found_city(tmp_path / "town", template, clock=clock)
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


@pytest.fixture(scope="session")
def sqlite_town(tmp_path_factory):
    """The folder of a city without plugins, to be copied, and its store beside it."""
    from moneytown import made_city

    folder = tmp_path_factory.mktemp("sqlite-town")
    made_city(folder, f"sqlite:///{folder / 'city.db'}").close()
    return folder


@pytest.fixture(scope="session")
def postgresql_town(tmp_path_factory, postgresql_server):
    """The same, and the name of its database."""
    from moneytown import made_city

    folder = tmp_path_factory.mktemp("postgresql-town")
    url = postgresql_server.create_database()
    made_city(folder, url).close()
    return folder, postgresql_server.database_of(url)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def money_town(request, tmp_path):
    """A city without plugins, once on each database."""
    from moneytown import opened_copy

    if request.param == "sqlite":
        folder = request.getfixturevalue("sqlite_town")
        shutil.copyfile(folder / "city.db", tmp_path / "city.db")
        town = opened_copy(folder, tmp_path, f"sqlite:///{tmp_path / 'city.db'}")
        yield town
        town.close()
        return
    server = request.getfixturevalue("postgresql_server")
    folder, database = request.getfixturevalue("postgresql_town")
    url = server.create_database(template=database)
    town = opened_copy(folder, tmp_path, url)
    yield town
    town.close()
    server.drop_database(url)
