"""A school's statement: its meal pots to the fen, what canteens served, and lessons missed."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import func, select

from citycard.store import reading
from citycard_campus.pots import PotStanding, standing
from citycard_campus.roll import pupils_of
from citycard_campus.settling import missing_uses, uses_of
from citycard_campus.tables import absence, pot, pot_use, pupil

if TYPE_CHECKING:
    from citycard_campus.campus import Campus

__all__ = ["MealDay", "SchoolStatement", "school_statement"]

_MOST = 1_000_000


@attrs.frozen(kw_only=True)
class MealDay:
    """What a canteen served out of pots on a day, in fen: settled to it, waiting, and paid by purses."""

    day: dt.date
    canteen: str
    meals: int
    settled_fen: int
    waiting_fen: int
    purse_fen: int


@attrs.frozen(kw_only=True)
class SchoolStatement:
    """A school from a day through another: enrolled now, lessons missed, pots, and meals by day.

    ``pots`` are as they stand now: loaded = settled + returned + left, and left is the ledger's.
    ``uses_missing`` counts uses of pots that later ones tell of, and whose records never came.
    """

    school: str
    name: str
    since: dt.date
    until: dt.date
    enrolled: int
    missed: int
    pots: PotStanding
    left_fen: int
    uses_missing: int
    days: tuple[MealDay, ...]


def school_statement(campus: Campus, school_id: str, since: dt.date, until: dt.date) -> SchoolStatement:
    """Write a school's statement; raise SchoolUnknown."""
    school = campus.settings.school(school_id)
    begin, end = dt.datetime.combine(since, dt.time.min), dt.datetime.combine(until, dt.time.max)
    with reading(campus.engine) as conn:
        enrolled = pupils_of(conn, pupil.c.school == school.number, pupil.c.left_on.is_(None))
        missed = conn.scalar(
            select(func.count())
            .select_from(absence)
            .join(pupil, pupil.c.number == absence.c.pupil)
            .where(
                pupil.c.school == school.number,
                absence.c.day.between(since, until),
                absence.c.taken_back_at.is_(None),
            )
        )
        mine = (pot_use.c.school == school.number, pot_use.c.at.between(begin, end))
        uses = uses_of(conn, *mine, limit=_MOST)
        pots = standing(campus, conn, school)
        cards = conn.scalars(select(pot.c.asn).where(pot.c.school == school.number, pot.c.last_use > 0))
        lacking = sum(len(missing_uses(conn, asn)) for asn in cards.all())
    days = []
    for day, canteen in sorted({(use.at.date(), use.partner) for use in uses}):
        those = [use for use in uses if (use.at.date(), use.partner) == (day, canteen)]
        days.append(
            MealDay(
                day=day,
                canteen=canteen,
                meals=len(those),
                settled_fen=sum(use.pot_fen for use in those if use.state == "settled"),
                waiting_fen=sum(use.pot_fen for use in those if use.state == "waiting"),
                purse_fen=sum(use.purse_fen for use in those),
            )
        )
    return SchoolStatement(
        school=school.id,
        name=school.name,
        since=since,
        until=until,
        enrolled=sum(one.enrolled(campus.now().date()) for one in enrolled),
        missed=missed or 0,
        pots=pots,
        left_fen=pots.left_fen,
        uses_missing=lacking,
        days=tuple(days),
    )
