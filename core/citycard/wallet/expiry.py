"""Give back what was held for loads of which no card told the end within the time that the city allows."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from uuid import UUID

import attrs
from sqlalchemy import Connection

from citycard.ledger.ledger import Ledger
from citycard.store.engine import reading, writing
from citycard.wallet.load import Load, LoadMoney, LoadState, Proof
from citycard.wallet.loadbook import expired_cards, hold_card, loads_of, write_loads
from citycard.wallet.loadmoney import give_back
from citycard.wallet.orders import refund_order
from citycard.wallet.payer import PayerKind

__all__ = ["expire_loads"]


def expire_loads(ledger: Ledger, *, before: datetime, at: datetime) -> list[Load]:
    """Give back the money of loads begun before ``before``; ``at`` is now, both local. Return those loads.

    The order that paid for one is refunded. Each card is one transaction: broken off at any point, the next
    call goes on. A load stays open all the same: a card that shows it later is right.
    """
    with reading(ledger.engine) as conn:
        cards = expired_cards(conn, before)
    expired = []
    for asn in cards:
        with writing(ledger.engine) as conn:
            hold_card(conn, asn)
            expired += _expire(conn, ledger, asn, before, at)
    return expired


def _expire(conn: Connection, ledger: Ledger, asn: str, before: datetime, at: datetime) -> list[Load]:
    sharing: dict[UUID | None, list[Load]] = defaultdict(list)
    for one in loads_of(conn, asn):
        if one.money is LoadMoney.HELD and one.open:
            sharing[one.hold].append(one)
    # A later attempt that stands on the same hold keeps it.
    over = [one for loads in sharing.values() if max(each.at for each in loads) <= before for one in loads]
    returned = [
        attrs.evolve(one, state=LoadState.REVERSED, proof=Proof.NONE)
        for one in give_back(conn, ledger, over, at)
    ]
    write_loads(conn, returned)
    for one in returned:
        if one.payer.kind is PayerKind.ORDER:
            days = (at - one.at).days
            refund_order(conn, ledger, UUID(one.payer.name), f"its load was not seen done for {days} days")
    return returned
