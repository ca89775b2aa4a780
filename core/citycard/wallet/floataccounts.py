"""Below a line of the float: the accounts with one code, and what each held at a past moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from uuid import UUID

import attrs
from sqlalchemy import ColumnElement, Connection, func, select

from citycard.ledger.chart import Side
from citycard.ledger.history import number_at
from citycard.ledger.records import Kind
from citycard.ledger.tables import account, balance, ledger, transfer

__all__ = ["AccountLine", "accounts_at"]

_MOVING = [kind for kind in Kind if kind.moves]


@attrs.frozen(kw_only=True)
class AccountLine:
    """An account and its posted balance at a moment, in fen on its own side."""

    address: str
    owner: str
    balance_fen: int


def accounts_at(
    conn: Connection, code: int, at: datetime, *, after: str = "", limit: int = 50
) -> list[AccountLine]:
    """Give the accounts with a code that were open at a moment (aware), by address.

    At most ``limit``, beginning after the address ``after``: what was given last leads to the next ones. All
    of them are read at once, from whichever end of the ledger is nearer to the moment.
    """
    query = (
        select(account.c.id, account.c.address, account.c.owner, account.c.side, balance)
        .join(balance, balance.c.account_id == account.c.id)
        .where(account.c.code == code, account.c.address > after, account.c.opened_at <= at)
        .order_by(account.c.address)
        .limit(limit)
    )
    rows = conn.execute(query).all()
    number, last = number_at(conn, at), conn.scalar(select(ledger.c.posted_seq)) or 0
    later = number * 2 > last
    within = transfer.c.posted_seq > number if later else transfer.c.posted_seq <= number
    moved = _moved(conn, [row.id for row in rows], within)
    lines = []
    for row in rows:
        net_fen = moved.get(row.id, 0)
        if later:
            net_fen = row.dr_posted_fen - row.cr_posted_fen - net_fen
        balance_fen = net_fen if row.side == Side.DEBIT else -net_fen
        lines.append(AccountLine(address=row.address, owner=row.owner, balance_fen=balance_fen))
    return lines


def _moved(conn: Connection, keys: Sequence[UUID], within: ColumnElement[bool]) -> Mapping[UUID, int]:
    """Give debits less credits of each account, of the transfers within a range."""
    net: dict[UUID, int] = {}
    for column, sign in ((transfer.c.dr_account, 1), (transfer.c.cr_account, -1)):
        query = select(column, func.sum(transfer.c.amount_fen)).group_by(column)
        query = query.where(within, column.in_(keys), transfer.c.kind.in_(_MOVING))
        for key, amount_fen in conn.execute(query):
            net[key] = net.get(key, 0) + sign * int(amount_fen)
    return net
