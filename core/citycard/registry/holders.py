"""Holders: people who have cards. What identifies them is sealed, and every reading is written down."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import Connection, insert, select, update

from citycard.errors import RegistryInvalid, RegistryMissing
from citycard.registry.records import Holder, HolderRead
from citycard.registry.sealing import Sealer, open_text, seal_text
from citycard.registry.tables import card, holder, holder_read
from citycard.store.bulk import insert_missing

__all__ = ["add_holders", "assign_card", "holder_reads", "read_holder"]


def add_holders(conn: Connection, records: Sequence[Holder], *, sealer: Sealer) -> int:
    """Add holders, sealed, and return how many are new; one that is there is not touched."""
    rows = [
        {
            "id": record.id,
            "name_sealed": seal_text(sealer, record.id, "name", record.name),
            "id_number_sealed": seal_text(sealer, record.id, "id_number", record.id_number),
        }
        for record in records
    ]
    return insert_missing(conn, holder, rows)


def assign_card(conn: Connection, asn: str, holder_id: UUID | None) -> None:
    """Give a card to a holder, or to nobody; raise RegistryMissing for an unknown card or holder."""
    if holder_id is not None and conn.scalar(select(holder.c.id).where(holder.c.id == holder_id)) is None:
        raise RegistryMissing(record="holder", key=str(holder_id))
    if conn.execute(update(card).where(card.c.asn == asn).values(holder=holder_id)).rowcount == 0:
        raise RegistryMissing(record="card", key=asn)


def read_holder(
    conn: Connection,
    holder_id: UUID,
    *,
    sealer: Sealer,
    reader: str,
    purpose: str,
    at: datetime | None = None,
) -> Holder:
    """Open a holder's personal data, and write down who read it and for what.

    ``reader`` is the person or program that asks, ``purpose`` its reason; neither may be empty. The line
    in the log is committed with the transaction of ``conn``: commit before showing anything. Raise
    RegistryMissing, RegistryInvalid or SealBroken.
    """
    for field, value in (("reader", reader), ("purpose", purpose)):
        if not value.strip():
            raise RegistryInvalid(
                record="holder read",
                key=str(holder_id),
                field=field,
                value=value,
                expected="who reads it and why",
            )
    row = conn.execute(select(holder).where(holder.c.id == holder_id)).one_or_none()
    if row is None:
        raise RegistryMissing(record="holder", key=str(holder_id))
    moment = at or datetime.now(UTC)
    conn.execute(
        insert(holder_read), {"holder": holder_id, "reader": reader, "purpose": purpose, "at": moment}
    )
    return Holder(
        id=holder_id,
        name=open_text(sealer, holder_id, "name", row.name_sealed),
        id_number=open_text(sealer, holder_id, "id_number", row.id_number_sealed),
    )


def holder_reads(conn: Connection, holder_id: UUID) -> list[HolderRead]:
    """Give everybody who read a holder's personal data, oldest first."""
    query = select(holder_read).where(holder_read.c.holder == holder_id).order_by(holder_read.c.seq)
    return [
        HolderRead(holder=row.holder, reader=row.reader, purpose=row.purpose, at=row.at)
        for row in conn.execute(query)
    ]
