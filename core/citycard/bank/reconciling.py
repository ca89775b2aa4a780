"""Reconcile: what the ledger says is in the trust account, what the bank says, and every fen between them.

The two sides come from different rows: the ledger's from its balances, the explanations from payments, lines,
exceptions and the desk's postings. So what they leave unexplained is a mistake, and is zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from enum import StrEnum
from types import MappingProxyType
from typing import Any
from zoneinfo import ZoneInfo

import attrs
from sqlalchemy import Connection, case, func, select

from citycard.bank.cases import find_cases
from citycard.bank.codes import BankCode
from citycard.bank.context import BankContext
from citycard.bank.holes import holes
from citycard.bank.payments import PaymentState, payments
from citycard.bank.statement import Direction
from citycard.bank.tables import bank_line, bank_match, bank_statement
from citycard.errors import AccountMissing
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.records import Kind, account_id
from citycard.ledger.tables import transfer
from citycard.store.engine import reading
from citycard.wallet.addresses import TRUST_BANK

__all__ = ["ITEM_TITLES", "Item", "ItemKind", "Reconciliation", "reconcile"]

_BANK_CODES = (TransferCode.BANK_ORDERED, TransferCode.BANK_RESOLVED)


class ItemKind(StrEnum):
    """Why the bank has more (or, with a negative amount, less) than the city's books say."""

    OPENING = "opening"
    DESK = "desk"
    PAID_IN = "paid-in"
    PAYMENT = "payment"
    UNMATCHED = "unmatched"
    HOLE = "hole"


#: What each kind means, in words.
ITEM_TITLES: Mapping[ItemKind, str] = MappingProxyType(
    {
        ItemKind.OPENING: "in the bank before the first statement",
        ItemKind.DESK: "taken at the desk, less what it paid out",
        ItemKind.PAID_IN: "cash of the desk, paid in or taken out",
        ItemKind.PAYMENT: "ordered, and not yet booked by the bank",
        ItemKind.UNMATCHED: "booked by the bank, and nobody's yet",
        ItemKind.HOLE: "moved between two statements that do not follow on",
    }
)


@attrs.frozen(kw_only=True)
class Item:
    """One explanation: by how much the bank has more because of it, and who or what it is about."""

    kind: ItemKind
    amount_fen: int
    text: str = ""
    day: date | None = None
    reference: str = ""


@attrs.frozen(kw_only=True)
class Reconciliation:
    """The trust account from both sides.

    ``ledger_fen`` is the balance of ``trust/bank``; less what is on its way out (``in_transit_fen``) and what
    is nobody's (``unmatched_fen``) it is what the books say, ``book_fen``. ``bank_fen`` is the closing
    balance of the last statement (``closed_on``), 0 without any.
    """

    ledger_fen: int
    in_transit_fen: int
    unmatched_fen: int
    bank_fen: int
    closed_on: date | None
    items: tuple[Item, ...]

    @property
    def book_fen(self) -> int:
        """Give what the books say that the city has."""
        return self.ledger_fen - self.in_transit_fen - self.unmatched_fen

    @property
    def difference_fen(self) -> int:
        """Give by how much the bank has more than the books say."""
        return self.bank_fen - self.book_fen

    @property
    def explained_fen(self) -> int:
        """Sum the explanations."""
        return sum(item.amount_fen for item in self.items)

    @property
    def unexplained_fen(self) -> int:
        """Give what nothing explains: 0, or something is wrong."""
        return self.difference_fen - self.explained_fen

    @property
    def desk_fen(self) -> int:
        """Give the cash that the desk took, less what it paid out, and has not paid into the bank."""
        return -sum(item.amount_fen for item in self.items if item.kind in _OF_THE_DESK)


_OF_THE_DESK = (ItemKind.OPENING, ItemKind.DESK, ItemKind.PAID_IN)


