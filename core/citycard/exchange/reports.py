"""Where every file and every record of the exchange ended: what goes in comes out, in records and in fen."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlalchemy import Connection, and_, func, select

from citycard.exchange.context import ExchangeContext
from citycard.exchange.filebook import BookedFile, MissingFile, booked_files, missing_files
from citycard.exchange.format import FileKind, read_file
from citycard.exchange.tables import exchange_answer, exchange_record
from citycard.store.engine import reading

__all__ = ["WAITING", "ExchangeStatus", "FileAccount", "RecordTotal", "exchange_status"]

WAITING = "waiting"
"""The state of a record that was sent and has no answer yet."""


@attrs.frozen(kw_only=True)
class RecordTotal:
    """How many records of a file ended in a state with a code, and their amount; no code while they wait."""

    state: str
    code: str
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class FileAccount:
    """A file of records with where all of them ended; the totals sum to the file's records and fen."""

    way: str
    city: str
    number: int
    records: int
    amount_fen: int
    totals: tuple[RecordTotal, ...]


@attrs.frozen(kw_only=True)
class ExchangeStatus:
    """Every file sent or handed in, the numbers that are missing (F05), and where the records ended."""

    files: tuple[BookedFile, ...]
    missing: tuple[MissingFile, ...]
    accounts: tuple[FileAccount, ...]


def exchange_status(context: ExchangeContext, city: str = "") -> ExchangeStatus:
    """Say where everything that was exchanged ended, with all cities or with one."""
    with reading(context.engine) as conn:
        files = booked_files(conn, city=city)
        records = [
            file for file in files if (file.kind, file.state.value) == (FileKind.RECORDS.value, "accepted")
        ]
        return ExchangeStatus(
            files=tuple(files),
            missing=tuple(one for one in missing_files(conn) if city in ("", one.city)),
            accounts=tuple(_account(context, conn, file, files) for file in records),
        )


def _account(
    context: ExchangeContext, conn: Connection, file: BookedFile, files: Sequence[BookedFile]
) -> FileAccount:
    assert file.number is not None
    totals = _answered(conn, file) if file.way == "out" else _answers_sent(context, file, files)
    assert sum(total.records for total in totals) == file.records
    assert sum(total.amount_fen for total in totals) == file.amount_fen
    return FileAccount(
        way=file.way,
        city=file.city,
        number=file.number,
        records=file.records,
        amount_fen=file.amount_fen,
        totals=tuple(totals),
    )


def _answered(conn: Connection, file: BookedFile) -> list[RecordTotal]:
    """Add up what was sent by its newest answer: a suspended record may have a final one later."""
    record, answer = exchange_record, exchange_answer
    newest = select(func.max(answer.c.answer)).where(
        *(answer.c[name] == record.c[name] for name in ("city", "file", "line"))
    )
    on = and_(
        *(answer.c[name] == record.c[name] for name in ("city", "file", "line")),
        answer.c.answer == newest.correlate(record).scalar_subquery(),
    )
    state, code = func.coalesce(answer.c.state, WAITING), func.coalesce(answer.c.code, "")
    query = (
        select(state.label("state"), code.label("code"), func.count(), func.sum(record.c.amount_fen))
        .select_from(record.outerjoin(answer, on))
        .where(record.c.city == file.city, record.c.file == file.number)
        .group_by(state, code)
        .order_by(state, code)
    )
    return [
        RecordTotal(state=row[0], code=row[1], records=int(row[2]), amount_fen=int(row[3]))
        for row in conn.execute(query)
    ]


def _answers_sent(
    context: ExchangeContext, file: BookedFile, files: Sequence[BookedFile]
) -> list[RecordTotal]:
    """Add up what we answered, from the file that we sent; before, all of it waits."""
    for sent in files:
        ours = (sent.way, sent.city, sent.kind) == ("out", file.city, FileKind.ANSWERS.value)
        if ours and sent.answers == file.number:
            lines = read_file((context.folder / sent.path).read_bytes()).lines
            found: dict[tuple[str, str], list[int]] = {}
            for line in lines:
                found.setdefault((line.state.value, line.code), []).append(line.amount_fen)
            return [
                RecordTotal(state=state, code=code, records=len(fens), amount_fen=sum(fens))
                for (state, code), fens in sorted(found.items())
            ]
    if not file.records:
        return []
    return [RecordTotal(state=WAITING, code="", records=file.records, amount_fen=file.amount_fen)]
