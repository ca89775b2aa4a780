"""Online accounts: money of a citizen that lies with the city and not on the card.

An account has the number of the card it was first opened for, for ever. It hangs on one card; when that is
replaced it moves to the successor, and nothing about its money changes.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any

import attrs
from sqlalchemy import Connection, func, insert, or_, select, update

from citycard.errors import AccountMissing, AccountNotOpen, OnlineAccountUnknown, Phrase
from citycard.ledger.chart import AccountCode, Guard
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, HoldState, account_id
from citycard.ledger.tables import hold
from citycard.store.bulk import select_in
from citycard.wallet.addresses import online_account
from citycard.wallet.context import WalletContext
from citycard.wallet.limits import ActKind, LimitRule
from citycard.wallet.tables import account_limit
from citycard.wallet.tables import online_account as online_table

__all__ = [
    "AccountStatus",
    "OnlineAccount",
    "accounts_of",
    "available_fen",
    "find_account",
    "hold_account",
    "hold_accounts",
    "move_account",
    "open_account",
    "own_limits",
    "set_own_limits",
    "set_status",
]


class AccountStatus(StrEnum):
    """A frozen account takes money in and gives none out; a closed one does neither."""

    OPEN = "open"
    FROZEN = "frozen"
    CLOSED = "closed"


@attrs.frozen(kw_only=True)
class OnlineAccount:
    """An online account: its number (20 digits), and the card it hangs on now; ``opened_at`` is aware UTC."""

    number: str
    asn: str
    status: AccountStatus = attrs.field(default=AccountStatus.OPEN, converter=AccountStatus)
    opened_at: datetime

    def must_be_open(self) -> None:
        """Raise AccountNotOpen unless money may go out."""
        if self.status is not AccountStatus.OPEN:
            raise AccountNotOpen(
                number=self.number, reason=Phrase("is {status}: nothing is paid from it", status=self.status)
            )

    def must_take(self) -> None:
        """Raise AccountNotOpen when the account takes no money in."""
        if self.status is AccountStatus.CLOSED:
            raise AccountNotOpen(number=self.number, reason="is closed: it takes nothing in")


def open_account(conn: Connection, ledger: Ledger, asn: str, *, at: datetime) -> OnlineAccount:
    """Open the account of a card, or give the one that it has; ``at`` is aware."""
    row = _row_of(conn, asn)
    if row is None:
        made = OnlineAccount(number=asn, asn=asn, opened_at=at)
        conn.execute(insert(online_table), attrs.asdict(made) | {"status": str(made.status)})
        ledger.open_accounts(
            conn,
            [
                AccountSpec(
                    address=online_account(asn),
                    code=AccountCode.ONLINE_ACCOUNTS,
                    guard=Guard.DEBITS_WITHIN_CREDITS,
                    owner=asn,
                )
            ],
        )
        return made
    return _account(row)


def find_account(conn: Connection, number: str) -> OnlineAccount:
    """Give an account by its number, or by the card it hangs on; raise OnlineAccountUnknown."""
    row = _row_of(conn, number)
    if row is None:
        raise OnlineAccountUnknown(number=number[:40])
    return _account(row)


def hold_account(conn: Connection, number: str) -> OnlineAccount:
    """Give an account by its number, held until the transaction ends, so that acts with it form a queue."""
    query = select(online_table).where(online_table.c.number == number).with_for_update()
    row = conn.execute(query).one_or_none()
    if row is None:
        raise OnlineAccountUnknown(number=number[:40])
    return _account(row)


def hold_accounts(conn: Connection, numbers: Sequence[str]) -> dict[str, OnlineAccount]:
    """Give accounts by their numbers, held until the transaction ends, always in the same order."""
    query = select(online_table).order_by(online_table.c.number).with_for_update()
    rows = select_in(conn, query, online_table.c.number, sorted(set(numbers)))
    return {row.number: _account(row) for row in rows}


def accounts_of(conn: Connection, numbers: Sequence[str]) -> dict[str, OnlineAccount]:
    """Give the accounts that hang on these cards, or have these numbers, by what was asked for."""
    found: dict[str, OnlineAccount] = {}
    for column in (online_table.c.number, online_table.c.asn):
        for row in select_in(conn, select(online_table), column, numbers):
            found[getattr(row, column.name)] = _account(row)
    return found


def move_account(conn: Connection, asn: str, successor: str) -> bool:
    """Let the account of a card hang on its successor; say whether there was one to move.

    One that is closed stays, and so does one whose successor has an account.
    """
    taken = conn.scalar(select(online_table.c.number).where(online_table.c.asn == successor))
    if taken is not None:
        return False
    mine = (online_table.c.asn == asn) & (online_table.c.status != str(AccountStatus.CLOSED))
    return conn.execute(update(online_table).where(mine).values(asn=successor)).rowcount == 1


def set_status(conn: Connection, number: str, status: AccountStatus) -> None:
    """Note that an account is open, frozen or closed from now on."""
    conn.execute(update(online_table).where(online_table.c.number == number).values(status=str(status)))


def own_limits(conn: Connection, number: str) -> dict[ActKind, LimitRule]:
    """Give the limits that the owner of an account set, by kind of act."""
    rows = conn.execute(select(account_limit).where(account_limit.c.number == number))
    return {ActKind(row.act): LimitRule(**row.rule) for row in rows}


def set_own_limits(conn: Connection, number: str, act: ActKind, rule: LimitRule) -> None:
    """Note the limits that the owner of an account wants for one kind of act."""
    mine = (account_limit.c.number == number) & (account_limit.c.act == str(act))
    values = {"rule": attrs.asdict(rule)}
    if conn.execute(update(account_limit).where(mine).values(values)).rowcount == 0:
        conn.execute(insert(account_limit), {"number": number, "act": str(act), **values})


def available_fen(conn: Connection, context: WalletContext, address: str) -> int:
    """Give what can be taken from an account of the ledger: its balance less what is held; 0 without one.

    A hold whose time is over does not count: the ledger lets go of it before the next posting.
    """
    try:
        found = context.ledger.balance(conn, address)
    except AccountMissing:
        return 0
    if not found.debits_pending_fen:
        return found.available_fen
    over = select(func.sum(hold.c.amount_fen)).where(
        hold.c.dr_account == account_id(address),
        hold.c.state == str(HoldState.PENDING),
        hold.c.expires_at <= context.clock.now(),
    )
    return found.available_fen + int(conn.scalar(over) or 0)


def _row_of(conn: Connection, number: str) -> Any:
    """Find the row of a number; a card that has no account of its own number may have an older one."""
    query = select(online_table).where(or_(online_table.c.number == number, online_table.c.asn == number))
    rows = conn.execute(query).all()
    return next((row for row in rows if row.asn == number), rows[0] if rows else None)


def _account(row: Any) -> OnlineAccount:
    return OnlineAccount(**row._mapping)  # noqa: SLF001 - the documented way to read a row by name
