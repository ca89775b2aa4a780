"""An account's way through a period: what it held before and after, and the transfers between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from citycard.errors import AccountMissing
from citycard.ledger.chart import Side
from citycard.ledger.history import number_at
from citycard.ledger.records import PostedTransfer
from citycard.store import reading

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city.city import City
    from citycard.city.statements.records import Period

__all__ = ["Passage", "passage"]


@attrs.frozen(kw_only=True)
class Passage:
    """An account in a period, up to the transfer with the number ``last``: what comes later is not in it."""

    city: City = attrs.field(repr=False)
    address: str
    since: datetime
    until: datetime
    last: int
    side: Side
    opening_fen: int
    closing_fen: int

    def transfers(self, conn: Connection) -> list[PostedTransfer]:
        """Give what moved money in the period, oldest first."""
        return list(self._moved(conn))

    def streamed(self) -> Iterator[PostedTransfer]:
        """Give the same bit by bit, for accounts of any size, from a connection of its own."""
        with reading(self.city.engine) as conn:
            yield from self._moved(conn)

    def _moved(self, conn: Connection) -> Iterator[PostedTransfer]:
        for posted in self.city.ledger.transfers_between(conn, self.address, self.since, self.until):
            if posted.posted_seq > self.last:
                return
            if posted.transfer.kind.moves:
                yield posted


def passage(conn: Connection, city: City, address: str, period: Period) -> Passage | None:
    """Look at an account in a period; None when nobody opened it."""
    since, until = period.moments(city.timezone)
    try:
        return Passage(
            city=city,
            address=address,
            since=since,
            until=until,
            last=number_at(conn, until),
            side=city.ledger.balance(conn, address).side,
            opening_fen=city.ledger.balance_at(conn, address, since),
            closing_fen=city.ledger.balance_at(conn, address, until),
        )
    except AccountMissing:
        return None
