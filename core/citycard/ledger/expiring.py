"""Holds that end by themselves: the ledger lets them go before it judges anything else."""

from __future__ import annotations

from datetime import datetime

import attrs
from sqlalchemy import Connection, select

from citycard.ids import derived_id, new_id
from citycard.ledger.history import posted_transfers
from citycard.ledger.records import Kind, Transfer
from citycard.ledger.tables import hold, request
from citycard.store.bulk import select_in

__all__ = ["due_expiries"]

#: At most so many in one call; the next call goes on with what is left.
_LIMIT = 5000


def due_expiries(conn: Connection, now: datetime) -> list[Transfer]:
    """Give the transfers that end the holds whose time is over, oldest first."""
    due = select(hold.c.id).where(hold.c.state == "pending", hold.c.expires_at <= now)
    ids = list(conn.scalars(due.order_by(hold.c.expires_at, hold.c.posted_seq).limit(_LIMIT)))
    held = {found.transfer.id: found for found in posted_transfers(conn, ids=ids)}
    wanted = [_expiry(held[identity].transfer, held[identity].posted_at) for identity in ids]
    # Anybody can compute these ids. Who used one for something else must not keep a hold from ending.
    taken = {
        row.id for row in select_in(conn, select(request.c.id), request.c.id, [one.id for one in wanted])
    }
    return [attrs.evolve(one, id=new_id()) if one.id in taken else one for one in wanted]


def _expiry(held: Transfer, posted_at: datetime) -> Transfer:
    assert held.expires_at is not None
    # The ledger knows no time zone: the local time of the end is as far from the beginning as it lasted.
    ended = held.event_time + (held.expires_at - posted_at)
    return attrs.evolve(
        held,
        id=derived_id("expiry", held.id),
        kind=Kind.EXPIRE,
        pending_id=held.id,
        expires_at=None,
        event_time=ended.replace(microsecond=0),
        business_date=ended.date(),
        group=None,
        limits=(),
    )
