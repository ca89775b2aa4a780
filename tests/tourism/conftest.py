"""A town with museums, a library, a cinema, a bookshop and a gym chain, and what tests do there."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard import registry
from citycard.kernel.settings import structure
from citycard.store import reading, writing
from citycard.testing.town import Town
from citycard_tourism.counter import Counter
from citycard_tourism.gates import Gate, GateGroup
from citycard_tourism.library import LibraryDesk
from citycard_tourism.office import Office
from citycard_tourism.settings import TourismSettings

SETTINGS = {
    "rights": ["student", "over-65", "child"],
    "venues": [
        {"id": "city-museum", "name": "City Museum", "name_zh": "市博物馆", "number": 1, "capacity": 5},
        {"id": "science-museum", "name": "Science Museum", "name_zh": "科技馆", "number": 2},
        {"id": "city-library", "name": "City Library", "name_zh": "图书馆", "number": 3, "kind": "library"},
        {"id": "old-cinema", "name": "Old Cinema", "name_zh": "老影院", "number": 4, "kind": "cinema"},
        {"id": "bookshop", "name": "Bookshop", "name_zh": "书城", "number": 5, "kind": "bookshop"},
        {"id": "gym-north", "name": "Gym North", "name_zh": "北区健身", "number": 6, "kind": "gym"},
        {"id": "gym-south", "name": "Gym South", "name_zh": "南区健身", "number": 7, "kind": "gym"},
    ],
    "shows": [
        {
            "name": "dinosaurs",
            "number": 1,
            "title": "Dinosaurs",
            "title_zh": "恐龙展",
            "venue": "city-museum",
            "price_fen": 3000,
            "times": ["10:00", "12:00", "14:00"],
            "minutes": 120,
            "capacity": 20,
            "closed_on": [1],
            "refund_percent": 90,
        },
        {
            "name": "film",
            "number": 2,
            "title": "The film",
            "title_zh": "电影",
            "venue": "old-cinema",
            "price_fen": 4000,
            "times": ["19:30"],
            "minutes": 150,
            "capacity": 3,
        },
    ],
    "plans": [
        {
            "name": "museums",
            "number": 1,
            "title": "Museums, one year",
            "title_zh": "博物馆年票",
            "venues": ["city-museum", "science-museum"],
            "weights": {"city-museum": 2, "science-museum": 1},
            "price_fen": 10_000,
            "days": 365,
        },
        {
            "name": "gym",
            "number": 2,
            "title": "Gym, one quarter",
            "title_zh": "健身季卡",
            "kind": "membership",
            "venues": ["gym-north", "gym-south"],
            "weights": {"gym-north": 1, "gym-south": 1},
            "seller_percent": 10,
            "price_fen": 90_001,
            "days": 90,
            "extend_fen": 30_000,
            "extend_days": 30,
            "freeze_days": 20,
            "keep_percent": 20,
            "passback_minutes": 60,
        },
    ],
    "concessions": [
        {"name": "students", "only_for": ["student"], "percent": 50},
        {"name": "elders", "only_for": ["over-65"], "percent": 0},
        {"name": "children", "only_for": ["child"], "percent": 30},
    ],
    "groups": [{"name": "parties", "people": 10, "percent": 80, "shows": ["dinosaurs"]}],
    "libraries": [{"venue": "city-library", "books": 3, "days": 30, "fee_fen": 20, "fee_most_fen": 1000}],
    "schemes": [
        {
            "venue": "bookshop",
            "title": "Pages",
            "title_zh": "书页",
            "points_per_yuan": 1,
            "rate_fen": 5,
            "valid_days": 365,
        }
    ],
    "acceptances": [{"scheme": "bookshop", "venue": "old-cinema", "fen": 4}],
}
for _venue in SETTINGS["venues"]:
    _venue |= {"account": f"620099019999{_venue['number']:07d}", "bic": "CITYCNBJXXX"}


class Leisure:
    """The town, its office, and a terminal at each venue."""

    def __init__(self, town: Town, settings: TourismSettings) -> None:
        self.town = town
        self.city = town.city
        self.office = Office(town.city, settings)
        self.settings = settings
        self.tills = {venue.id: town.till(town.terminal(venue.id)) for venue in settings.venues}
        self.groups: dict[int, GateGroup] = {}

    def counter(self, venue: str) -> Counter:
        return Counter(self.office, self.tills[venue], venue)

    def library(self) -> LibraryDesk:
        return LibraryDesk(self.office, self.tills["city-library"], "city-library")

    def gate(self, venue: str) -> Gate:
        """Give a further gate of a venue, with a terminal of its own; it shares its group's memory."""
        where = self.settings.venue(venue)
        group = self.groups.setdefault(where.gates, GateGroup(where.gates, where.capacity))
        number = self.town.terminal(venue)
        self.tills[f"{venue} {number}"] = till = self.town.till(number)
        return Gate(till, self.settings, self.office.seals, venue, group)

    def clear(self):
        return self.town.clear(*self.tills.values())

    def paid_fen(self, partner):
        """Give what the last run that had a partner pays it, with what was carried from online."""
        found = self.town.statement(partner)
        return found.net_fen + found.carried_fen

    def entitle(self, card, name):
        with writing(self.city.engine) as conn:
            right = registry.Entitlement(
                name=name, source="school", starts_on=self.town.now.date(), asn=card.asn
            )
            registry.add_entitlements(conn, [right])

    def at(self, time, days=0):
        """Give a local moment of the town's day."""
        return dt.datetime.combine(
            self.town.now.date() + dt.timedelta(days=days), dt.time.fromisoformat(time)
        )

    def go_to(self, moment):
        """Let time pass until a local moment."""
        return self.town.pass_time(moment - self.town.now)

    def ask(self, function, *arguments):
        with reading(self.city.engine) as conn:
            return function(conn, *arguments)


@pytest.fixture
def settings_section():
    return SETTINGS


def opened(folder, more=""):
    town = Town.make(folder, domains=["tourism"], settings={"tourism": SETTINGS}, more=more)
    report = town.city.plugins.report("tourism")
    assert report.state == "enabled", report.reason
    return Leisure(town, structure(TourismSettings, SETTINGS, where="tests"))


@pytest.fixture
def leisure(tmp_path):
    made = opened(tmp_path)
    yield made
    made.town.close()


@pytest.fixture
def leisure_on_both(tmp_path, store_url):
    """Give the town once on SQLite and once on PostgreSQL."""
    made = opened(tmp_path, f'[store]\nurl = "{store_url}"\n')
    yield made
    made.town.close()
