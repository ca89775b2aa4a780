"""Read the ledger: transfers as they were posted, balances, the trial balance."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Select, and_, func, or_, select

from citycard.errors import AccountMissing
from citycard.ledger.chart import TITLES
from citycard.ledger.records import Balance, PostedTransfer, Transfer, account_id
from citycard.ledger.tables import account, balance, transfer
from citycard.store.bulk import select_in

__all__ = [
    "TrialBalance",
    "TrialLine",
    "account_balance",
    "account_balances",
    "posted_transfers",
    "transfers_of",
    "trial_balance",
]

_DEBITED, _CREDITED = account.alias("debited"), account.alias("credited")


@attrs.frozen(kw_only=True)
class TrialLine:
    """The sums of all accounts with one code, in fen."""

    code: int
    title: str
    accounts: int
    debits_fen: int
    credits_fen: int


@attrs.frozen(kw_only=True)
class TrialBalance:
    """Every code of the chart that is in use; the two totals are equal, or the ledger is broken."""

    lines: tuple[TrialLine, ...]

    @property
    def debits_fen(self) -> int:
        return sum(line.debits_fen for line in self.lines)

    @property
    def credits_fen(self) -> int:
        return sum(line.credits_fen for line in self.lines)


def posted_transfers(conn: Connection, *, ids: Sequence[UUID]) -> Iterator[PostedTransfer]:
    """Give the posted transfers with these ids; the order is not defined."""
    return (_posted(row) for row in select_in(conn, _transfers(), transfer.c.id, ids))


def transfers_of(conn: Connection, address: str, *, limit: int, before: int | None) -> list[PostedTransfer]:
    """Give the newest transfers of an account, newest first, below the number ``before``."""
    key = account_id(address)
    query = _transfers().where(or_(transfer.c.dr_account == key, transfer.c.cr_account == key))
    if before is not None:
        query = query.where(transfer.c.posted_seq < before)
    query = query.order_by(transfer.c.posted_seq.desc()).limit(limit)
    return [_posted(row) for row in conn.execute(query)]


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


def trial_balance(conn: Connection) -> TrialBalance:
    """Sum debits and credits of all accounts by code."""
    query = (
        select(
            account.c.code,
            func.count().label("accounts"),
            func.sum(balance.c.dr_posted_fen).label("debits_fen"),
            func.sum(balance.c.cr_posted_fen).label("credits_fen"),
        )
        .join(balance, balance.c.account_id == account.c.id)
        .group_by(account.c.code)
        .order_by(account.c.code)
    )
    return TrialBalance(
        lines=tuple(
            TrialLine(
                code=row.code,
                title=TITLES.get(row.code, ""),
                accounts=row.accounts,
                debits_fen=int(row.debits_fen),
                credits_fen=int(row.credits_fen),
            )
            for row in conn.execute(query)
        )
    )


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
    ).join(balance, balance.c.account_id == account.c.id)


def _transfers() -> Select[Any]:
    return (
        select(
            transfer,
            _DEBITED.c.address.label("debit_address"),
            _CREDITED.c.address.label("credit_address"),
        )
        .join(_DEBITED, and_(transfer.c.dr_account == _DEBITED.c.id))
        .join(_CREDITED, and_(transfer.c.cr_account == _CREDITED.c.id))
    )


def _posted(row: Any) -> PostedTransfer:
    return PostedTransfer(
        transfer=Transfer(
            id=row.id,
            debit_address=row.debit_address,
            credit_address=row.credit_address,
            amount_fen=row.amount_fen,
            code=row.code,
            event_time=row.event_time,
            business_date=row.business_date,
            group=row.group_id,
            ref=row.ref,
        ),
        posted_seq=row.posted_seq,
        posted_at=row.posted_at,
    )
