"""Follow payments to the bank: how each ended, with its code, and the lines of statements that tell of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, or_, select

from citycard.bank.codes import BankCode, CaseState, How
from citycard.bank.lines import MatchedLine, lines_where
from citycard.bank.payments import Payment, PaymentState
from citycard.bank.tables import bank_case, bank_match, bank_payment
from citycard.store.bulk import select_in

__all__ = ["Trace", "trace_payments"]


@attrs.frozen(kw_only=True)
class Trace:
    """A payment with its code, None while it is on its way and nothing is odd, and the bank's lines about it.

    OK: booked; S01: the bank never executed it; S02: it came back; otherwise the code of what is odd: M01 to
    M06. A line may be of the whole instruction that the payment is in.
    """

    payment: Payment
    code: BankCode | None
    lines: tuple[MatchedLine, ...]


def trace_payments(conn: Connection, payments: Iterable[UUID]) -> dict[UUID, Trace]:
    """Follow payments, by id; those that are not known are left out."""
    wanted = sorted(set(payments))
    found = [Payment.of(row) for row in select_in(conn, select(bank_payment), bank_payment.c.id, wanted)]
    cases: dict[UUID, list[Any]] = defaultdict(list)
    for row in select_in(conn, select(bank_case), bank_case.c.payment, wanted):
        cases[row.payment].append(row)
    return {
        one.id: Trace(payment=one, code=_code(one, cases[one.id]), lines=tuple(_lines(conn, one)))
        for one in found
    }


def _code(payment: Payment, cases: list[Any]) -> BankCode | None:
    if payment.state is PaymentState.SETTLED:
        return BankCode.OK
    if payment.state is PaymentState.RETURNED:
        failed = any(case.how == How.NOT_PAID.value for case in cases)
        return BankCode.S01 if failed else BankCode.S02
    odd = [BankCode[case.code] for case in cases if case.state != CaseState.RESOLVED.value]
    return odd[0] if odd else None


def _lines(conn: Connection, payment: Payment) -> list[MatchedLine]:
    about = bank_match.c.payment == payment.id
    if payment.instruction is not None:
        about = or_(about, bank_match.c.instruction == payment.instruction)
    return lines_where(conn, about)
