"""The citizen's own file: what stands of each field and who told it, and everybody who read it.

What is opened here is written down first, in the same transaction that reads it: who, for which department,
why, and which fields. The citizen sees those lines beside the core's own, of who looked at the card.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, inspect, select

from citycard.errors import Phrase
from citycard.kernel.outside import PUBLIC
from citycard.store import reading, writing
from citycard.web.readings import readings
from citycard.web.tables import access_reading
from citycard_egov.errors import EgovInvalid, ReadingRefused
from citycard_egov.office import Office
from citycard_egov.tables import card, conflict, reading_log, standing, told

__all__ = [
    "FileReader",
    "Reading",
    "ResidentFile",
    "StandingField",
    "read_file",
    "readings_of",
    "write_reading",
]

_LONGEST = 200
_NEWEST = 200


@attrs.frozen(kw_only=True)
class FileReader:
    """Who reads: the person or program, the department (empty for the citizen), and why."""

    name: str
    department: str
    why: str


@attrs.frozen(kw_only=True)
class StandingField:
    """A field of a file: its value, who told it, of which day it is, and whether that is in dispute."""

    name: str
    title: str
    title_zh: str
    value: str
    source: str
    day: dt.date
    disputed: bool


@attrs.frozen(kw_only=True)
class ResidentFile:
    """What stands in the register about a person."""

    resident: UUID
    fields: tuple[StandingField, ...]

    def value(self, name: str) -> str:
        """Give the value of a field, empty when nothing stands."""
        return next((one.value for one in self.fields if one.name == name), "")


@attrs.frozen(kw_only=True)
class Reading:
    """One time that somebody read a file, or looked at the card (then ``fields`` names the page)."""

    at: dt.datetime
    reader: str
    department: str
    why: str
    fields: tuple[str, ...]


def read_file(
    office: Office, who: UUID, reader: FileReader, fields: Sequence[str] | None = None
) -> ResidentFile:
    """Open fields of a file (None is all of them) for a reader, who is on the disk before.

    Raise ReadingRefused without a name or a reason, EgovInvalid for a field that the register has not.
    """
    with writing(office.engine) as conn:
        return open_file(conn, office, who, reader, fields)


def open_file(
    conn: Connection, office: Office, who: UUID, reader: FileReader, fields: Sequence[str] | None = None
) -> ResidentFile:
    """Do what ``read_file`` does in the transaction of ``conn``: commit before showing anything."""
    wanted = [one.name for one in office.settings.fields] if fields is None else list(fields)
    for name in wanted:
        if office.settings.field(name) is None:
            known = ", ".join(one.name for one in office.settings.fields)
            raise EgovInvalid(field="fields", value=name, expected=Phrase("some of {known}", known=known))
    write_reading(conn, office, who, reader, wanted)
    query = (
        select(told.c.field, told.c.value_sealed, told.c.source, told.c.day)
        .join(standing, standing.c.told == told.c.seq)
        .where(standing.c.resident == who)
    )
    rows = {row.field: row for row in conn.execute(query)}
    disputed = set(
        conn.scalars(
            select(conflict.c.field).where(conflict.c.resident == who, conflict.c.settled_at.is_(None))
        )
    )
    return ResidentFile(
        resident=who,
        fields=tuple(
            StandingField(
                name=one.name,
                title=one.title,
                title_zh=one.title_zh,
                value=office.open(f"{who}/{one.name}", rows[one.name].value_sealed),
                source=rows[one.name].source,
                day=rows[one.name].day,
                disputed=one.name in disputed,
            )
            for one in office.settings.fields
            if one.name in wanted and one.name in rows
        ),
    )


def write_reading(
    conn: Connection, office: Office, who: UUID, reader: FileReader, fields: Sequence[str]
) -> None:
    """Write down that fields of a file are read or handed out; raise ReadingRefused."""
    for what, value in (("the reader's name", reader.name), ("why it is read", reader.why)):
        if not 0 < len(value.strip()) <= _LONGEST:
            raise ReadingRefused(
                reason=Phrase("{what} is needed, in 1 to {longest} characters", what=what, longest=_LONGEST)
            )
    row = {
        "resident": who,
        "at": office.now(),
        "reader": reader.name.strip()[:100],
        "department": reader.department,
        "why": reader.why.strip(),
        "fields": list(fields),
    }
    conn.execute(insert(reading_log), row)


def readings_of(office: Office, who: UUID) -> list[Reading]:
    """List who read a person's file or looked at one of the cards, newest first, at most 200."""
    with reading(office.engine) as conn:
        mine = select(reading_log).where(reading_log.c.resident == who)
        rows = conn.execute(mine.order_by(reading_log.c.seq.desc()).limit(_NEWEST)).all()
        cards = list(conn.scalars(select(card.c.asn).where(card.c.resident == who)))
        # Where no server ever ran there is no such table, and nobody looked at a page.
        served = inspect(conn).has_table(access_reading.name)
        looks = [one for asn in cards if served for one in readings(conn, asn, limit=_NEWEST)]
    found = [
        Reading(
            at=row.at, reader=row.reader, department=row.department, why=row.why, fields=tuple(row.fields)
        )
        for row in rows
    ]
    found += [
        Reading(
            at=one.at.astimezone(office.city.timezone).replace(tzinfo=None, microsecond=0),
            reader=f"{one.role.value} {one.token}".strip(),
            department="",
            why=Phrase("looked at card {asn}", asn=one.asn),
            fields=(one.page or PUBLIC,),
        )
        for one in looks
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)[:_NEWEST]
