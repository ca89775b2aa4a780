"""Read the ledger: balances, and the trial balance."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Select, func, select

from citycard.errors import AccountMissing
from citycard.ledger.chart import TITLES
from citycard.ledger.records import Balance, Hold, HoldState, account_id
from citycard.ledger.tables import account, balance, hold

__all__ = [
    "MONEY",
    "TrialBalance",
    "TrialLine",
    "account_balance",
    "account_balances",
    "accounts_from",
    "find_hold",
    "trial_balance",
]


#: The currency of money; points have another.
MONEY = "CNY"


@attrs.frozen(kw_only=True)
class TrialLine:
    """The sums of all accounts with one code and currency, in fen (or in points)."""

    code: int
    currency: str
    title: str
    accounts: int
    debits_fen: int
    credits_fen: int


@attrs.frozen(kw_only=True)
class TrialBalance:
    """Every code of the chart that is in use; the two totals are equal, or the ledger is broken.

    They are equal in each currency; the totals are those of money.
    """

    lines: tuple[TrialLine, ...]

    @property
    def debits_fen(self) -> int:
        return sum(line.debits_fen for line in self.lines if line.currency == MONEY)

    @property
    def credits_fen(self) -> int:
        return sum(line.credits_fen for line in self.lines if line.currency == MONEY)


def account_balance(conn: Connection, address: str) -> Balance:
    """Give one account with its sums; raise AccountMissing."""
    row = conn.execute(_balances().where(account.c.id == account_id(address))).one_or_none()
    if row is None:
        raise AccountMissing(address=address)
    return Balance.of(row)


def account_balances(conn: Connection, code: int) -> list[Balance]:
    """Give every account with this code and its sums, by address."""
    query = _balances().where(account.c.code == code).order_by(account.c.address)
    return [Balance.of(row) for row in conn.execute(query)]


def accounts_from(conn: Connection, start: str, *, code: int | None, limit: int) -> list[Balance]:
    """Give the accounts whose address begins with ``start``, by address, with their sums."""
    query = _balances().where(account.c.address.startswith(start, autoescape=True))
    if code is not None:
        query = query.where(account.c.code == code)
    return [Balance.of(row) for row in conn.execute(query.order_by(account.c.address).limit(limit))]


def trial_balance(conn: Connection) -> TrialBalance:
    """Sum debits and credits of all accounts by code."""
    query = (
        select(
            account.c.code,
            account.c.currency,
            func.count().label("accounts"),
            func.sum(balance.c.dr_posted_fen).label("debits_fen"),
            func.sum(balance.c.cr_posted_fen).label("credits_fen"),
        )
        .join(balance, balance.c.account_id == account.c.id)
        .group_by(account.c.code, account.c.currency)
        .order_by(account.c.code, account.c.currency)
    )
    return TrialBalance(
        lines=tuple(
            TrialLine(
                code=row.code,
                currency=row.currency,
                title=TITLES.get(row.code, ""),
                accounts=row.accounts,
                debits_fen=int(row.debits_fen),
                credits_fen=int(row.credits_fen),
            )
            for row in conn.execute(query)
        )
    )


def find_hold(conn: Connection, identity: UUID) -> Hold | None:
    """Give a hold as it stands, or None."""
    row = conn.execute(select(hold).where(hold.c.id == identity)).one_or_none()
    if row is None:
        return None
    return Hold(id=row.id, state=HoldState(row.state), amount_fen=row.amount_fen, expires_at=row.expires_at)


def _balances() -> Select[Any]:
    return select(
        account.c.address,
        account.c.code,
        account.c.side,
        account.c.guard,
        account.c.owner,
        balance.c.dr_posted_fen,
        balance.c.cr_posted_fen,
        balance.c.dr_pending_fen,
        balance.c.cr_pending_fen,
        account.c.currency,
        balance.c.transfers,
    ).join(balance, balance.c.account_id == account.c.id)
