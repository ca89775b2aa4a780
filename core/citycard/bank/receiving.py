"""Take in bank statements: each once, whole, and every line ends in one state in the same transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date

import attrs
from sqlalchemy import Connection, func, insert, select

from citycard.bank.camt import read_statements
from citycard.bank.codes import LineState
from citycard.bank.context import BankContext
from citycard.bank.holes import Hole, holes
from citycard.bank.knowing import read_known
from citycard.bank.matching import match_line
from citycard.bank.rematching import Rematched, rematch
from citycard.bank.settling import Judged, settle
from citycard.bank.statement import BankStatement, Direction, StatementLine
from citycard.bank.tables import bank_line, bank_statement
from citycard.errors import BankAccountDiffers, BankStatementConflict
from citycard.files import write_whole
from citycard.store.bulk import insert_rows
from citycard.store.engine import write_alone, writing

__all__ = ["Received", "StatementReport", "match_again", "receive", "statement_path"]

_COLUMNS = ("statement", *(field.name for field in attrs.fields(StatementLine)))


@attrs.frozen(kw_only=True)
class StatementReport:
    """What became of one statement: new or a duplicate, and its lines by state."""

    number: int
    statement_id: str
    account: str
    closed_on: date
    new: bool
    lines: int
    pending: int
    opening_fen: int
    closing_fen: int
    states: dict[str, int]


@attrs.frozen(kw_only=True)
class Received:
    """What became of a file: its statements, what it made clear beside them, and what is missing now."""

    digest: str
    statements: tuple[StatementReport, ...]
    rematched: Rematched
    holes: tuple[Hole, ...]


def statement_path(digest: str) -> str:
    """Give the place of a statement's file as it came, relative to the city's folder."""
    return f"bank/statements/{digest}.xml"


def receive(context: BankContext, data: bytes) -> Received:
    """Take in a camt.053 file: keep it, store its statements, match and post every line.

    A statement that came before, in this file or another, changes nothing. Raise BankStatementInvalid,
    BankStatementTooLarge, BankAccountDiffers, and BankStatementConflict when a statement came before with
    other content; nothing is kept then.
    """
    found = read_statements(data)
    account = context.bank_terms.debtor.account
    for statement in found:
        if statement.account != account:
            raise BankAccountDiffers(
                statement=statement.statement_id, account=statement.account, expected=account
            )
    digest = hashlib.sha256(data).hexdigest()
    path = context.folder / statement_path(digest)
    with writing(context.engine) as conn:
        write_alone(conn, bank_statement)
        reports = [_take(conn, context, statement, digest) for statement in found]
        if any(report.new for report in reports) and not path.exists():
            # Before the commit: a file that no row names harms nobody, a row without its file would.
            write_whole(path, data)
        rematched = rematch(conn, context)
        missing = holes(conn, account)
    return Received(digest=digest, statements=tuple(reports), rematched=rematched, holes=tuple(missing))


def match_again(context: BankContext) -> Rematched:
    """Look again at the exceptions that nobody took, and for payments that are missing at the bank."""
    with writing(context.engine) as conn:
        write_alone(conn, bank_statement)
        return rematch(conn, context)


def _take(conn: Connection, context: BankContext, statement: BankStatement, digest: str) -> StatementReport:
    query = select(bank_statement).where(
        bank_statement.c.account == statement.account,
        bank_statement.c.statement_id == statement.statement_id,
    )
    before = conn.execute(query).one_or_none()
    if before is not None and before.digest != statement.digest:
        raise BankStatementConflict(statement=statement.statement_id)
    number = before.number if before is not None else _store(conn, context, statement, digest)
    ended = _match(conn, context, statement, number) if before is None else []
    states = {state.value: 0 for state in LineState}
    for each in ended:
        states[each.match.code.state.value] += 1
    return StatementReport(
        number=number,
        statement_id=statement.statement_id,
        account=statement.account,
        closed_on=statement.closed_on,
        new=before is None,
        lines=len(statement.lines),
        pending=statement.pending,
        opening_fen=statement.opening_fen,
        closing_fen=statement.closing_fen,
        states=states,
    )


def _store(conn: Connection, context: BankContext, statement: BankStatement, digest: str) -> int:
    number: int = (conn.scalar(select(func.max(bank_statement.c.number))) or 0) + 1
    row = attrs.asdict(statement, filter=lambda field, _: field.name not in {"lines", "pending"})
    sums = {
        "credit_fen": statement.credit_fen,
        "debit_fen": statement.debit_fen,
        "lines": len(statement.lines),
        "digest": statement.digest,
        "file_digest": digest,
        "received_at": context.clock.now(),
    }
    conn.execute(insert(bank_statement).values(row | sums | {"number": number}))
    rows = [
        (number, *(str(value) if isinstance(value, Direction) else value for value in attrs.astuple(line)))
        for line in statement.lines
    ]
    insert_rows(conn, bank_line, _COLUMNS, rows)
    return number


def _match(conn: Connection, context: BankContext, statement: BankStatement, number: int) -> Sequence[Judged]:
    # The lines are stored already, so that they would be taken for bookings of an earlier day.
    known = read_known(conn, statement.lines, before=number)
    judged = []
    # What went out comes first: a payment may come back on the day on which it went out.
    for line in sorted(statement.lines, key=lambda line: line.direction is Direction.CREDIT):
        match = match_line(line, known)
        known.learn(line, match)
        judged.append(
            Judged(
                statement=number,
                key=f"{statement.account}/{statement.statement_id}",
                line=line,
                match=match,
            )
        )
    return settle(conn, context.ledger, judged)
