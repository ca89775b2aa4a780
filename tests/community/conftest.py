"""A town with one community: two buildings, a gate, a car park of three spaces, and a clinic."""

from __future__ import annotations

import datetime as dt
import shutil
import xml.etree.ElementTree as ET

import attrs
import pytest

from citycard import registry
from citycard.city import City
from citycard.clearing import statement_of
from citycard.clearing.payments import payment_path
from citycard.clock import FixedClock
from citycard.errors import CardRemoved
from citycard.money import parse_yuan
from citycard.registry import CardStatus
from citycard.store import reading, writing
from citycard.terminal import InProcessReader
from citycard.testing.town import Town, TownCard
from citycard_community.billing import bills_of_card
from citycard_community.clinic import ClinicTill
from citycard_community.doors import DoorTerminal
from citycard_community.errors import DoorClosed
from citycard_community.gates import CarParkGate
from citycard_community.kiosk import Kiosk
from citycard_community.running import settings_of
from citycard_community.settings import CommunitySettings
from citycard_community.units import UnitGiven, keep_units, units_of_owner

GATE, EAST, WEST, IN, OUT, DESK, CLINIC = (f"9901{number:08d}" for number in range(11, 18))

SETTINGS = {
    "hours": [
        {"number": 1, "name": "daytime", "opens": dt.time(7, 0), "closes": dt.time(22, 0)},
    ],
    "communities": [
        {
            "id": "sunrise",
            "number": 7,
            "name": "Sunrise Court",
            "name_zh": "朝阳苑",
            "partner": "sunrise-pm",
            "account": "6200990100000700001",
            "bic": "CITYCNBJXXX",
            "zones": [
                {"number": 0, "name": "Gate", "name_zh": "大门", "shared": True},
                {"number": 1, "name": "East building", "name_zh": "东楼"},
                {"number": 2, "name": "West building", "name_zh": "西楼"},
            ],
            "doors": [
                {"id": "gate", "name": "Main gate", "name_zh": "正门", "zone": 0, "terminal": GATE},
                {"id": "east", "name": "East door", "name_zh": "东楼门", "zone": 1, "terminal": EAST},
                {"id": "west", "name": "West door", "name_zh": "西楼门", "zone": 2, "terminal": WEST},
            ],
            "car_parks": [
                {
                    "number": 1,
                    "name": "Sunrise garage",
                    "name_zh": "朝阳车库",
                    "spaces": 3,
                    "unit_minutes": 30,
                    "unit_fen": 200,
                    "free_minutes": 15,
                    "day_cap_fen": 2000,
                    "lost_ticket_fen": 3000,
                    "pass_fen": 15_000,
                    "gates": [IN, OUT],
                }
            ],
            "fee": {"fen_per_m2": 250, "due_day": 20, "late_bp_per_day": 5, "late_cap_percent": 30},
            "visitors": {"a_day": 2, "hours": 1},
        }
    ],
    "clinics": [
        {
            "id": "sunrise-clinic",
            "number": 1,
            "name": "Sunrise clinic",
            "name_zh": "朝阳卫生站",
            "account": "6200990100000700002",
            "bic": "CITYCNBJXXX",
            "communities": ["sunrise"],
            "visit_fen": 1000,
            "resident_percent": 40,
        }
    ],
}


