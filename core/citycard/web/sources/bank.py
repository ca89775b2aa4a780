"""What goes between the city and its bank: payments, statements, exceptions, and the reconciliation."""

from __future__ import annotations

from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

import attrs

from citycard.bank.cases import CaseStep, case_of, find_cases, history
from citycard.bank.codes import BankCode, CaseState, LineState
from citycard.bank.context import today
from citycard.bank.holes import Hole, holes
from citycard.bank.instructing import BankFile, bank_files
from citycard.bank.lines import MatchedLine, StoredStatement, matched_lines, statements
from citycard.bank.payments import Payment, PaymentState, payments
from citycard.bank.reconciling import Reconciliation, reconcile
from citycard.errors import PageNotFound
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.bank.cases import Case
    from citycard.city import City

__all__ = [
    "BankView",
    "CaseView",
    "OrderedPayment",
    "StepsView",
    "case_view",
    "read_bank",
    "read_case",
    "read_cases",
    "read_lines",
    "read_payments",
]

_ROWS = 200
_Kind = TypeVar("_Kind", bound=StrEnum)


@attrs.frozen(kw_only=True)
class OrderedPayment:
    """A payment that the city ordered: to whom, how much, how far it is; ``source`` is whose money it is."""

    id: UUID
    end_to_end: str
    kind: str
    amount_fen: int
    name: str
    account: str
    bic: str
    source: str
    text: str
    state: str
    instruction: int | None
    ordered_at: datetime | None

    @classmethod
    def of(cls, payment: Payment) -> OrderedPayment:
        """Show a payment."""
        return cls(
            id=payment.id,
            end_to_end=payment.end_to_end,
            kind=payment.kind.value,
            amount_fen=payment.amount_fen,
            name=payment.creditor.name,
            account=payment.creditor.account,
            bic=payment.creditor.bic,
            source=payment.source,
            text=payment.text,
            state=payment.state.value,
            instruction=payment.instruction,
            ordered_at=payment.ordered_at,
        )


@attrs.frozen(kw_only=True)
class CaseView:
    """An exception as it is shown; ``age`` counts business days, ``amount_fen`` is negative for money out."""

    id: UUID
    code: str
    meaning: str
    state: CaseState
    since: date
    age: int
    amount_fen: int
    party: str
    text: str
    line: str
    end_to_end: str
    taken_by: str
    how: str
    resolution: str


@attrs.frozen(kw_only=True)
class StepsView:
    """An exception and what happened to it, the oldest step first."""

    case: CaseView
    steps: tuple[CaseStep, ...]


@attrs.frozen(kw_only=True)
class BankView:
    """The bank's side of a city at a glance: the newest of everything."""

    reconciliation: Reconciliation
    cases: tuple[CaseView, ...]
    payments: tuple[OrderedPayment, ...]
    files: tuple[BankFile, ...]
    statements: tuple[StoredStatement, ...]
    holes: tuple[Hole, ...]
    unknown_years: tuple[int, ...]


def read_bank(city: City, *, rows: int = 20) -> BankView:
    """Read the bank's side of a city: open exceptions, the newest payments and statements."""
    found = reconcile(city)
    day = today(city)
    with reading(city.engine) as conn:
        return BankView(
            reconciliation=found,
            cases=tuple(case_view(city, each) for each in find_cases(conn, limit=rows)),
            payments=tuple(map(OrderedPayment.of, payments(conn, limit=rows))),
            files=tuple(bank_files(conn, limit=rows)),
            statements=tuple(statements(conn, limit=rows)),
            holes=tuple(holes(conn, city.bank_terms.debtor.account)),
            unknown_years=tuple(city.calendar.unknown_years([day.year, day.year + 1])),
        )


def read_payments(city: City, state: str) -> tuple[OrderedPayment, ...]:
    """Read the newest payments, of one state when it is named; raise PageNotFound when it is none."""
    wanted = _named(PaymentState, state, "payment state")
    with reading(city.engine) as conn:
        return tuple(map(OrderedPayment.of, payments(conn, wanted, limit=_ROWS)))


def read_lines(city: City, statement: int, state: str, code: str) -> tuple[MatchedLine, ...]:
    """Read the lines of a statement (0: of all) and where each ended."""
    wanted, why = _named(LineState, state, "line state"), _code(code)
    with reading(city.engine) as conn:
        found = matched_lines(
            conn, statement=statement or None, state=wanted, code=why, limit=None if statement else _ROWS
        )
    return tuple(found)


def read_cases(city: City, state: str, code: str) -> tuple[CaseView, ...]:
    """Read exceptions, the oldest first; resolved ones only when their state is named."""
    wanted, why = _named(CaseState, state, "exception state"), _code(code)
    with reading(city.engine) as conn:
        return tuple(case_view(city, each) for each in find_cases(conn, state=wanted, code=why, limit=_ROWS))


def read_case(city: City, case: UUID) -> StepsView:
    """Read one exception with its history; raise CaseUnknown."""
    with reading(city.engine) as conn:
        return StepsView(case=case_view(city, case_of(conn, case)), steps=tuple(history(conn, case)))


def case_view(city: City, case: Case) -> CaseView:
    """Show an exception as of today."""
    return CaseView(
        id=case.id,
        code=case.code,
        meaning=BankCode[case.code].title,
        state=case.state,
        since=case.since,
        age=case.age(city.calendar, today(city)),
        amount_fen=case.amount_fen,
        party=case.party,
        text=case.text,
        line=f"{case.statement}/{case.position}" if case.statement is not None else "",
        end_to_end=case.end_to_end,
        taken_by=case.taken_by,
        how=case.how,
        resolution=case.resolution,
    )


def _named(kind: type[_Kind], name: str, thing: str) -> _Kind | None:
    if name and name not in set(kind):
        raise PageNotFound(thing=thing, name=name[:40])
    return kind(name) if name else None


def _code(name: str) -> BankCode | None:
    if name and name not in BankCode.__members__:
        raise PageNotFound(thing="code", name=name[:40])
    return BankCode[name] if name else None
