"""Plugins on disk, for no domain is installed, and cities that are founded once."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from citycard.city import City

sys.path.insert(0, str(Path(__file__).parent))  # supervisedtown is for several tests

CARD_TOWN = """\
[city]
name = "Card town"
code = "9901"
[plugins]
allow = ["bazaar"]
enable = ["bazaar"]
[[plugins.bazaar.products]]
name = "standard"
title = "City card"
"""
BAZAAR = Path(__file__).parent / "data" / "bazaar"
KIOSK_TOWN = """\
[city]
name = "Kiosk town"
code = "9902"
[plugins]
allow = ["kiosk"]
enable = ["kiosk"]
"""
GATEHOUSE = Path(__file__).parent / "data" / "gatehouse"
KIOSK = Path(__file__).parent / "data" / "kiosk"
MARKET = Path(__file__).parent / "data" / "market"


@pytest.fixture
def bazaar(monkeypatch):
    """Install the bazaar, for this process and for those that a test starts."""
    install(monkeypatch, BAZAAR)


def install(monkeypatch, plugin):
    monkeypatch.syspath_prepend(str(plugin))
    paths = [str(plugin), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))


@pytest.fixture(scope="session")
def card_town(tmp_path_factory):
    """Give the template of a town that has the bazaar and one product, and nothing else."""
    template = tmp_path_factory.mktemp("card-town") / "template.toml"
    template.write_text(CARD_TOWN, encoding="utf-8")
    return template


@pytest.fixture(scope="session")
def found_city(tmp_path_factory):
    """Return a function like ``City.create`` that founds a city for each template once, and opens copies.

    All cities of one template and time have the same keys. Only for stores that lie in the city's folder.
    """
    founded = {}

    def found(folder, template, *, clock=None):
        text = Path(template).read_text(encoding="utf-8")
        key = text, clock.now() if clock else None
        if key not in founded:
            founded[key] = tmp_path_factory.mktemp("founded") / "city"
            # When the last connection is closed, the file of the store has everything.
            City.create(founded[key], template, clock=clock).close()
        shutil.copytree(founded[key], folder)
        return City.open(folder, clock=clock)

    return found


@pytest.fixture
def kiosk_town(monkeypatch, found_city, tmp_path):
    """Return a function that opens a town of kiosks, whose services have habits, in a folder of that name.

    All these towns have the same keys.
    """
    install(monkeypatch, KIOSK)
    template = tmp_path / "template.toml"
    template.write_text(KIOSK_TOWN, encoding="utf-8")
    opened = []

    def town(name):
        opened.append(found_city(tmp_path / name, template))
        return opened[-1]

    yield town
    for city in opened:
        city.close()


@pytest.fixture
def gate_town(monkeypatch, found_city, tmp_path):
    """Open a town of kiosks with a gatehouse, whose habits name the terminals of its gates."""
    for plugin in (GATEHOUSE, KIOSK):
        install(monkeypatch, plugin)
    template = tmp_path / "template.toml"
    both = '["gatehouse", "kiosk"]'
    template.write_text(KIOSK_TOWN.replace('["kiosk"]', both), encoding="utf-8")
    city = found_city(tmp_path / "gates", template)
    yield city
    city.close()


@pytest.fixture
def market_town(monkeypatch, tmp_path):
    """Return a function that makes a town with a market; its arguments are those of ``Town.make``."""
    from citycard.testing.town import Town

    install(monkeypatch, MARKET)
    made = []

    def town(**options):
        made.append(Town.make(tmp_path, ["market"], **options))
        return made[-1]

    yield town
    for one in made:
        one.close()


@pytest.fixture(scope="session")
def supervised_once(tmp_path_factory):
    from supervisedtown import SupervisedTown

    with pytest.MonkeyPatch.context() as patch:
        for plugin in (KIOSK, MARKET):
            install(patch, plugin)
        lived = SupervisedTown(tmp_path_factory.mktemp("supervised"))
    yield lived
    lived.town.close()


@pytest.fixture(scope="module")
def supervised(supervised_once):
    """Give a town of kiosks and a market that lived two months, for tests that only look at it."""
    with pytest.MonkeyPatch.context() as patch:
        for plugin in (KIOSK, MARKET):
            install(patch, plugin)
        yield supervised_once
