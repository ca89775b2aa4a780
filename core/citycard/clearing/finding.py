"""Find a record by its id, or by its card and counter: the file it came in, and its bytes."""

from __future__ import annotations

import re
from typing import Any

import attrs
from sqlalchemy import Connection, Row, select

from citycard.card.codec import decode
from citycard.clearing.codes import FileState
from citycard.clearing.columns import bucket_of
from citycard.clearing.context import ClearingContext
from citycard.clearing.tables import batch_file, segment
from citycard.errors import CodecError, RecordUnknown
from citycard.terminal.batch import Batch, read_batch
from citycard.terminal.record import TransactionRecord

__all__ = ["Found", "find_record", "record_id", "record_key"]

# One spelling each: what is told apart by its id must not have two.
_RECORD_ID = re.compile(r"([0-9]{12})-(0|[1-9][0-9]{0,9})-(0|[1-9][0-9]{0,9})")


@attrs.frozen(kw_only=True)
class Found:
    """A record that was handed in: where it stands, its file's row, its bytes, what can be read of it."""

    terminal: str
    number: int
    line: int
    file: Row[Any]
    raw: bytes
    record: TransactionRecord | None

    @property
    def id(self) -> str:
        """Give the record's id."""
        return record_id(self.terminal, self.number, self.line)


def record_id(terminal: str, number: int, line: int) -> str:
    """Write the id of a record: its terminal, that terminal's batch, and the line in it, counted from 1."""
    return f"{terminal}-{number}-{line}"


def record_key(record: str) -> tuple[str, int, int]:
    """Read the id of a record into terminal, batch and line; raise RecordUnknown."""
    found = _RECORD_ID.fullmatch(record)
    if found is None:
        raise RecordUnknown(record=record)
    return found[1], int(found[2]), int(found[3])


def find_record(context: ClearingContext, conn: Connection, record: str | tuple[str, int]) -> Found:
    """Find a record by its id (``344000000001-3-7``), or by its card's ASN and counter.

    Raise RecordUnknown when no accepted file has it, ArchiveDamaged when the file's bytes are lost.
    """
    key = record_key(record) if isinstance(record, str) else _by_card(context, conn, record)
    terminal, number, line = key
    row = _file(conn, terminal, number)
    batch = _batch(context, row) if row is not None else None
    if row is None or batch is None or not 1 <= line <= len(batch.records):
        raise RecordUnknown(record=record)
    raw = batch.records[line - 1]
    return Found(terminal=terminal, number=number, line=line, file=row, raw=raw, record=_decoded(raw))


def _by_card(context: ClearingContext, conn: Connection, card: tuple[str, int]) -> tuple[str, int, int]:
    asn, counter = card
    rows = _search(context, conn, asn, counter)
    if not rows:
        raise RecordUnknown(record=f"{asn} {counter}")
    return rows[0]


def _search(context: ClearingContext, conn: Connection, asn: str, counter: int) -> list[tuple[str, int, int]]:
    import duckdb

    from citycard.clearing.files import literal

    query = select(segment.c.path).where(segment.c.bucket == bucket_of(asn))
    paths = [literal(context.folder / path) for path in conn.scalars(query)]
    if not paths:
        return []
    with duckdb.connect() as engine:
        rows: list[tuple[str, int, int]] = engine.execute(
            "SELECT batch_terminal, batch_number, line FROM read_parquet($paths, hive_partitioning = false)"
            " WHERE asn = $asn AND counter = $counter ORDER BY ALL",
            {"paths": paths, "asn": asn, "counter": counter},
        ).fetchall()
    return rows


def _file(conn: Connection, terminal: str, number: int) -> Row[Any] | None:
    return conn.execute(
        select(batch_file).where(
            batch_file.c.terminal == terminal,
            batch_file.c.number == number,
            batch_file.c.state == FileState.ACCEPTED.value,
        )
    ).one_or_none()


def _batch(context: ClearingContext, row: Row[Any]) -> Batch:
    from citycard.clearing.files import read_archived

    return read_batch(read_archived(context.folder / row.archive, row.digest))


def _decoded(raw: bytes) -> TransactionRecord | None:
    try:
        return decode(TransactionRecord, raw)
    except CodecError:
        return None
