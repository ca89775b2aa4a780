"""The small town of the pages' tests: four cards, two operators, a morning of taps, cleared and paid."""

from __future__ import annotations

import datetime as dt
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from citycard.city.statements.records import Entry, Period, Said, Section, Statement

_FILE = Path(__file__).parents[2] / "web" / "conftest.py"


@pytest.fixture(scope="session")
def web_town():
    """Return the module that makes and plays the town."""
    spec = spec_from_file_location("web_town", _FILE)
    module = module_from_spec(spec)
    sys.modules["web_town"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def played(web_town, tmp_path_factory):
    sys.path.insert(0, str(web_town.SITE))
    city = web_town.make_city(tmp_path_factory.mktemp("town"))
    web_town.play(city)
    web_town.clear(city)
    yield city
    city.close()
    sys.path.remove(str(web_town.SITE))


@pytest.fixture
def made():
    """Return a maker of statements of one purse from the amounts of its lines in fen."""

    def make(amounts, *, opening_fen=0, **words):
        at = dt.datetime(2018, 9, 1, 6)

        def entries():
            for place, amount_fen in enumerate(amounts):
                told = {"who": "Metro", "where": "罗湖", "why": Said("exit", "出站")} | words
                moment = at + dt.timedelta(minutes=place)
                yield Entry(
                    booked_at=moment,
                    at=moment,
                    code=20,
                    what=Said("Purchase", "消费"),
                    amount_fen=amount_fen,
                    reference=f"r{place}",
                    **told,
                )

        section = Section(
            address="card/1/purse",
            title=Said("Purse on the card", "卡上钱包"),
            opening_fen=opening_fen,
            closing_fen=opening_fen + sum(amounts),
            entries=entries,
        )
        return Statement(
            kind="card",
            subject="03109901000000000001",
            title=Said("Statement of a card", "市民卡对账单"),
            name=Said("City card", "市民卡"),
            city=Said("Haibin", "海滨市"),
            period=Period(since=at.date(), until=dt.date(2018, 9, 30)),
            made_at=dt.datetime(2018, 10, 1),
            sections=(section,),
        )

    return make
