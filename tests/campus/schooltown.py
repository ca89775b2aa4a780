"""A town with two schools, a canteen, and the cards of a family."""

import datetime as dt

import attrs
import pytest
from sqlalchemy import select, update

from citycard.city.accounts import make_programme
from citycard.errors import CitycardError
from citycard.ids import derived_id
from citycard.registry.tables import card as card_table
from citycard.store import reading, writing
from citycard.store.outbox import outbox
from citycard.testing.town import Town, TownCard
from citycard.wallet import Programme, fund_programme, report_programme
from citycard_campus.campus import Campus
from citycard_campus.canteen import Canteen
from citycard_campus.desk import Desk
from citycard_campus.pots import standing
from citycard_campus.roll import import_roll
from citycard_campus.sectors import Enrolment

SCHOOL, CANTEEN, PROGRAMME = "school-3", "canteen-3", "meals"
SETTINGS = {
    "schools": [
        {
            "id": SCHOOL,
            "number": 3,
            "name": "No. 3 Middle School",
            "name_zh": "第三中学",
            "programme": PROGRAMME,
            "account": "6200990100000003003",
            "bic": "CITYCNBJXXX",
        },
        {"id": "school-9", "number": 9, "name": "No. 9 Middle School"},
    ],
    "canteens": [
        {
            "id": CANTEEN,
            "school": SCHOOL,
            "name": "Happy Kitchen",
            "account": "6200990100000003004",
            "bic": "CITYCNBJXXX",
        }
    ],
    "doors": [
        {"school": SCHOOL, "number": 1, "name": "Main gate", "since": "06:00", "until": "22:00"},
        {"school": SCHOOL, "number": 2, "name": "Staff room", "roles": ["teacher"]},
    ],
    "computer": {"minute_fen": 5, "cap_fen": 300, "free_minutes": 2},
    "bands": [
        {
            "name": "lunch",
            "since": "11:00",
            "until": "14:00",
            "pupil_fen": 1000,
            "teacher_fen": 1500,
            "guest_fen": 2500,
        }
    ],
}
HEADER = "school,student_no,role,name,class,card,guardian,until,meal\n"


class _Looked(CitycardError):
    sentence = "only looked"


def _look():
    raise _Looked


@attrs.define
class SchoolTown:
    """The town, its campus, and what is often needed of them."""

    town: Town
    campus: Campus

    def roll(self, *lines: str):
        return import_roll(self.campus, HEADER + "\n".join(lines) + "\n", file="roll.csv")

    def pupil(self, *, no: str = "S1", meal: str = "", guardian: str = "", group: str = "7-3"):
        """Enrol a new card as a pupil, and return it."""
        card = self.town.card()
        report = self.roll(f"{SCHOOL},{no},pupil,Li Lei,{group},{card.asn},{guardian},2027-07-15,{meal}")
        assert report.bad == ()
        return card

    def stock(self) -> TownCard:
        """Make a card that lies in the office's stock."""
        card = self.town.card()
        with writing(self.town.city.engine) as conn:
            conn.execute(update(card_table).where(card_table.c.asn == card.asn), {"status": "stock"})
        return card

    def standing(self, school: str = SCHOOL):
        with reading(self.town.city.engine) as conn:
            return standing(self.campus, conn, self.campus.settings.school(school))

    def programme(self):
        with reading(self.town.city.engine) as conn:
            return report_programme(conn, self.town.city.ledger, PROGRAMME)

    def enrolment(self, card: TownCard) -> Enrolment:
        """Read what stands on a card, as anybody may."""
        seen = []
        till = self.town.till(self.town.terminal("city-desk"))
        with pytest.raises(_Looked):
            till.serve(card.reader, self.town.now, lambda visit: seen.append(visit.read("campus")) or _look())
        return seen[0]

    def events(self, name: str) -> list[dict]:
        """Give the bodies of all events of a name, oldest first."""
        with reading(self.town.city.engine) as conn:
            found = conn.execute(select(outbox.c.body).where(outbox.c.topic == name).order_by(outbox.c.seq))
            return list(found.scalars())

    def canteen(self) -> Canteen:
        return Canteen(self.campus, self.town.terminal(CANTEEN), SCHOOL)

    def desk(self) -> Desk:
        return Desk(self.campus, self.town.terminal(SCHOOL), SCHOOL)

    def fund(self, fen: int, *, turn: int = 1) -> None:
        """Make the meals programme, which the education office pays for, and fill its budget."""
        today = self.town.now.date()
        made = Programme(
            id=PROGRAMME,
            title="School meals",
            funder="Education office",
            partners=(f"{SCHOOL}-meals",),
            starts_on=today,
            ends_on=today + dt.timedelta(days=300),
        )
        make_programme(self.town.city, made)
        fund_programme(self.town.city.wallet, derived_id("fund", turn), PROGRAMME, fen)

    def at(self, clock: str) -> dt.datetime:
        """Let time pass until an hour of today or tomorrow, and return the town's local time."""
        wanted = dt.datetime.combine(self.town.now.date(), dt.time.fromisoformat(clock))
        if wanted < self.town.now:
            wanted += dt.timedelta(days=1)
        return self.town.pass_time(wanted - self.town.now)
