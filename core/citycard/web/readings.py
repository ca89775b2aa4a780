"""Who looked at which card: written before the card is shown, and never changed."""

from __future__ import annotations

from datetime import datetime

import attrs
from sqlalchemy import Connection, insert, select

from citycard.web.permissions import Actor, Role
from citycard.web.tables import access_reading

__all__ = ["Reading", "readings", "record_reading"]


@attrs.frozen(kw_only=True)
class Reading:
    """One look at a card: when (UTC), by which token and role, at which page."""

    at: datetime
    token: str
    role: Role
    asn: str
    page: str


def record_reading(conn: Connection, actor: Actor, *, asn: str, page: str, at: datetime) -> None:
    """Record that somebody looks at a card's data."""
    conn.execute(
        insert(access_reading).values(at=at, token=actor.token, role=actor.role.value, asn=asn, page=page)
    )


def readings(conn: Connection, asn: str, *, limit: int = 50) -> list[Reading]:
    """List the latest looks at a card, newest first."""
    table = access_reading
    query = (
        select(table.c.at, table.c.token, table.c.role, table.c.asn, table.c.page)
        .where(table.c.asn == asn)
        .order_by(table.c.seq.desc())
        .limit(limit)
    )
    return [
        Reading(at=row.at, token=row.token, role=Role(row.role), asn=row.asn, page=row.page)
        for row in conn.execute(query)
    ]
