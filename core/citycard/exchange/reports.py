"""Where every file and every record of the exchange ended: what goes in comes out, in records and in fen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
from sqlalchemy import Connection, Row, and_, func, select, tuple_

from citycard.exchange.context import ExchangeContext
from citycard.exchange.filebook import NEWEST, BookedFile, FileTotal, MissingFile, file_page, missing_files
from citycard.exchange.format import FileKind, read_file
from citycard.exchange.outgoing import totals_of
from citycard.exchange.tables import exchange_answer, exchange_file, exchange_record
from citycard.store.bulk import select_in
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
    """Files sent or handed in, the newest first, the numbers that are missing (F05), and where records ended.

    ``accounts`` are of the files of records among them.
    """

    files: tuple[BookedFile, ...]
    missing: tuple[MissingFile, ...]
    accounts: tuple[FileAccount, ...]


def exchange_status(
    context: ExchangeContext, city: str = "", *, before: int = NEWEST, limit: int | None = None
) -> ExchangeStatus:
    """Say where what was exchanged ended, with all cities or with one, the newest files first.

    Give ``limit`` files from the one booked last before ``before`` (a file's ``seq``), or all of them.
    """
    with reading(context.engine) as conn:
        files = file_page(conn, city=city, before=before, limit=limit)
        records = [
            file for file in files if (file.kind, file.state.value) == (FileKind.RECORDS.value, "accepted")
        ]
        answers = _answers_sent(context, conn, [file for file in records if file.way == "in"])
        return ExchangeStatus(
            files=tuple(files),
            missing=tuple(one for one in missing_files(conn) if city in ("", one.city)),
            accounts=tuple(_account(conn, file, answers) for file in records),
        )


def _account(
    conn: Connection, file: BookedFile, answers: Mapping[tuple[str, int], list[RecordTotal]]
) -> FileAccount:
    assert file.number is not None
    totals = _answered(conn, file) if file.way == "out" else answers.get((file.city, file.number))
    if totals is None:
        waiting = RecordTotal(state=WAITING, code="", records=file.records, amount_fen=file.amount_fen)
        totals = [waiting] if file.records else []
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
    context: ExchangeContext, conn: Connection, files: Sequence[BookedFile]
) -> dict[tuple[str, int], list[RecordTotal]]:
    """Give what we answered to files of records, by their city and number, as it was added up when sent."""
    columns = (exchange_file.c[name] for name in ("city", "answers", "path", "totals"))
    query = select(*columns).where(
        exchange_file.c.way == "out", exchange_file.c.kind == FileKind.ANSWERS.value
    )
    about = tuple_(exchange_file.c.city, exchange_file.c.answers)
    rows = select_in(conn, query, about, [(file.city, file.number) for file in files])
    return {
        (row.city, row.answers): [
            RecordTotal(state=state, code=code, records=records, amount_fen=fen)
            for state, code, records, fen in _kept(context, row)
        ]
        for row in rows
    }


def _kept(context: ExchangeContext, row: Row[Any]) -> Sequence[FileTotal]:
    kept: Sequence[FileTotal] | None = row.totals
    if kept is not None:
        return kept
    # It was sent before the book kept what answers come to.
    return totals_of(read_file((context.folder / row.path).read_bytes()).lines)
