"""Read what came from the bank: statements, and lines with where each ended."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, Select, select

from citycard.bank.codes import BankCode, LineState
from citycard.bank.rematching import line_of
from citycard.bank.statement import StatementLine
from citycard.bank.tables import bank_case, bank_line, bank_match, bank_statement

__all__ = ["MatchedLine", "StoredStatement", "lines_where", "matched_lines", "statements"]


@attrs.frozen(kw_only=True)
class StoredStatement:
    """A statement as it is kept, without its lines; ``lines`` counts them."""

    number: int
    statement_id: str
    account: str
    sequence: int | None
    opened_on: date
    closed_on: date
    opening_fen: int
    closing_fen: int
    credit_fen: int
    debit_fen: int
    lines: int
    received_at: datetime


@attrs.frozen(kw_only=True)
class MatchedLine:
    """A line and where it ended: state, code and reason, and what became of it when it was an exception."""

    statement: int
    line: StatementLine
    state: LineState = attrs.field(converter=LineState)
    code: str
    reason: str
    payment: UUID | None
    case: UUID | None
    case_state: str
    how: str


def statements(conn: Connection, *, limit: int | None = None) -> list[StoredStatement]:
    """Give the statements, the last received first."""
    columns = [bank_statement.c[field.name] for field in attrs.fields(StoredStatement)]
    query = select(*columns).order_by(bank_statement.c.number.desc()).limit(limit)
    return [StoredStatement(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way


def matched_lines(
    conn: Connection,
    *,
    statement: int | None = None,
    state: LineState | None = None,
    code: BankCode | None = None,
    limit: int | None = None,
) -> list[MatchedLine]:
    """Give lines in the order of their statements, with where each ended."""
    query = _lines()
    if statement is not None:
        query = query.where(bank_line.c.statement == statement)
    if state is not None:
        query = query.where(bank_match.c.state == state.value)
    if code is not None:
        query = query.where(bank_match.c.code == code.name)
    ordered = query.order_by(bank_line.c.statement, bank_line.c.position).limit(limit)
    return [_matched(row) for row in conn.execute(ordered)]


def lines_where(conn: Connection, condition: Any) -> list[MatchedLine]:
    """Give the lines for whose match a condition holds, in the order of their statements."""
    ordered = _lines().where(condition).order_by(bank_line.c.statement, bank_line.c.position)
    return [_matched(row) for row in conn.execute(ordered)]


def _lines() -> Select[Any]:
    return (
        select(
            bank_line,
            bank_match.c.state,
            bank_match.c.code,
            bank_match.c.reason,
            bank_match.c.payment,
            bank_case.c.id.label("case"),
            bank_case.c.state.label("case_state"),
            bank_case.c.how,
        )
        .join(bank_match, _same(bank_match))
        .outerjoin(bank_case, _same(bank_case))
    )


def _same(other: Any) -> Any:
    return (other.c.statement == bank_line.c.statement) & (other.c.position == bank_line.c.position)


def _matched(row: Row[Any]) -> MatchedLine:
    return MatchedLine(
        statement=row.statement,
        line=line_of(row),
        state=row.state,
        code=row.code,
        reason=row.reason,
        payment=row.payment,
        case=row.case,
        case_state=row.case_state or "",
        how=row.how or "",
    )
