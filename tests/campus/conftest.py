import sys
from pathlib import Path

import pytest

from citycard.testing.town import Town
from citycard_campus.campus import Campus

sys.path.insert(0, str(Path(__file__).parent))  # schooltown is for several tests


@pytest.fixture
def place(tmp_path):
    """Give a town with two schools and a canteen."""
    from schooltown import SETTINGS, SchoolTown

    town = Town.make(tmp_path, domains=["campus"], settings={"campus": SETTINGS})
    yield SchoolTown(town, Campus.of(town.city))
    town.close()
