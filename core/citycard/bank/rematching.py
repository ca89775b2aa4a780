"""Look again: at lines that nothing explained when they came, and for payments that no statement shows."""

from __future__ import annotations

from datetime import date
from typing import Any

import attrs
from sqlalchemy import Connection, Row, func, select, update

from citycard.bank.codes import BankCode, CaseState, How, LineState
from citycard.bank.context import BankContext
from citycard.bank.knowing import read_known
from citycard.bank.matching import Match, Move, match_line
from citycard.bank.payments import PaymentState
from citycard.bank.settling import OWN_ACTOR, change_payments, note_steps, tell_wallet, transfers_for
from citycard.bank.statement import Direction, StatementLine
from citycard.bank.tables import (
    bank_case,
    bank_instruction,
    bank_line,
    bank_payment,
    bank_receipt,
    bank_statement,
)
from citycard.ids import derived_id, new_id
from citycard.ledger.chart import TransferCode
from citycard.store.bulk import insert_rows
from citycard.wallet.addresses import BANK_UNMATCHED, TRUST_BANK

__all__ = ["Rematched", "line_of", "rematch", "within"]


@attrs.frozen(kw_only=True)
class Rematched:
    """How many exceptions explained themselves, and how many payments turned out to be missing."""

    explained: int = 0
    missing: int = 0


def rematch(conn: Connection, context: BankContext) -> Rematched:
    """Match the open, unknown lines once more, and open an exception for each payment that is missing."""
    return Rematched(explained=_explain(conn, context), missing=_open_missing(conn, context))


def line_of(row: Row[Any]) -> StatementLine:
    """Read a row of ``bank_line``."""
    facts = {field.name: getattr(row, field.name) for field in attrs.fields(StatementLine)}
    return StatementLine(**facts | {"direction": Direction(row.direction)})


def within(match: Match, line: StatementLine) -> tuple[Move, ...]:
    """Turn what a line moves into what moves now that its money waits with the unmatched.

    The desk's cash is taken out of the trust account again, where the desk's own postings have it.
    """
    if not match.moves:
        credit = line.direction is Direction.CREDIT
        debit, credited = (BANK_UNMATCHED, TRUST_BANK) if credit else (TRUST_BANK, BANK_UNMATCHED)
        code = TransferCode.BANK_RESOLVED
        return (Move(debit=debit, credit=credited, amount_fen=line.amount_fen, code=code),)
    return tuple(
        attrs.evolve(
            move,
            debit=BANK_UNMATCHED if move.debit == TRUST_BANK else move.debit,
            credit=BANK_UNMATCHED if move.credit == TRUST_BANK else move.credit,
        )
        for move in match.moves
    )


def _explain(conn: Connection, context: BankContext) -> int:
    query = (
        select(bank_case.c.id.label("case_id"), bank_line)
        .join(bank_line, _same_line())
        .where(bank_case.c.state == CaseState.OPEN, bank_case.c.code == BankCode.M02.name)
        .order_by(bank_line.c.booked_on, bank_line.c.statement, bank_line.c.position)
        .with_for_update(of=bank_case)
    )
    rows = conn.execute(query).all()
    lines = {row.case_id: line_of(row) for row in rows}
    known = read_known(conn, lines.values())
    explained = 0
    for case, line in lines.items():
        match = match_line(line, known)
        if match.code.state is not LineState.EXCEPTION:
            known.learn(line, match)
            explained += _explained(conn, context, case, line, match)
    return explained


def _same_line() -> Any:
    return (bank_case.c.statement == bank_line.c.statement) & (bank_case.c.position == bank_line.c.position)


def _explained(conn: Connection, context: BankContext, case: Any, line: StatementLine, match: Match) -> int:
    now = context.clock.now()
    moved = transfers_for(
        within(match, line), parts=("case", new_id()), day=line.booked_on, ref=f"bank/case/{case}"
    )
    if not all(outcome.posted for outcome in context.ledger.post(conn, moved)):
        return 0
    tell_wallet(conn, context.ledger, moved)
    if match.payment_state is not None:
        change_payments(conn, [payment.id for payment in match.payments], match.payment_state, now)
    if match.receipt is not None and not match.receipt.standing:
        received = update(bank_receipt).where(bank_receipt.c.id == match.receipt.id)
        conn.execute(received.values(state="received"))
    words = f"{match.code.name}: {match.reason}"
    resolved = {"state": CaseState.RESOLVED.value, "how": How.ARRIVED.value, "resolution": words[:300]}
    conn.execute(update(bank_case).where(bank_case.c.id == case).values(resolved))
    note_steps(conn, [(case, "resolved", OWN_ACTOR, f"{How.ARRIVED.value}: {words}")], now)
    return 1


def _open_missing(conn: Connection, context: BankContext) -> int:
    terms = context.bank_terms
    seen: date | None = conn.scalar(
        select(func.max(bank_statement.c.closed_on)).where(bank_statement.c.account == terms.debtor.account)
    )
    if seen is None:
        return 0
    query = (
        select(bank_payment.c.id, bank_payment.c.end_to_end, bank_instruction.c.execution_date)
        .join(bank_instruction, bank_payment.c.instruction == bank_instruction.c.number)
        .outerjoin(
            bank_case, (bank_case.c.payment == bank_payment.c.id) & (bank_case.c.code == BankCode.M01.name)
        )
        .where(bank_payment.c.state == PaymentState.INSTRUCTED, bank_case.c.id.is_(None))
    )
    late = [
        row
        for row in conn.execute(query)
        if terms.calendar.between(row.execution_date, seen) > terms.overdue_days
    ]
    cases = {row.id: derived_id("bank", "case", "payment", row.id) for row in late}
    names = ("id", "code", "payment", "since", "state", "taken_by", "how", "resolution")
    rows = [
        (cases[row.id], BankCode.M01.name, row.id, row.execution_date, CaseState.OPEN.value, "", "", "")
        for row in late
    ]
    insert_rows(conn, bank_case, names, rows)
    told = [
        (cases[row.id], "opened", OWN_ACTOR, f"payment {row.end_to_end} was due on {row.execution_date}")
        for row in late
    ]
    note_steps(conn, told, context.clock.now())
    return len(late)