def reconcile(context: BankContext) -> Reconciliation:
    """Compare the trust account in the ledger with the bank's last statement, explained line by line."""
    account = context.bank_terms.debtor.account
    ledger = context.ledger
    with reading(context.engine) as conn:
        try:
            ledger_fen = ledger.balance_fen(conn, TRUST_BANK)
        except AccountMissing:
            ledger_fen = 0
        in_order = select(bank_statement).where(bank_statement.c.account == account)
        statements = conn.execute(
            in_order.order_by(bank_statement.c.closed_on, bank_statement.c.sequence, bank_statement.c.number)
        ).all()
        return Reconciliation(
            ledger_fen=ledger_fen,
            # Transit is an asset account that stands in credit while money is on its way.
            in_transit_fen=-sum(ledger.balances(conn, AccountCode.SETTLEMENT_IN_TRANSIT).values()),
            unmatched_fen=sum(ledger.balances(conn, AccountCode.UNMATCHED_BANK).values()),
            bank_fen=statements[-1].closing_fen if statements else 0,
            closed_on=statements[-1].closed_on if statements else None,
            items=tuple(item for item in _items(conn, context, statements) if item.amount_fen),
        )


def _items(conn: Connection, context: BankContext, statements: Any) -> Iterator[Item]:
    zone = ZoneInfo(context.bank_terms.timezone)
    if statements:
        first = statements[0]
        yield Item(
            kind=ItemKind.OPENING,
            amount_fen=first.opening_fen,
            day=first.opened_on,
        )
    yield Item(
        kind=ItemKind.DESK,
        amount_fen=-_on_trust(conn, ~transfer.c.code.between(*_BANK_CODES)),
    )
    yield from _paid_in(conn)
    yield from _waiting(conn, zone)
    for hole in holes(conn, context.bank_terms.debtor.account):
        yield Item(
            kind=ItemKind.HOLE,
            amount_fen=hole.moved_fen,
            day=hole.to_day,
        )


def _on_trust(conn: Connection, condition: Any) -> int:
    """Give what some transfers left in the trust account, in fen."""
    trust = account_id(TRUST_BANK)
    signed = case((transfer.c.dr_account == trust, transfer.c.amount_fen), else_=-transfer.c.amount_fen)
    touching = (transfer.c.dr_account == trust) | (transfer.c.cr_account == trust)
    moved = transfer.c.kind.in_((Kind.SINGLE.value, Kind.POST.value))
    query = select(func.coalesce(func.sum(signed), 0)).where(touching, moved, condition)
    return int(conn.scalar(query) or 0)


def _paid_in(conn: Connection) -> Iterable[Item]:
    query = (
        select(bank_line)
        .join(
            bank_match,
            (bank_match.c.statement == bank_line.c.statement)
            & (bank_match.c.position == bank_line.c.position),
        )
        .where(bank_match.c.code == BankCode.A02.name)
        .order_by(bank_line.c.booked_on, bank_line.c.statement, bank_line.c.position)
    )
    for row in conn.execute(query):
        yield Item(
            kind=ItemKind.PAID_IN,
            amount_fen=row.amount_fen if row.direction == Direction.CREDIT else -row.amount_fen,
            text=row.text,
            day=row.booked_on,
            reference=row.reference,
        )
    yield Item(
        kind=ItemKind.PAID_IN,
        amount_fen=-_on_trust(conn, transfer.c.code == TransferCode.BANK_RESOLVED),
    )


def _waiting(conn: Connection, zone: ZoneInfo) -> Iterable[Item]:
    for state in (PaymentState.INSTRUCTED, PaymentState.ORDERED):
        for payment in reversed(payments(conn, state)):
            yield Item(
                kind=ItemKind.PAYMENT,
                amount_fen=payment.amount_fen,
                text=payment.creditor.name,
                day=payment.ordered_at.astimezone(zone).date() if payment.ordered_at else None,
                reference=payment.end_to_end,
            )
    for waiting in find_cases(conn):
        if waiting.statement is not None:
            yield Item(
                kind=ItemKind.UNMATCHED,
                amount_fen=waiting.amount_fen,
                text=f"{waiting.code} {waiting.party or waiting.text}".strip(),
                day=waiting.since,
                reference=str(waiting.id),
            )
