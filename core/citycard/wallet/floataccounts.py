"""Below a line of the float: the accounts with one code, and what each held at a past moment."""

from __future__ import annotations

from datetime import datetime

import attrs
from sqlalchemy import Connection, select

from citycard.ledger.ledger import Ledger
from citycard.ledger.tables import account

__all__ = ["AccountLine", "accounts_at"]


@attrs.frozen(kw_only=True)
class AccountLine:
    """An account and its posted balance at a moment, in fen on its own side."""

    address: str
    owner: str
    balance_fen: int


def accounts_at(
    conn: Connection, ledger: Ledger, code: int, at: datetime, *, after: str = "", limit: int = 50
) -> list[AccountLine]:
    """Give the accounts with a code that were open at a moment (aware), by address.

    At most ``limit``, beginning after the address ``after``: what was given last leads to the next ones.
    """
    query = (
        select(account.c.address, account.c.owner)
        .where(account.c.code == code, account.c.address > after, account.c.opened_at <= at)
        .order_by(account.c.address)
        .limit(limit)
    )
    return [
        AccountLine(
            address=row.address, owner=row.owner, balance_fen=ledger.balance_at(conn, row.address, at)
        )
        for row in conn.execute(query).all()
    ]
