"""Who opened which door: read from the records of 0 fen that doors handed in and clearing accepted."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Connection, select

from citycard.store import reading
from citycard.store.bulk import select_in
from citycard_community.fees import DOOR
from citycard_community.sectors import RightKind
from citycard_community.services import NUMBERS
from citycard_community.settings import Community, Door
from citycard_community.tables import right, visit

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.records import ClearedRecord

__all__ = ["DoorOpening", "own_cards", "read_openings", "without_others"]

_CONDITIONS = (
    "service = $service",
    "state = 'accepted'",
    "terminal IN (SELECT unnest($terminals::VARCHAR[]))",
    '"at" >= $since',
    '"at" < $until',
)


@attrs.frozen(kw_only=True)
class DoorOpening:
    """A door that was opened: when, by which card (empty where it is not shown), by which kind of right."""

    record: str
    at: dt.datetime
    door: str
    card: str
    kind: str


def read_openings(
    city: City, community: Community, doors: Iterable[Door], since: dt.date, until: dt.date, limit: int = 1000
) -> tuple[DoorOpening, ...]:
    """Read the openings of doors from a day until another, both included, the newest first."""
    from citycard.clearing.records import select_cleared

    named = {door.terminal: door for door in doors}
    values = {
        "service": NUMBERS[DOOR],
        "terminals": sorted(named),
        "since": dt.datetime.combine(since, dt.time()),
        "until": dt.datetime.combine(until + dt.timedelta(days=1), dt.time()),
    }
    with reading(city.engine) as conn:
        records = select_cleared(city, conn, _CONDITIONS, values, limit=limit)
        kinds = _kinds(conn, community, records)
    return tuple(
        DoorOpening(
            record=one.id,
            at=one.at,
            door=named[one.id.partition("-")[0]].id,
            card=one.card,
            kind=kinds.get(one.id, ""),
        )
        for one in sorted(records, key=lambda one: (one.at, one.id), reverse=True)
    )


def own_cards(conn: Connection, asn: str) -> frozenset[str]:
    """Give the cards whose openings a resident sees: the own one, and those of the own visitors."""
    return frozenset({asn, *conn.scalars(select(visit.c.visitor).where(visit.c.host == asn))} - {""})


def without_others(openings: Iterable[DoorOpening], own: frozenset[str]) -> tuple[DoorOpening, ...]:
    """Leave out which card it was where it is not one of the own."""
    return tuple(one if one.card in own else attrs.evolve(one, card="") for one in openings)


def _kinds(conn: Connection, community: Community, records: list[ClearedRecord]) -> dict[str, str]:
    """Say by which kind of right each card opened: the earliest given of those that held."""
    query = select(right.c.asn, right.c.id, right.c.kind, right.c.starts_on, right.c.ends_on).where(
        right.c.community == community.id, right.c.kind != int(RightKind.PARKING)
    )
    held = sorted(
        select_in(conn, query, right.c.asn, sorted({one.card for one in records})), key=lambda row: row.id
    )
    found = {}
    for one in records:
        for row in held:
            if row.asn == one.card and row.starts_on <= one.at.date() <= row.ends_on:
                found[one.id] = RightKind(row.kind).name.lower()
                break
    return found
