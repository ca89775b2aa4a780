"""Who may hand in files of rows: senders, each for one partner, with the key that they sign with."""

from __future__ import annotations

from sqlalchemy import insert, select, update

from citycard.clearing.context import ClearingContext
from citycard.clearing.cover import read_sender_id, read_sender_key
from citycard.clearing.sent import Sender
from citycard.clearing.senttables import sender
from citycard.errors import SenderPartnerUnknown, SenderTaken, SenderUnknown
from citycard.registry.tables import partner as partners
from citycard.store.engine import reading, writing

__all__ = ["close_sender", "find_sender", "known_sender", "open_sender", "senders"]


def open_sender(context: ClearingContext, name: str, partner: str, public_pem: bytes) -> Sender:
    """Let a partner hand in files under an id; the same call again changes nothing.

    Raise SenderIdInvalid, SenderKeyInvalid, SenderPartnerUnknown, or SenderTaken.
    """
    read_sender_id(name)
    key = read_sender_key(public_pem)
    with writing(context.engine) as conn:
        if conn.scalar(select(partners.c.id).where(partners.c.id == partner)) is None:
            raise SenderPartnerUnknown(partner=partner)
        row = conn.execute(select(sender).where(sender.c.id == name)).one_or_none()
        if row is not None and (row.partner, read_sender_key(row.public_key.encode())) != (partner, key):
            raise SenderTaken(sender=name)
        if row is None:
            now = context.clock.now()
            conn.execute(insert(sender).values(id=name, partner=partner, public_key=key, opened_at=now))
        else:
            conn.execute(update(sender).where(sender.c.id == name).values(closed_at=None))
    return find_sender(context, name)


def close_sender(context: ClearingContext, name: str) -> Sender:
    """Take nothing from a sender any more; raise SenderUnknown."""
    found = find_sender(context, name)
    if found.closed_at is None:
        with writing(context.engine) as conn:
            now = context.clock.now()
            conn.execute(update(sender).where(sender.c.id == name).values(closed_at=now))
    return find_sender(context, name)


def find_sender(context: ClearingContext, name: str) -> Sender:
    """Find a sender by its id; raise SenderUnknown."""
    found = known_sender(context, name)
    if found is None:
        raise SenderUnknown(sender=name)
    return found


def known_sender(context: ClearingContext, name: str) -> Sender | None:
    """Find a sender by its id; None when nobody has it."""
    with reading(context.engine) as conn:
        row = conn.execute(select(sender).where(sender.c.id == name)).one_or_none()
    return Sender(**row._mapping) if row else None  # noqa: SLF001 - a Row's own way


def senders(context: ClearingContext) -> list[Sender]:
    """List all senders by id, the closed ones too."""
    with reading(context.engine) as conn:
        rows = conn.execute(select(sender).order_by(sender.c.id)).all()
    return [Sender(**row._mapping) for row in rows]  # noqa: SLF001 - a Row's own way
