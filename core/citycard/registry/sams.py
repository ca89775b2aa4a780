"""The city's SAMs: which there are, at which terminal, with which key versions, and what became of them."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs
from sqlalchemy import Connection, Select, insert, select, update

from citycard.errors import RegistryMissing, SamNumberInvalid, SamRevoked, SamTaken
from citycard.registry import tables
from citycard.store.bulk import insert_missing

__all__ = [
    "Sam",
    "SamChange",
    "SamStatus",
    "add_sam",
    "find_sam",
    "note_sam_keys",
    "require_open",
    "revoke_sam",
    "sam_history",
    "sam_of_terminal",
    "sams",
    "use_sam",
]

_NUMBER = re.compile(r"[0-9]{20}")


class SamStatus(StrEnum):
    """``issued`` until a configuration is signed for its terminal; ``in use``; ``revoked`` for ever."""

    ISSUED = "issued"
    IN_USE = "in use"
    REVOKED = "revoked"


@attrs.frozen(kw_only=True)
class Sam:
    """A SAM. ``number`` has 20 digits, ``terminal`` 12; ``keys`` are the versions it holds by purpose."""

    number: str
    terminal: str
    status: SamStatus = attrs.field(default=SamStatus.ISSUED, converter=SamStatus)
    issued_at: datetime
    revoked_at: datetime | None = None
    keys: Mapping[str, tuple[int, ...]] = attrs.field(factory=dict)

    def __attrs_post_init__(self) -> None:
        if not _NUMBER.fullmatch(self.number):
            raise SamNumberInvalid(number=self.number)


@attrs.frozen(kw_only=True)
class SamChange:
    """One step in the life of a SAM: ``issued``, ``keys``, ``in use``, ``revoked``; ``at`` is aware UTC."""

    sam: str
    what: str
    reason: str
    actor: str
    at: datetime


def add_sam(conn: Connection, sam: Sam, *, actor: str = "") -> Sam:
    """Enter a SAM that is about to be made, again without harm; raise SamTaken for a terminal that has one.

    Raise SamRevoked where that one was revoked. A terminal has one SAM for ever, because its
    signature key goes with its number.
    """
    row = {
        "number": sam.number,
        "terminal": sam.terminal,
        "status": str(sam.status),
        "issued_at": sam.issued_at,
        "revoked_at": sam.revoked_at,
    }
    if insert_missing(conn, tables.sam, [row]):
        _write(conn, sam.number, "issued", "", actor, sam.issued_at)
    held = sam_of_terminal(conn, sam.terminal) or find_sam(conn, sam.number)
    if held.terminal == sam.terminal:
        require_open(held)
    if (held.number, held.terminal) != (sam.number, sam.terminal):
        raise SamTaken(terminal=held.terminal, number=held.number, sam_status=str(held.status))
    return held


def find_sam(conn: Connection, number: str) -> Sam:
    """Give the SAM of a number; raise RegistryMissing."""
    found = _made(conn, select(tables.sam).where(tables.sam.c.number == number))
    if not found:
        raise RegistryMissing(record="sam", key=number)
    return found[0]


def sam_of_terminal(conn: Connection, terminal: str) -> Sam | None:
    """Give the SAM of a terminal, or None."""
    found = _made(conn, select(tables.sam).where(tables.sam.c.terminal == terminal))
    return found[0] if found else None


def sams(conn: Connection, status: SamStatus | None = None) -> list[Sam]:
    """Give all SAMs by number, or those of a status."""
    query = select(tables.sam).order_by(tables.sam.c.number)
    return _made(conn, query if status is None else query.where(tables.sam.c.status == str(status)))


def note_sam_keys(
    conn: Connection, number: str, keys: Iterable[tuple[str, int]], *, at: datetime, actor: str = ""
) -> None:
    """Note which versions of which purposes were loaded into a SAM; those it had are left alone."""
    rows = [
        {"sam": number, "purpose": purpose, "version": version, "loaded_at": at} for purpose, version in keys
    ]
    before = find_sam(conn, number).keys
    new = [row for row in rows if row["version"] not in before.get(str(row["purpose"]), ())]
    if insert_missing(conn, tables.sam_key, new):
        told = ", ".join(f"{row['purpose']} {row['version']}" for row in new)
        _write(conn, number, "keys", told, actor, at)


def use_sam(conn: Connection, number: str, *, at: datetime) -> None:
    """Note that an issued SAM is in use now; nothing happens when it is."""
    fresh = tables.sam.c.status == str(SamStatus.ISSUED)
    moved = (
        update(tables.sam).where(tables.sam.c.number == number, fresh).values(status=str(SamStatus.IN_USE))
    )
    if conn.execute(moved).rowcount:
        _write(conn, number, "in use", "", "", at)


def revoke_sam(conn: Connection, number: str, *, reason: str, at: datetime, actor: str = "") -> Sam:
    """Revoke a SAM for ever; again nothing happens. Raise RegistryMissing."""
    open_still = tables.sam.c.status != str(SamStatus.REVOKED)
    moved = update(tables.sam).where(tables.sam.c.number == number, open_still)
    if conn.execute(moved.values(status=str(SamStatus.REVOKED), revoked_at=at)).rowcount:
        _write(conn, number, "revoked", reason, actor, at)
    return find_sam(conn, number)


def require_open(sam: Sam) -> Sam:
    """Return a SAM that may be worked with; raise SamRevoked for one that may not."""
    if sam.status is SamStatus.REVOKED:
        raise SamRevoked(number=sam.number, terminal=sam.terminal)
    return sam


def sam_history(conn: Connection, number: str) -> list[SamChange]:
    """Give what happened to a SAM, oldest first."""
    table = tables.sam_change
    columns = (table.c.sam, table.c.what, table.c.reason, table.c.actor, table.c.at)
    rows = conn.execute(select(*columns).where(table.c.sam == number).order_by(table.c.seq))
    return [SamChange(**row._mapping) for row in rows]  # noqa: SLF001 - a Row's own way


def _made(conn: Connection, query: Select[Any]) -> list[Sam]:
    rows = conn.execute(query).all()
    held: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    key = tables.sam_key
    wanted = select(key).where(key.c.sam.in_([row.number for row in rows]))
    for one in conn.execute(wanted.order_by(key.c.purpose, key.c.version)):
        held[one.sam][one.purpose].append(one.version)
    return [
        Sam(
            number=row.number,
            terminal=row.terminal,
            status=row.status,
            issued_at=row.issued_at,
            revoked_at=row.revoked_at,
            keys={purpose: tuple(versions) for purpose, versions in held[row.number].items()},
        )
        for row in rows
    ]


def _write(conn: Connection, number: str, what: str, reason: str, actor: str, at: datetime) -> None:
    conn.execute(
        insert(tables.sam_change), {"sam": number, "what": what, "reason": reason, "actor": actor, "at": at}
    )
