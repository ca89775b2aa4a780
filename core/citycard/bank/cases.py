"""Exceptions: who works on them, what happened to them, how long they have waited."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, Select, select, update

from citycard.bank.calendar import BusinessCalendar
from citycard.bank.codes import BankCode, CaseState
from citycard.bank.context import BankContext
from citycard.bank.tables import bank_case, bank_case_step, bank_line, bank_payment, bank_statement
from citycard.errors import CaseClosed, CaseTaken, CaseUnknown
from citycard.store.engine import reading, write_alone, writing
from citycard.store.steps import CaseStep, StepBook

__all__ = [
    "Case",
    "CaseStep",
    "case_of",
    "find_cases",
    "history",
    "hold_case",
    "step_is_done",
    "take",
    "write_step",
]


@attrs.frozen(kw_only=True)
class Case:
    """An exception: its code, what it is about, and how far it is.

    It is about a line (``statement`` and ``position``) or, with M01, about a ``payment``; a line may name a
    payment as well. ``amount_fen`` is negative for money that went out. ``since`` is when it was booked, or
    was to be executed.
    """

    id: UUID
    code: str
    state: CaseState = attrs.field(converter=CaseState)
    since: date
    amount_fen: int
    party: str
    text: str
    statement: int | None
    position: int | None
    payment: UUID | None
    end_to_end: str
    taken_by: str
    how: str
    resolution: str

    def age(self, calendar: BusinessCalendar, day: date) -> int:
        """Give the business days that it has waited until a day."""
        return calendar.between(self.since, day)


_STEPS: StepBook[UUID] = StepBook(bank_case_step)


def find_cases(
    conn: Connection,
    *,
    state: CaseState | None = None,
    code: BankCode | None = None,
    limit: int | None = None,
    resolved_too: bool = False,
) -> list[Case]:
    """Give exceptions, those that have waited longest first; resolved ones only when asked for."""
    query = _cases()
    if state is None and not resolved_too:
        query = query.where(bank_case.c.state != CaseState.RESOLVED)
    elif state is not None:
        query = query.where(bank_case.c.state == state.value)
    if code is not None:
        query = query.where(bank_case.c.code == code.name)
    query = query.order_by(bank_case.c.since, bank_case.c.id).limit(limit)
    return [_case(row) for row in conn.execute(query)]


def case_of(conn: Connection, case: UUID) -> Case:
    """Give one exception; raise CaseUnknown."""
    row = conn.execute(_cases().where(bank_case.c.id == case)).one_or_none()
    if row is None:
        raise CaseUnknown(case=str(case))
    return _case(row)


def history(conn: Connection, case: UUID) -> list[CaseStep]:
    """Give the steps of an exception, the oldest first."""
    return _STEPS.history(conn, case)


def take(context: BankContext, case: UUID, *, actor: str, step: UUID, from_other: bool = False) -> Case:
    """Take an exception to work on it; the same ``step`` again changes nothing.

    What somebody else has is taken only where ``from_other`` says so; otherwise raise CaseTaken. Raise
    CaseClosed when it is resolved, and CaseStepConflict when ``step`` was another one.
    """
    with writing(context.engine) as conn:
        found = hold_case(conn, case)
        if not step_is_done(conn, case, step, "taken", actor):
            if found.state is CaseState.RESOLVED:
                raise CaseClosed(case=str(case), how=found.resolution)
            others = found.taken_by not in {"", actor[:100]}
            if others and not from_other:
                raise taken_error(context, conn, case)
            before = f"from {found.taken_by}" if others else ""
            values = {"state": CaseState.TAKEN.value, "taken_by": actor[:100]}
            conn.execute(update(bank_case).where(bank_case.c.id == case).values(values))
            write_step(conn, case, step, "taken", actor, before, context.clock.now())
    with reading(context.engine) as conn:
        return case_of(conn, case)


def taken_error(context: BankContext, conn: Connection, case: UUID) -> CaseTaken:
    """Give the error which says who has an exception, and since when."""
    return _STEPS.taken(conn, case, context.bank_terms.timezone)


def hold_case(conn: Connection, case: UUID) -> Case:
    """Give an exception; until the transaction ends nobody else changes one, or takes in a statement."""
    write_alone(conn, bank_statement)
    return case_of(conn, case)


def step_is_done(
    conn: Connection, case: UUID, step: UUID, what: str, actor: str, detail: str | None = None
) -> bool:
    """Say whether this step was done; ``detail`` is None where it follows from what was before.

    Raise CaseStepConflict when another step was done under its id.
    """
    return _STEPS.is_done(conn, case, step, what, actor, detail)


def write_step(
    conn: Connection, case: UUID, step: UUID, what: str, actor: str, detail: str, at: datetime
) -> None:
    """Add one step, whose id its maker chose, to the history of an exception."""
    _STEPS.write(conn, case, step, what, actor, detail, at)


def _cases() -> Select[Any]:
    line = (bank_case.c.statement == bank_line.c.statement) & (bank_case.c.position == bank_line.c.position)
    return (
        select(
            bank_case,
            bank_line.c.direction,
            bank_line.c.amount_fen.label("line_fen"),
            bank_line.c.party_name,
            bank_line.c.text,
            bank_payment.c.amount_fen.label("payment_fen"),
            bank_payment.c.creditor_name,
            bank_payment.c.end_to_end,
        )
        .outerjoin(bank_line, line)
        .outerjoin(bank_payment, bank_case.c.payment == bank_payment.c.id)
    )


def _case(row: Row[Any]) -> Case:
    about_line = row.line_fen is not None
    amount_fen = row.line_fen if about_line else row.payment_fen
    outward = row.direction == "DBIT" if about_line else True
    return Case(
        id=row.id,
        code=row.code,
        state=row.state,
        since=row.since,
        amount_fen=-amount_fen if outward else amount_fen,
        party=(row.party_name if about_line else row.creditor_name) or "",
        text=row.text or "",
        statement=row.statement,
        position=row.position,
        payment=row.payment,
        end_to_end=row.end_to_end or "",
        taken_by=row.taken_by,
        how=row.how,
        resolution=row.resolution,
    )
