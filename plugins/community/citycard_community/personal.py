"""The personal data that communities keep: handed over to the holder of a card, and erased on request.

What somebody else is owed, such as a bill that was paid, stays without the card's number. A right that cards
may still carry is taken back, and stays on the terminals' list.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Column, Connection, Table, null, select, update

from citycard.kernel.data import PersonalData
from citycard_community.tables import parking_pass, payment, right, stay, unit, visit

__all__ = ["personal_data"]

# Where a card's number stands, under which word it is handed over, and which columns go with it.
_PLACES: tuple[tuple[str, Table, Column[Any], tuple[str, ...]], ...] = (
    ("unit owned", unit, unit.c.owner, ("community", "building", "room", "area")),
    ("right", right, right.c.asn, ("community", "kind", "zones", "starts_on", "ends_on", "revoked_why")),
    ("visitor invited", visit, visit.c.host, ("day", "unit")),
    ("visit made", visit, visit.c.visitor, ("day", "unit")),
    ("parking pass", parking_pass, parking_pass.c.asn, ("community", "car_park", "space", "month")),
    ("parked", stay, stay.c.asn, ("community", "car_park", "space", "entered_at", "left_at", "amount_fen")),
    ("property fee paid", payment, payment.c.asn, ("bill", "way", "amount_fen", "at")),
)


def personal_data() -> Iterator[PersonalData]:
    """Declare the one kind of personal data: what a card did and may do in its community."""
    yield PersonalData(
        name="community",
        title="Flats, rights, visitors, parking and fees",
        export=_handed_over,
        erase=_erased,
    )


def _handed_over(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    for what, table, card, names in _PLACES:
        for row in conn.execute(select(table).where(card == asn)):
            yield {"what": what, **{name: _plain(getattr(row, name)) for name in names}}


def _erased(conn: Connection, asn: str) -> int:
    if not asn:
        return 0
    taken_back = update(right).where(right.c.asn == asn, right.c.revoked_at.is_(None))
    conn.execute(taken_back.values(revoked_at=dt.datetime(1970, 1, 1), revoked_why="data erased"))  # noqa: DTZ001 - long over
    conn.execute(update(stay).where(stay.c.asn == asn).values(plate=null()))
    return sum(
        conn.execute(update(table).where(card == asn).values({card.name: ""})).rowcount
        for _, table, card, _ in _PLACES
    )


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, dt.date) else value
