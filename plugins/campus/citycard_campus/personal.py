"""Personal data that campus keeps: handed over, and erased where no account needs it.

What pots paid stays, as every posting does; it names a card and nobody. A sealed name is opened by the
city's pages alone and is not in what is handed over here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, delete, select, update

from citycard.kernel.data import PersonalData
from citycard_campus.tables import absence, lesson, loan, presence, pupil

__all__ = ["PERSONAL_DATA"]

_SHOWN = ("student_no", "role", "group", "until", "day_limit_fen", "left_on", "left_why")


def _numbers(conn: Connection, asn: str) -> list[int]:
    return list(conn.scalars(select(pupil.c.number).where(pupil.c.asn == asn, pupil.c.name != b"")))


def _enrolments(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    for row in conn.execute(select(pupil).where(pupil.c.asn == asn, pupil.c.name != b"")):
        yield {"enrolment": row.number} | {name: str(getattr(row, name)) for name in _SHOWN}
    for number in conn.scalars(select(pupil.c.number).where(pupil.c.guardian == asn)):
        yield {"guardian of enrolment": number}


def _erase_enrolments(conn: Connection, asn: str) -> int:
    done = 0
    for number in _numbers(conn, asn):
        gone = {"name": b"", "student_no": f"erased {number}", "group": "", "guardian": ""}
        conn.execute(update(pupil).where(pupil.c.number == number), gone)
        done += 1
    return done + conn.execute(update(pupil).where(pupil.c.guardian == asn), {"guardian": ""}).rowcount


def _days(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    for table, word in ((presence, "attended"), (absence, "missed")):
        query = (
            select(table.c.day, lesson.c.title)
            .join(lesson, lesson.c.id == table.c.lesson)
            .join(pupil, pupil.c.number == table.c.pupil)
            .where(pupil.c.asn == asn)
            .order_by(table.c.day, lesson.c.begins)
        )
        for row in conn.execute(query):
            yield {word: row.title, "day": row.day.isoformat()}


def _erase_days(conn: Connection, asn: str) -> int:
    mine = select(pupil.c.number).where(pupil.c.asn == asn)
    return sum(
        conn.execute(delete(table).where(table.c.pupil.in_(mine))).rowcount for table in (presence, absence)
    )


def _loans(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    query = select(loan).join(pupil, pupil.c.number == loan.c.pupil).where(pupil.c.asn == asn)
    for row in conn.execute(query.order_by(loan.c.id)):
        yield {"lent": row.item, "at": row.lent_at.isoformat(), "due": row.due.isoformat()}


def _erase_loans(conn: Connection, asn: str) -> int:
    """Forget what came back; what is out is still asked for."""
    mine = select(pupil.c.number).where(pupil.c.asn == asn)
    return conn.execute(delete(loan).where(loan.c.pupil.in_(mine), loan.c.back_at.is_not(None))).rowcount


# What names somebody by card is forgotten last.
PERSONAL_DATA = (
    PersonalData(name="attendance", title="Lessons", export=_days, erase=_erase_days),
    PersonalData(name="loans", title="Library loans", export=_loans, erase=_erase_loans),
    PersonalData(name="enrolments", title="Enrolments", export=_enrolments, erase=_erase_enrolments),
)
