"""What each partner is owed by a run and why: gross, fee, net, by business date, by state and code."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, func, select

from citycard.clearing.adjusting import PostedAdjustment, adjustments_of_run
from citycard.clearing.casecodes import AdjustmentCode
from citycard.clearing.codes import State
from citycard.clearing.context import ClearingContext
from citycard.clearing.tables import clearing_run, statement
from citycard.errors import Phrase, RunUnknown, StatementUnknown
from citycard.store.engine import reading
from citycard.wallet.addresses import partner_payable

__all__ = [
    "AdjustmentLine",
    "CodeLine",
    "DayLine",
    "Statement",
    "read_statement",
    "statement_of",
    "statements_of",
]


@attrs.frozen(kw_only=True)
class DayLine:
    """What a partner earned on one business date."""

    business_date: date
    records: int
    gross_fen: int


@attrs.frozen(kw_only=True)
class CodeLine:
    """How many of the records that a partner's terminals handed in ended so, and their amount as charged."""

    business_date: date
    state: State
    code: str
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class AdjustmentLine:
    """What was adjusted for a partner after an earlier run: its code, what it is about, and how much.

    ``change_fen`` is below zero where the partner gives back; ``transfer`` is the posting.
    """

    code: AdjustmentCode
    about: str
    change_fen: int
    reason: str
    transfer: UUID


@attrs.frozen(kw_only=True)
class Statement:
    """One partner's statement of one run. ``net_fen`` is gross less fee.

    ``carried_fen`` is what the partner was owed before the run, such as payments online, and by
    ``adjustments``, which the run posted; below zero it owed the city. The payment is net and carried
    together, less ``held_fen``, which is above the partner's cap.

    ``days`` add up to the gross. ``codes`` add up to everything the partner's own terminals handed in.
    Without ``end_to_end`` nothing was paid: the partner is suspended or has no bank account, and the net
    stays payable.
    """

    run: int
    partner: str
    name: str
    account_name: str
    account_no: str
    bank_bic: str
    records: int
    gross_fen: int
    fee_fen: int
    net_fen: int
    carried_fen: int
    held_fen: int
    end_to_end: str
    days: tuple[DayLine, ...]
    codes: tuple[CodeLine, ...]
    adjustments: tuple[AdjustmentLine, ...] = ()


def statements_of(context: ClearingContext, run: int | None = None) -> tuple[Statement, ...]:
    """Give every partner's statement of a run, by partner; of the last closed run unless told.

    Raise RunUnknown when there is no such run, or none is closed yet.
    """
    with reading(context.engine) as conn:
        closed = select(clearing_run.c.number).where(clearing_run.c.state == "closed")
        wanted = (
            closed.order_by(clearing_run.c.number.desc()).limit(1)
            if run is None
            else closed.where(clearing_run.c.number == run)
        )
        number = conn.scalar(wanted)
        if number is None:
            raise RunUnknown(number=Phrase("(the last)") if run is None else run)
        rows = conn.execute(select(statement).where(statement.c.run == number).order_by(statement.c.partner))
        moved = adjustments_of_run(conn, number)
        return tuple(_statement(row, moved) for row in rows)


def statement_of(context: ClearingContext, partner: str, run: int | None = None) -> Statement:
    """Give one partner's statement of a run, or its latest one: a later run may have nothing of it.

    Raise RunUnknown, or StatementUnknown when the run, or every run, has nothing of that partner.
    """
    with reading(context.engine) as conn:
        return read_statement(conn, partner, run)


def read_statement(conn: Connection, partner: str, run: int | None = None) -> Statement:
    """Give what ``statement_of`` gives, in a transaction that is open already."""
    if run is None:
        # Statements are written when a run is closed.
        run = conn.scalar(select(func.max(statement.c.run)).where(statement.c.partner == partner))
    closed = select(clearing_run.c.number).where(clearing_run.c.state == "closed")
    if run is None or conn.scalar(closed.where(clearing_run.c.number == run)) is None:
        if run is None and conn.scalar(closed.limit(1)) is not None:
            raise StatementUnknown(partner=partner, run=Phrase("any run"))
        raise RunUnknown(number=Phrase("(the last)") if run is None else run)
    query = select(statement).where(statement.c.run == run, statement.c.partner == partner)
    row = conn.execute(query).one_or_none()
    if row is None:
        raise StatementUnknown(partner=partner, run=Phrase("run {run}", run=run))
    return _statement(row, adjustments_of_run(conn, run, partner))


def _statement(row: Row[Any], moved: Iterable[PostedAdjustment]) -> Statement:
    detail, payable = row.detail, partner_payable(row.partner)
    return Statement(
        run=row.run,
        partner=row.partner,
        name=row.name,
        account_name=row.account_name,
        account_no=row.account_no,
        bank_bic=row.bank_bic,
        records=row.records,
        gross_fen=row.gross_fen,
        fee_fen=row.fee_fen,
        net_fen=row.net_fen,
        carried_fen=row.carried_fen,
        held_fen=row.held_fen,
        end_to_end=row.end_to_end,
        days=tuple(
            DayLine(business_date=date.fromisoformat(day), records=records, gross_fen=gross_fen)
            for day, records, gross_fen in detail["days"]
        ),
        codes=tuple(
            CodeLine(
                business_date=date.fromisoformat(day),
                state=State(state),
                code=code,
                records=records,
                amount_fen=amount_fen,
            )
            for day, state, code, records, amount_fen in detail["codes"]
        ),
        adjustments=tuple(
            AdjustmentLine(
                code=one.code,
                about=one.about,
                change_fen=one.change_fen(payable),
                reason=one.reason,
                transfer=one.id,
            )
            for one in moved
            if payable in {one.debit, one.credit}
        ),
    )
