"""A day at school in a simulated city (docs/simulate.md): a roll, a timetable, meals, and who is missing."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from citycard import Lived, derived_id
from citycard.store import writing
from citycard.wallet import Programme, fund_programme
from citycard_campus.attendance import attend, import_timetable, tell_missing
from citycard_campus.guardians import children, limit_day
from citycard_campus.lunch import have_lunch, issue_cards
from citycard_campus.pots import carry_all, grant_meals
from citycard_campus.roll import import_roll, pupils_of
from citycard_campus.tables import pupil

if TYPE_CHECKING:
    from citycard_campus.campus import Campus
    from citycard_campus.settings import School

__all__ = ["live_day"]

_SCHOOL_YEARS = dt.timedelta(days=900)
_BUDGET_FEN, _MEALS_YUAN, _LIMIT_FEN = 2_000_000, "60.00", 2000
_ROOM, _CLASS, _BEGINS = 12, "7-3", dt.time(11, 30)
# Who comes new is in a class that has no lesson yet.
_NEW = "7-4"
_NAMES = ("李雷", "韩梅梅", "王小明", "张丽", "刘洋", "陈晨")


def live_day(campus: Campus, day: dt.date, accounts: Sequence[str]) -> Iterator[Lived]:
    """Let the first citizen be the guardian of the second, and all others be pupils of the first school.

    They have a lesson before noon, which the guardian's child misses. Each day some come new, and have lunch
    from the subsidy on their cards. The same day again changes nothing.
    """
    school = campus.settings.schools[0]
    guardian, pupils = accounts[0], list(accounts[1:] or accounts)
    report = import_roll(campus, _roll(school, day, guardian, pupils), file="simulated roll")
    yield Lived(what="pupils enrolled", count=report.enrolled + report.changed + report.unchanged)
    import_timetable(campus, _timetable(school, day), file="simulated timetable")
    for child in children(campus, guardian):
        limit_day(campus, guardian, child.number, _LIMIT_FEN)
    yield Lived(what="lessons attended", count=_attended(campus, day, pupils))
    yield Lived(what="lessons missed", count=tell_missing(campus))
    if school.programme:
        yield from _fed(campus, school, day)


def _fed(campus: Campus, school: School, day: dt.date) -> Iterator[Lived]:
    _funded(campus, school, day)
    cards = issue_cards(campus, day)
    roll = _roll(school, day, "", list(cards), number=f"N{day:%y%m%d}-", group=_NEW)
    import_roll(campus, roll, file="simulated roll")
    granted = grant_meals(campus, school, f"{day:%Y-%m}", actor="simulated")
    yield Lived(what="months of meals", count=granted.granted + granted.repeated)
    carry_all(campus)
    canteen = next((one for one in campus.settings.canteens if one.school == school.id), None)
    if canteen is not None and cards:
        yield Lived(what="lunches from the subsidy", count=have_lunch(campus, school, canteen, cards))


def _roll(
    school: School,
    day: dt.date,
    guardian: str,
    pupils: Sequence[str],
    *,
    number: str = "S",
    group: str = _CLASS,
) -> str:
    until = (day.replace(month=1, day=1) + _SCHOOL_YEARS).isoformat()
    lines = ["school,student_no,role,name,class,card,guardian,until,meal"]
    for place, asn in enumerate(pupils):
        name = _NAMES[place % len(_NAMES)]
        parent = guardian if place == 0 and asn != guardian else ""
        who = f"{number}{place + 1},pupil,{name},{group},{asn},{parent}"
        lines.append(f"{school.id},{who},{until},{_MEALS_YUAN}")
    return "\n".join(lines) + "\n"


def _timetable(school: School, day: dt.date) -> str:
    since, until = day.replace(month=1, day=1).isoformat(), day.replace(month=12, day=31).isoformat()
    lines = ["school,class,weekday,begins,ends,room,title,from,until"]
    lines += [
        f"{school.id},{_CLASS},{weekday},11:30,12:15,{_ROOM},Mathematics,{since},{until}"
        for weekday in range(1, 8)
    ]
    return "\n".join(lines) + "\n"


def _attended(campus: Campus, day: dt.date, pupils: Sequence[str]) -> int:
    at = dt.datetime.combine(day, _BEGINS)
    with writing(campus.engine) as conn:
        present = pupils_of(conn, pupil.c.asn.in_(pupils[1:]))
        for one in present:
            attend(campus, conn, one, _ROOM, at)
    return len(present)


def _funded(campus: Campus, school: School, day: dt.date) -> None:
    from citycard.city.accounts import make_programme

    made = Programme(
        id=school.programme,
        title="School meals",
        title_zh="学生餐补",
        funder="Education office",
        partner_kinds=("school-meals",),
        starts_on=day.replace(month=1, day=1),
        ends_on=day.replace(month=12, day=31),
    )
    make_programme(campus.city, made)
    identity = derived_id("simulated funds", school.programme, day.year)
    fund_programme(campus.city.wallet, identity, school.programme, _BUDGET_FEN)
