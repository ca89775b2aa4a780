"""What came of a record after its run: each partner's net position, the bank's lines, decisions, disputes."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Any

import attrs
from sqlalchemy import Connection, Row, select, tuple_

from citycard.bank.lines import MatchedLine
from citycard.bank.tables import bank_statement
from citycard.bank.tracing import Trace, trace_payments
from citycard.clearing.adjusting import PostedAdjustment, adjustments_about, partners_of
from citycard.clearing.casetables import clearing_decision
from citycard.clearing.disputes import Dispute, find_disputes
from citycard.clearing.exceptions import Decided
from citycard.clearing.payments import payment_path
from citycard.clearing.tables import statement
from citycard.ids import derived_id

__all__ = ["Aftermath", "BankEntry", "BankLine", "Position", "aftermath_of"]


@attrs.frozen(kw_only=True)
class Position:
    """What a run came to for one partner: the statement into which a share, or an adjustment, went.

    ``carried_fen`` was owed before and by adjustments, ``held_fen`` stays payable above the partner's cap.
    """

    run: int
    partner: str
    records: int
    gross_fen: int
    fee_fen: int
    net_fen: int
    carried_fen: int
    held_fen: int
    paid_fen: int


@attrs.frozen(kw_only=True)
class BankEntry:
    """A line of the bank's statement about a payment, and where it ended."""

    statement: str
    position: int
    booked_on: date
    amount_fen: int
    state: str
    code: str
    reason: str


@attrs.frozen(kw_only=True)
class BankLine:
    """The payment a share went into: its reference, the whole amount, the file and the account paid.

    ``state`` and ``code`` say how far it is (``bank.tracing``), ``entries`` what the bank's statements say.
    """

    partner: str
    end_to_end: str
    amount_fen: int
    account_no: str
    file: str | None
    state: str = ""
    code: str = ""
    entries: tuple[BankEntry, ...] = ()


@attrs.frozen(kw_only=True)
class Aftermath:
    """What came of a record after its run."""

    positions: tuple[Position, ...] = ()
    bank: tuple[BankLine, ...] = ()
    decision: Decided | None = None
    adjustments: tuple[PostedAdjustment, ...] = ()
    disputes: tuple[Dispute, ...] = ()


def aftermath_of(conn: Connection, record: str, run: int, partners: Iterable[str]) -> Aftermath:
    """Follow a record from the partners that a run gave a share of it, to the bank and to adjustments."""
    moved = adjustments_about(conn, about=record)
    wanted = {(run, partner) for partner in partners}
    wanted |= {(one.run, partner) for one in moved if one.run for partner in partners_of([one])}
    rows = _statements(conn, wanted)
    decided = conn.execute(
        select(clearing_decision).where(clearing_decision.c.record == record)
    ).one_or_none()
    return Aftermath(
        positions=tuple(map(_position, rows)),
        bank=tuple(_bank(conn, [row for row in rows if row.end_to_end])),
        decision=None if decided is None else Decided.of(decided),
        adjustments=tuple(moved),
        disputes=tuple(find_disputes(conn, state=None, about=record)),
    )


def _statements(conn: Connection, wanted: set[tuple[int, str]]) -> list[Row[Any]]:
    query = select(statement).where(tuple_(statement.c.run, statement.c.partner).in_(sorted(wanted)))
    return list(conn.execute(query.order_by(statement.c.run, statement.c.partner))) if wanted else []


def _position(row: Row[Any]) -> Position:
    names = [field.name for field in attrs.fields(Position)][:-1]
    paid_fen = row.net_fen + row.carried_fen - row.held_fen if row.end_to_end else 0
    return Position(**{name: getattr(row, name) for name in names}, paid_fen=paid_fen)


def _bank(conn: Connection, rows: list[Row[Any]]) -> list[BankLine]:
    ids = {(row.run, row.partner): derived_id("clearing", row.run, "payment", row.partner) for row in rows}
    traces = trace_payments(conn, ids.values())
    lines = [line for trace in traces.values() for line in trace.lines]
    names = {line.statement for line in lines}
    query = select(bank_statement.c.number, bank_statement.c.statement_id)
    said = {
        row.number: row.statement_id for row in conn.execute(query.where(bank_statement.c.number.in_(names)))
    }
    return [
        BankLine(
            partner=row.partner,
            end_to_end=row.end_to_end,
            amount_fen=_position(row).paid_fen,
            account_no=row.account_no,
            file=payment_path(row.run),
            **_traced(traces.get(ids[row.run, row.partner]), said),
        )
        for row in rows
    ]


def _traced(trace: Trace | None, said: dict[int, str]) -> dict[str, Any]:
    if trace is None:
        return {}
    return {
        "state": trace.payment.state.value,
        "code": trace.code.name if trace.code is not None else "",
        "entries": tuple(_entry(line, said[line.statement]) for line in trace.lines),
    }


def _entry(line: MatchedLine, statement_id: str) -> BankEntry:
    return BankEntry(
        statement=statement_id,
        position=line.line.position,
        booked_on=line.line.booked_on,
        amount_fen=line.line.amount_fen,
        state=line.state.value,
        code=line.code,
        reason=line.reason,
    )