@attrs.frozen(kw_only=True)
class Estate:
    """The town and the terminals of its community."""

    town: Town
    settings: CommunitySettings
    tills: dict = attrs.field(factory=dict)

    @property
    def city(self):
        return self.town.city

    @property
    def now(self):
        return self.town.now

    @property
    def today(self):
        return self.town.now.date()

    def till(self, number):
        """Work as a terminal with its newest configuration; the same till again, as its batches go on."""
        if number not in self.tills:
            self.tills[number] = self.town.till(number)
        self.tills[number].refresh()
        return self.tills[number]

    def door(self, name):
        """Work as a door: gate, east or west."""
        return DoorTerminal(self.till({"gate": GATE, "east": EAST, "west": WEST}[name]), self.city.vault)

    def gate(self, name):
        """Work as a gate of the car park: in or out."""
        return CarParkGate(self.till({"in": IN, "out": OUT}[name]), self.city)

    def kiosk(self):
        return Kiosk(self.till(DESK), self.city)

    def clinic(self):
        return ClinicTill(self.till(CLINIC), self.city.vault, 1)

    def stocked(self):
        """Make a card that the office has in stock."""
        asn, day = "01019901009999999999", self.today
        chip = self.city.issuing.chip(asn, "citizen", day)
        card = attrs.evolve(self.city.issuing.card(asn, "citizen", day), status=CardStatus.STOCK)
        with writing(self.city.engine) as conn:
            registry.add_cards(conn, [card])
        return TownCard(asn=asn, chip=chip, reader=InProcessReader(chip))

    def clear(self, partner="sunrise-pm"):
        """Clear what all terminals did, check the books, and return a partner's statement of the run."""
        report = self.town.clear(*self.tills.values())
        self.town.check_books()
        return statement_of(self.city, partner, report.number)

    def bank_told_fen(self, run, account):
        """Sum what a run told the bank to pay into an account."""
        told = ET.fromstring((self.city.folder / payment_path(run)).read_text())
        paid = [one for one in told.iter() if one.tag.endswith("}CdtTrfTxInf")]
        return sum(
            parse_yuan(next(each.text for each in one.iter() if each.tag.endswith("}InstdAmt")))
            for one in paid
            if any(each.text == account for each in one.iter())
        )

    def owed(self, card):
        """List the bills that a card's holder sees, the oldest first: number and what is owed."""
        with reading(self.city.engine) as conn:
            found = bills_of_card(conn, self.settings, self.today, card.asn)
        return [(one.bill.id, one.owed_fen) for one in reversed(found)]

    def opens(self, name, card):
        """Say by which kind of right a door opens, or the code of why it stays closed."""
        try:
            return self.door(name).open(card.reader, self.town.now).right.kind.name.lower()
        except DoorClosed as closed:
            return closed.data["code"]

    def home(self, owner, *, building=1, room="101", area=8950):
        """Register a flat and return its number."""
        given = UnitGiven(community="sunrise", building=building, room=room, area=area, owner=owner.asn)
        keep_units(self.city, self.settings, [given])
        with reading(self.city.engine) as conn:
            return next(
                one.id
                for one in units_of_owner(conn, owner.asn)
                if (one.building, one.room) == (building, room)
            )


def made(folder, settings=SETTINGS, more=""):
    town = Town.make(folder, domains=["community"], settings={"community": settings}, more=more)
    for partner in ("sunrise-pm", "sunrise-clinic"):
        town.partner(partner)
    for number in (GATE, EAST, WEST, IN, OUT, DESK):
        town.terminal("sunrise-pm", number=number)
    town.terminal("sunrise-clinic", number=CLINIC)
    return Estate(town=town, settings=settings_of(town.city))


class TornReader:
    """A card that is pulled out of the field for good at some command, before or after the card did it."""

    def __init__(self, reader, commands, *, done):
        self._reader, self._left, self._done = reader, commands, done

    def connect(self):
        if self._left <= 0:
            raise CardRemoved(during="connect")
        return self._reader.connect()

    def transmit(self, apdu):
        self._left -= 1
        if self._left > 0:
            return self._reader.transmit(apdu)
        if self._left == 0 and self._done:
            self._reader.transmit(apdu)
        raise CardRemoved(during="a test")


@pytest.fixture
def torn_away():
    """Hold a card to a reader so that it is pulled away at some command."""
    return TornReader


@pytest.fixture(scope="session")
def made_town(tmp_path_factory):
    """The folder of the town, and its first moment: each test works in a copy."""
    folder = tmp_path_factory.mktemp("made-town")
    estate = made(folder)
    estate.town.close()
    return folder / "town", estate.city.clock.now()


@pytest.fixture
def on_sqlite(made_town, tmp_path):
    folder, moment = made_town
    clock = FixedClock(moment)
    city = City.open(shutil.copytree(folder, tmp_path / "town"), clock=clock)
    estate = Estate(town=Town(city, clock), settings=settings_of(city))
    yield estate
    estate.town.close()


@pytest.fixture
def estate(on_sqlite):
    """The town as most tests have it."""
    return on_sqlite


@pytest.fixture
def on_postgresql(postgresql_server, tmp_path):
    """The same town, whose store is PostgreSQL."""
    url = postgresql_server.create_database()
    estate = made(tmp_path, more=f'[store]\nurl = "{url}"')
    yield estate
    estate.town.close()
    postgresql_server.drop_database(url)


@pytest.fixture
def with_settings(tmp_path):
    """Make an estate whose community has other settings than usual."""
    towns = []

    def make(**changes):
        community = SETTINGS["communities"][0] | changes
        towns.append(made(tmp_path, SETTINGS | {"communities": [community]}).town)
        return Estate(town=towns[-1], settings=settings_of(towns[-1].city))

    yield make
    for town in towns:
        town.close()
