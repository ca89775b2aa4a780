"""Payments that the city orders, for whatever reason: a row each, made with the posting that pays for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, Select, insert, or_, select

from citycard.bank.instruction import BankAccount, check_payable
from citycard.bank.tables import bank_payment
from citycard.errors import BankPaymentUnknown, PaymentConflict
from citycard.ids import derived_id
from citycard.ledger.chart import AccountCode, TransferCode
from citycard.ledger.ledger import Ledger
from citycard.ledger.records import AccountSpec, Transfer
from citycard.store.bulk import select_in
from citycard.wallet.addresses import TRANSIT_SETTLEMENT

__all__ = [
    "Payment",
    "PaymentKind",
    "PaymentState",
    "find_payment",
    "note_payments",
    "order_payment",
    "payments",
]

_TEXT_MOST = 140
_COMPARED = ("end_to_end", "kind", "amount_fen", "creditor", "source", "transit")


class PaymentKind(StrEnum):
    """Why the city pays: what clearing owes, what somebody takes out, a refund, money that was not ours."""

    SETTLEMENT = "settlement"
    PAYOUT = "payout"
    REFUND = "refund"
    REPAYMENT = "repayment"


class PaymentState(StrEnum):
    """How far a payment is: ordered, in an instruction, booked by the bank, or come back (or never done)."""

    ORDERED = "ordered"
    INSTRUCTED = "instructed"
    SETTLED = "settled"
    RETURNED = "returned"


def _readable(text: str) -> str:
    """Make a text that can stand in a message: at most 140 characters, spaces for what cannot be printed."""
    return "".join(letter if letter.isprintable() else " " for letter in text)[:_TEXT_MOST].strip()


@attrs.frozen(kw_only=True)
class Payment:
    """A payment out of the trust account.

    ``id`` is made by whoever orders it; ``end_to_end`` (at most 35 characters) follows from it unless given,
    and comes back on the statement. ``source`` is the ledger account the money comes from, and goes back to
    when the payment is returned; ``transfer`` is the posting that moved it into ``transit``.
    """

    id: UUID
    kind: PaymentKind = attrs.field(converter=PaymentKind)
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))
    creditor: BankAccount
    source: str
    text: str = attrs.field(default="", converter=_readable)
    end_to_end: str = attrs.field(
        default=attrs.Factory(lambda self: self.id.hex, takes_self=True),
        validator=attrs.validators.matches_re(r"[0-9A-Za-z][0-9A-Za-z/?:().,'+-]{0,34}"),
    )
    transit: str = TRANSIT_SETTLEMENT
    transfer: UUID = attrs.field(
        default=attrs.Factory(lambda self: derived_id("bank", "ordered", self.id), takes_self=True)
    )
    state: PaymentState = attrs.field(default=PaymentState.ORDERED, converter=PaymentState)
    instruction: int | None = None
    ordered_at: datetime | None = None

    @classmethod
    def of(cls, row: Row[Any]) -> Payment:
        """Read a row of ``bank_payment``."""
        facts = dict(row._mapping)  # noqa: SLF001 - the documented way to read a row by name
        creditor = BankAccount(
            name=facts.pop("creditor_name"),
            account=facts.pop("creditor_account"),
            bic=facts.pop("creditor_bic"),
        )
        return cls(creditor=creditor, **facts)


def order_payment(
    conn: Connection, ledger: Ledger, payment: Payment, *, event_time: datetime, business_date: date
) -> Payment:
    """Order a payment: move its money from ``source`` into transit and write it down, in one transaction.

    ``event_time`` is the city's local time, naive. Ordered again it is given back as it is now. Raise
    PaymentConflict when it was ordered otherwise, BankDetailsInvalid when the bank could not read who is
    paid, PostingFailed when the source has not got the money; roll the transaction back then.
    """
    found = _ordered_before(conn, [payment])
    if found:
        return found[0]
    ledger.open_accounts(conn, [AccountSpec(address=payment.transit, code=AccountCode.SETTLEMENT_IN_TRANSIT)])
    moved = Transfer(
        id=payment.transfer,
        debit_address=payment.source,
        credit_address=payment.transit,
        amount_fen=payment.amount_fen,
        code=TransferCode.BANK_ORDERED,
        event_time=event_time,
        business_date=business_date,
        ref=f"payment/{payment.end_to_end}",
    )
    ledger.post_all(conn, [moved])
    note_payments(conn, [payment], at=ledger.clock.now())
    return attrs.evolve(payment, ordered_at=ledger.clock.now())


def note_payments(conn: Connection, ordered: Sequence[Payment], *, at: datetime) -> int:
    """Write down payments whose money the caller moved into transit itself; return how many are new.

    Raise PaymentConflict when one was ordered otherwise, BankDetailsInvalid as ``order_payment`` does.
    """
    known = {payment.id for payment in _ordered_before(conn, ordered)}
    rows = []
    for payment in ordered:
        check_payable(payment.creditor)
        if payment.id not in known:
            rows.append(_row(payment) | {"ordered_at": at})
    if rows:
        conn.execute(insert(bank_payment), rows)
    return len(rows)


def find_payment(conn: Connection, name: str | UUID, *, held: bool = False) -> Payment:
    """Give a payment by its id or end-to-end id, ``held`` until the transaction ends; BankPaymentUnknown."""
    query = select(bank_payment).where(_named(name))
    row = conn.execute(query.with_for_update() if held else query).one_or_none()
    if row is None:
        raise BankPaymentUnknown(payment=str(name))
    return Payment.of(row)


def payments(
    conn: Connection, state: PaymentState | None = None, *, limit: int | None = None
) -> list[Payment]:
    """Give payments, the newest first."""
    query: Select[Any] = select(bank_payment).order_by(
        bank_payment.c.ordered_at.desc(), bank_payment.c.id.desc()
    )
    if state is not None:
        query = query.where(bank_payment.c.state == state.value)
    return [Payment.of(row) for row in conn.execute(query.limit(limit))]


def _named(name: str | UUID) -> Any:
    if isinstance(name, UUID):
        return bank_payment.c.id == name
    try:
        return or_(bank_payment.c.end_to_end == name, bank_payment.c.id == UUID(name))
    except ValueError:
        return bank_payment.c.end_to_end == name


def _ordered_before(conn: Connection, wanted: Iterable[Payment]) -> list[Payment]:
    by_id = {payment.id: payment for payment in wanted}
    rows = select_in(conn, select(bank_payment), bank_payment.c.id, list(by_id))
    found = [Payment.of(row) for row in rows]
    for before in found:
        for field in _COMPARED:
            if getattr(before, field) != getattr(by_id[before.id], field):
                raise PaymentConflict(payment=str(before.id), field=field)
    return found


def _row(payment: Payment) -> dict[str, Any]:
    row = attrs.asdict(payment, recurse=False)
    creditor = row.pop("creditor")
    named = {
        "creditor_name": creditor.name,
        "creditor_account": creditor.account,
        "creditor_bic": creditor.bic,
    }
    return row | named | {"kind": payment.kind.value, "state": payment.state.value}
