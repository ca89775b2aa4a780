"""What was done to a card without changing its status: personalised, activated, renewed, updated."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import attrs
from sqlalchemy import Connection, select

from citycard.registry import tables
from citycard.store.bulk import insert_rows

__all__ = ["CardEvent", "card_events", "note_events"]


@attrs.frozen(kw_only=True)
class CardEvent:
    """One thing that was done to a card, by whom and when; ``at`` is aware UTC."""

    asn: str
    what: str
    detail: str
    actor: str
    at: datetime


def note_events(
    conn: Connection, asns: Sequence[str], what: str, detail: str = "", *, actor: str, at: datetime
) -> None:
    """Write down that the same was done to each of these cards; it cannot be changed afterwards."""
    rows = [(asn, what, detail, actor, at) for asn in asns]
    insert_rows(conn, tables.card_event, ("asn", "what", "detail", "actor", "at"), rows)


def card_events(conn: Connection, asn: str) -> list[CardEvent]:
    """Give everything that was done to a card, oldest first."""
    table = tables.card_event
    rows = conn.execute(select(table).where(table.c.asn == asn).order_by(table.c.seq))
    return [
        CardEvent(asn=row.asn, what=row.what, detail=row.detail, actor=row.actor, at=row.at) for row in rows
    ]
