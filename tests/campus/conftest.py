import shutil
import sys
from pathlib import Path

import pytest

from citycard.city import City
from citycard.clock import FixedClock
from citycard.testing.town import Town
from citycard_campus.campus import Campus

sys.path.insert(0, str(Path(__file__).parent))  # schooltown is for several tests


def made(folder, **more):
    """Make a town with two schools and a canteen."""
    from schooltown import SETTINGS, SchoolTown

    town = Town.make(folder, domains=["campus"], settings={"campus": SETTINGS}, **more)
    return SchoolTown(town, Campus.of(town.city))


@pytest.fixture(scope="session")
def made_town(tmp_path_factory):
    """The folder of the town, and its first moment: each test works in a copy."""
    folder = tmp_path_factory.mktemp("made-town")
    place = made(folder)
    place.town.close()
    return folder / "town", place.town.city.clock.now()


@pytest.fixture
def on_sqlite(made_town, tmp_path):
    from schooltown import SchoolTown

    folder, moment = made_town
    clock = FixedClock(moment)
    city = City.open(shutil.copytree(folder, tmp_path / "town"), clock=clock)
    yield SchoolTown(Town(city, clock), Campus.of(city))
    city.close()


@pytest.fixture
def place(on_sqlite):
    """The town as most tests have it."""
    return on_sqlite


@pytest.fixture
def on_postgresql(postgresql_server, tmp_path):
    """The same town, whose store is PostgreSQL."""
    url = postgresql_server.create_database()
    place = made(tmp_path, more=f'[store]\nurl = "{url}"')
    yield place
    place.town.close()
    postgresql_server.drop_database(url)
