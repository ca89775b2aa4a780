"""Rights of holders and of cards: who vouches for them, from when and until when."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Select, and_, or_, select, update

from citycard.errors import RegistryMissing
from citycard.ids import derived_id
from citycard.registry.adding import require
from citycard.registry.records import Entitlement
from citycard.registry.tables import card, entitlement, holder
from citycard.store.bulk import insert_missing, select_in

__all__ = [
    "add_entitlements",
    "carry_entitlements",
    "end_entitlement",
    "entitlement_id",
    "entitlements_of",
    "entitlements_on",
]

_COLUMNS = ("name", "source", "starts_on", "ends_on", "asn", "holder")


def entitlement_id(record: Entitlement) -> UUID:
    """Give the id of an entitlement: it follows from whose it is, its name, its source and its first day."""
    return derived_id("entitlement", record.asn, record.holder, record.name, record.source, record.starts_on)


def add_entitlements(conn: Connection, records: Sequence[Entitlement]) -> int:
    """Add entitlements and return how many are new; the end of one that is there is not touched.

    Raise RegistryMissing when its card or holder does not exist.
    """
    require(conn, card, [record.asn for record in records if record.asn is not None])
    require(conn, holder, [record.holder for record in records if record.holder is not None])
    rows = [
        {"id": entitlement_id(record), **{name: getattr(record, name) for name in _COLUMNS}}
        for record in records
    ]
    return insert_missing(conn, entitlement, rows)


def end_entitlement(conn: Connection, record: Entitlement, *, ends_on: date) -> None:
    """End an entitlement with a day, inclusive; raise RegistryMissing when it is not there."""
    key = entitlement_id(record)
    if conn.execute(update(entitlement).where(entitlement.c.id == key).values(ends_on=ends_on)).rowcount == 0:
        raise RegistryMissing(record="entitlement", key=record.name)


def carry_entitlements(conn: Connection, old: str, new: str, *, on: date) -> int:
    """Give a card's own entitlements that hold on a day to another card, from that day; return how many."""
    query = select(entitlement).where(
        entitlement.c.asn == old,
        or_(entitlement.c.ends_on.is_(None), entitlement.c.ends_on >= on),
    )
    rows = conn.execute(query).all()
    carried = [
        Entitlement(
            name=row.name,
            source=row.source,
            starts_on=max(on, row.starts_on),
            ends_on=row.ends_on,
            asn=new,
        )
        for row in rows
    ]
    return add_entitlements(conn, carried)


def entitlements_of(conn: Connection, asn: str, *, on: date) -> frozenset[str]:
    """Give the names of a card's entitlements on a day: its own and those of its holder."""
    return entitlements_on(conn, [asn], on=on).get(asn, frozenset())


def entitlements_on(conn: Connection, asns: Sequence[str] | None, *, on: date) -> dict[str, frozenset[str]]:
    """Give the entitlements of many cards on a day, by ASN; of all cards when ``asns`` is None.

    Cards without any are left out.
    """
    valid = and_(
        entitlement.c.starts_on <= on, or_(entitlement.c.ends_on.is_(None), entitlement.c.ends_on >= on)
    )
    own = select(entitlement.c.asn, entitlement.c.name).where(valid, entitlement.c.asn.is_not(None))
    held = (
        select(card.c.asn, entitlement.c.name)
        .join(entitlement, entitlement.c.holder == card.c.holder)
        .where(valid)
    )
    names: dict[str, set[str]] = defaultdict(set)
    for query, column in ((own, entitlement.c.asn), (held, card.c.asn)):
        for row in _rows(conn, query, column, asns):
            names[row.asn].add(row.name)
    return {asn: frozenset(found) for asn, found in names.items()}


def _rows(conn: Connection, query: Select[Any], column: Any, asns: Sequence[str] | None) -> Any:
    return conn.execute(query) if asns is None else select_in(conn, query, column, asns)
