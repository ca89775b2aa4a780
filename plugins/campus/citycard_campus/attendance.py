"""Lessons: the timetable as data, who was there, and telling guardians at once who was not.

A room's terminal that has a line tells a presence when the card is tapped; one that has none hands its
records in, and clearing brings them (``settling``). A pupil who was told missing and was there is taken back.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.errors import CitycardError
from citycard.store import publish, writing
from citycard_campus.csvfiles import BadLine, day, rows
from citycard_campus.errors import LessonUnknown, PupilUnknown
from citycard_campus.events import ABSENCE_TAKEN_BACK, LESSON_MISSED
from citycard_campus.roll import Pupil, find_pupil, pupils_of
from citycard_campus.settings import hour
from citycard_campus.tables import absence, lesson, presence, pupil

if TYPE_CHECKING:
    from citycard_campus.campus import Campus
    from citycard_campus.cleared import ClearedUse

__all__ = [
    "COLUMNS",
    "Absence",
    "Lesson",
    "Presence",
    "TimetableReport",
    "absences_of",
    "attend",
    "import_timetable",
    "lesson_for",
    "lessons_on",
    "note_presences",
    "presences_of",
    "tell_missing",
]

COLUMNS = ("school", "class", "weekday", "begins", "ends", "room", "title", "from", "until")
EARLIEST = dt.timedelta(minutes=20)
"""So long before a lesson a tap is one for it."""
_KEY = ("school", "group", "weekday", "begins", "first_day")
_U2 = 0xFFFF


@attrs.frozen(kw_only=True)
class Lesson:
    """A lesson of the timetable, held every week from ``first_day`` through ``last_day``; Monday is 1."""

    id: int
    school: int
    group: str
    weekday: int
    begins: str
    ends: str
    room: int
    title: str
    first_day: dt.date
    last_day: dt.date


@attrs.frozen(kw_only=True)
class Presence:
    """A pupil who was in a lesson, and when the card was tapped."""

    pupil: int
    lesson: int
    day: dt.date
    at: dt.datetime


@attrs.frozen(kw_only=True)
class Absence:
    """A lesson that a pupil missed; ``taken_back_at`` when it turned out otherwise."""

    pupil: int
    lesson: int
    day: dt.date
    title: str
    begins: str
    told_at: dt.datetime
    taken_back_at: dt.datetime | None


@attrs.frozen(kw_only=True)
class TimetableReport:
    """What came of a file: lessons added, changed, known before, and the lines that were left out."""

    added: int
    changed: int
    known: int
    bad: tuple[BadLine, ...]


def import_timetable(campus: Campus, text: str, *, file: str) -> TimetableReport:
    """Take over a timetable in CSV; bad lines are told, the others taken; again without harm."""
    counts = {"added": 0, "changed": 0, "known": 0}
    bad: list[BadLine] = []
    seen: dict[tuple[object, ...], int] = {}
    with writing(campus.engine) as conn:
        for line, row in rows(text, COLUMNS, file=file):
            try:
                wanted = _wanted(campus, row)
            except (CitycardError, ValueError) as wrong:
                bad.append(BadLine(line=line, reason=str(wrong)))
                continue
            key = {name: wanted[name] for name in _KEY}
            first = seen.setdefault(tuple(key.values()), line)
            if first != line:
                bad.append(BadLine(line=line, reason=f"the class has a lesson then in line {first} already"))
                continue
            counts[_take_over(conn, key, wanted)] += 1
    return TimetableReport(**counts, bad=tuple(bad))


def lessons_on(campus: Campus, conn: Connection, on: dt.date) -> list[Lesson]:
    """Give the lessons of a day, by when they begin; none of a school that is free."""
    found = conn.execute(
        select(lesson)
        .where(lesson.c.weekday == on.isoweekday(), lesson.c.first_day <= on, lesson.c.last_day >= on)
        .order_by(lesson.c.begins, lesson.c.id)
    )
    free = {one.number for one in campus.settings.schools if on.isoformat() in one.free_days}
    return [made for made in map(_lesson, found) if made.school not in free]


def attend(campus: Campus, conn: Connection, one: Pupil, room: int, at: dt.datetime) -> Lesson:
    """Note that a pupil is in a room for the lesson there; the first tap counts. Raise LessonUnknown."""
    held = lesson_for(campus, conn, one.school, one.group, room, at)
    _present(conn, one, held, at)
    return held


def lesson_for(
    campus: Campus, conn: Connection, school: int, group: str, room: int, at: dt.datetime
) -> Lesson:
    """Give the lesson that a class has in a room, from some minutes before it begins; LessonUnknown."""
    for held in lessons_on(campus, conn, at.date()):
        begins, ends = (dt.datetime.combine(at.date(), hour(text)) for text in (held.begins, held.ends))
        mine = (held.school, held.group, held.room) == (school, group, room)
        if mine and begins - EARLIEST <= at < ends:
            return held
    raise LessonUnknown(group=group or "(none)", room=room, at=f"{at:%Y-%m-%d %H:%M}")


def note_presences(campus: Campus, conn: Connection, records: Iterable[ClearedUse]) -> None:
    """Note what records say that a room handed in later; one for no lesson says nothing."""
    for record in records:
        try:
            attend(campus, conn, find_pupil(conn, record.facts.pupil), record.facts.place, record.at)
        except (LessonUnknown, PupilUnknown):
            continue


def tell_missing(campus: Campus) -> int:
    """Tell whoever is not in a lesson that began; each pupil and lesson once; return how many were new."""
    now = campus.now()
    grace = dt.timedelta(minutes=campus.settings.grace_minutes)
    told = 0
    with writing(campus.engine) as conn:
        for held in lessons_on(campus, conn, now.date()):
            if dt.datetime.combine(now.date(), hour(held.begins)) + grace <= now:
                told += _tell(conn, held, now)
    return told


def presences_of(conn: Connection, number: int, *, limit: int = 100) -> list[Presence]:
    """Give the lessons a pupil was in, newest first."""
    query = select(presence).where(presence.c.pupil == number).order_by(presence.c.at.desc()).limit(limit)
    return [Presence(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def absences_of(conn: Connection, *numbers: int, limit: int = 100) -> list[Absence]:
    """Give the lessons that pupils missed, newest first."""
    query = (
        select(absence, lesson.c.title, lesson.c.begins)
        .join(lesson, lesson.c.id == absence.c.lesson)
        .where(absence.c.pupil.in_(numbers))
        .order_by(absence.c.day.desc(), lesson.c.begins.desc(), absence.c.pupil)
        .limit(limit)
    )
    fields = [field.name for field in attrs.fields(Absence)]
    return [Absence(**{name: getattr(row, name) for name in fields}) for row in conn.execute(query)]


def _take_over(conn: Connection, key: Mapping[str, Any], wanted: Mapping[str, Any]) -> str:
    same = [lesson.c[name] == value for name, value in key.items()]
    known = conn.execute(select(lesson).where(*same)).one_or_none()
    if known is None:
        conn.execute(insert(lesson), dict(wanted))
        return "added"
    if _lesson(known) == Lesson(id=known.id, **wanted):
        return "known"
    conn.execute(update(lesson).where(lesson.c.id == known.id), dict(wanted))
    return "changed"


def _tell(conn: Connection, held: Lesson, now: dt.datetime) -> int:
    day = now.date()
    mine = (pupil.c.school == held.school, pupil.c.group == held.group, pupil.c.role == "pupil")
    there, told = (
        set(conn.scalars(select(table.c.pupil).where(table.c.lesson == held.id, table.c.day == day)))
        for table in (presence, absence)
    )
    missing = [one for one in pupils_of(conn, *mine) if one.enrolled(day) and one.number not in there | told]
    for one in missing:
        row = {"pupil": one.number, "lesson": held.id, "day": day, "told_at": now}
        conn.execute(insert(absence), row | {"guardian": one.guardian})
    publish(conn, LESSON_MISSED, [_missed(one, held, day) for one in missing])
    return len(missing)


def _missed(one: Pupil, held: Lesson, on: dt.date) -> dict[str, Any]:
    return {
        "pupil": one.number,
        "card": one.asn,
        "guardian": one.guardian,
        "lesson": held.id,
        "title": held.title,
        "day": on.isoformat(),
        "begins": held.begins,
    }


def _present(conn: Connection, one: Pupil, held: Lesson, at: dt.datetime) -> None:
    key = {"pupil": one.number, "lesson": held.id, "day": at.date()}

    def mine(table: Any) -> list[Any]:
        return [table.c[name] == value for name, value in key.items()]

    if conn.execute(select(presence.c.at).where(*mine(presence))).first() is not None:
        return
    conn.execute(insert(presence), key | {"at": at})
    open_absence = [*mine(absence), absence.c.taken_back_at.is_(None)]
    if conn.execute(update(absence).where(*open_absence), {"taken_back_at": at}).rowcount:
        body = {"pupil": one.number, "guardian": one.guardian, "lesson": held.id}
        more = {"day": at.date().isoformat(), "at": at.isoformat()}
        publish(conn, ABSENCE_TAKEN_BACK, [body | more])


def _wanted(campus: Campus, row: Mapping[str, str]) -> dict[str, Any]:
    school = campus.settings.school(row["school"]).number
    numbers = {"weekday": 7, "room": _U2}
    for name, most in numbers.items():
        if not (row[name].isascii() and row[name].isdigit() and 1 <= int(row[name][:6]) <= most):
            msg = f"{name} is {row[name]!r}: expected a number from 1 to {most}"
            raise ValueError(msg)
    hours = {name: _hour(row[name], name) for name in ("begins", "ends")}
    if hours["ends"] <= hours["begins"]:
        msg = f"ends is {hours['ends']}: expected an hour after {hours['begins']}"
        raise ValueError(msg)
    for name, most in (("class", 16), ("title", 60)):
        if not 0 < len(row[name]) <= most:
            msg = f"{name} has {len(row[name])} characters: expected 1 to {most}"
            raise ValueError(msg)
    first, last = day(row["from"], "from"), day(row["until"], "until")
    if last < first:
        msg = f"until is {last}: expected a day not before {first}"
        raise ValueError(msg)
    return {
        "school": school,
        "group": row["class"],
        "weekday": int(row["weekday"]),
        **hours,
        "room": int(row["room"]),
        "title": row["title"],
        "first_day": first,
        "last_day": last,
    }


def _hour(text: str, field: str) -> str:
    try:
        return f"{hour(text):%H:%M}"
    except ValueError:
        msg = f"{field} is {text!r}: expected an hour such as 08:00"
        raise ValueError(msg) from None


def _lesson(row: Any) -> Lesson:
    return Lesson(**row._mapping)  # noqa: SLF001 - a Row's own way
