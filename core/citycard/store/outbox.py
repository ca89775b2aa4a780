"""Events wait here from the transaction that caused them until somebody has heard them."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import attrs
from sqlalchemy import JSON, Column, Connection, Index, String, Table, insert, select, update

from citycard.store.metadata import SerialNumber, UtcTime, metadata

__all__ = ["Message", "mark_delivered", "outbox", "publish", "undelivered"]

outbox = Table(
    "outbox",
    metadata,
    Column("seq", SerialNumber, primary_key=True, autoincrement=True),
    Column("topic", String(100), nullable=False),
    Column("body", JSON, nullable=False),
    Column("published_at", UtcTime, nullable=False),
    Column("delivered_at", UtcTime),
    sqlite_autoincrement=True,
)
Index(
    "ix_outbox_waiting",
    outbox.c.seq,
    sqlite_where=outbox.c.delivered_at.is_(None),
    postgresql_where=outbox.c.delivered_at.is_(None),
)


@attrs.frozen(kw_only=True)
class Message:
    """An event that was committed: its number, its topic (``wallet.load-proven``) and its body."""

    seq: int
    topic: str
    body: Mapping[str, Any]
    published_at: datetime


def publish(
    conn: Connection, topic: str, bodies: Iterable[Mapping[str, Any]], *, at: datetime | None = None
) -> int:
    """Write one event per body into the outbox and return how many were written.

    They become visible when the transaction of ``conn`` commits, and never if it does not. Bodies
    must be JSON: amounts as integers of fen, moments as ISO 8601 text.
    """
    moment = at or datetime.now(UTC)
    rows = [{"topic": topic, "body": dict(body), "published_at": moment} for body in bodies]
    if rows:
        conn.execute(insert(outbox), rows)
    return len(rows)


def undelivered(
    conn: Connection, *, limit: int = 1000, topics: Collection[str] | None = None
) -> list[Message]:
    """Return the oldest committed events that nobody has marked as delivered, in order of their number.

    ``topics`` leaves out all others. What is left out waits and holds nothing up.
    On PostgreSQL a lower number may be committed after a higher one. Nothing is lost by that, because
    delivery is remembered for each event and not as a position.
    """
    query = (
        select(outbox.c.seq, outbox.c.topic, outbox.c.body, outbox.c.published_at)
        .where(outbox.c.delivered_at.is_(None))
        .order_by(outbox.c.seq)
        .limit(limit)
    )
    if topics is not None:
        query = query.where(outbox.c.topic.in_(topics))
    return [
        Message(seq=row.seq, topic=row.topic, body=row.body, published_at=row.published_at)
        for row in conn.execute(query)
    ]


def mark_delivered(conn: Connection, messages: Iterable[Message], *, at: datetime | None = None) -> None:
    """Remember that these events were heard; one that is marked twice keeps its first moment."""
    numbers = [message.seq for message in messages]
    moment = at or datetime.now(UTC)
    for start in range(0, len(numbers), 5000):
        conn.execute(
            update(outbox)
            .where(outbox.c.seq.in_(numbers[start : start + 5000]), outbox.c.delivered_at.is_(None))
            .values(delivered_at=moment)
        )
