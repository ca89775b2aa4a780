"""Find a record by its id, or by its card and counter: the file it came in, and its bytes.

A record came in a batch of one of our terminals, or in a file of another city, whose code then stands where
the terminal would.
"""

from __future__ import annotations

import re

import attrs
from sqlalchemy import Connection, select

from citycard.card.codec import decode
from citycard.clearing.codes import FileState
from citycard.clearing.columns import bucket_of
from citycard.clearing.context import CityFile, ClearingContext
from citycard.clearing.tables import batch_file, segment
from citycard.errors import CodecError, RecordUnknown
from citycard.terminal.batch import read_batch
from citycard.terminal.record import TransactionRecord

__all__ = ["Found", "RecordFile", "find_file", "find_record", "is_city", "record_id", "record_key"]

# One spelling each: what is told apart by its id must not have two.
_RECORD_ID = re.compile(r"([0-9]{12})-(0|[1-9][0-9]{0,9})-(0|[1-9][0-9]{0,9})")
_CITY = "0" * 8


@attrs.frozen(kw_only=True)
class RecordFile:
    """The accepted file that records came in.

    ``first_sequence`` is that of its first record, None in a file of another city: that counts lines alone.
    """

    name: str
    digest: str
    intake: int
    archive: str
    first_sequence: int | None


@attrs.frozen(kw_only=True)
class Found:
    """A record that was handed in: where it stands, its file, its bytes, what can be read of it."""

    terminal: str
    number: int
    line: int
    file: RecordFile
    raw: bytes
    record: TransactionRecord | None

    @property
    def id(self) -> str:
        """Give the record's id."""
        return record_id(self.terminal, self.number, self.line)


def record_id(terminal: str, number: int, line: int) -> str:
    """Write the id of a record: its terminal, that terminal's batch, and the line in it, counted from 1."""
    return f"{terminal}-{number}-{line}"


def is_city(terminal: str) -> bool:
    """Say whether what stands where a terminal does is the code of another city (``bucket.CITY_SIGNERS``)."""
    return terminal.startswith(_CITY)


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
    file = find_file(context, conn, terminal, number)
    raw = _raw(context, conn, file, line) if file is not None else None
    if file is None or raw is None:
        raise RecordUnknown(record=record)
    return Found(terminal=terminal, number=number, line=line, file=file, raw=raw, record=_decoded(raw))


def find_file(context: ClearingContext, conn: Connection, terminal: str, number: int) -> RecordFile | None:
    """Find the accepted file of a terminal, or of another city, with a number; None when none came in."""
    if is_city(terminal):
        found = context.city_file(conn, terminal.removeprefix(_CITY), number)
        return None if found is None else _of_city(found)
    columns = (batch_file.c[field.name] for field in attrs.fields(RecordFile))
    query = select(*columns).where(
        batch_file.c.terminal == terminal,
        batch_file.c.number == number,
        batch_file.c.state == FileState.ACCEPTED.value,
    )
    row = conn.execute(query).one_or_none()
    return None if row is None else RecordFile(**row._mapping)  # noqa: SLF001 - a Row's own way


def _of_city(file: CityFile) -> RecordFile:
    return RecordFile(
        name=file.name, digest=file.digest, intake=file.intake, archive=file.path, first_sequence=None
    )


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


def _raw(context: ClearingContext, conn: Connection, file: RecordFile, line: int) -> bytes | None:
    """Read the bytes of one line of a file; None when it has no such line."""
    import pyarrow.compute as pc

    from citycard.clearing.files import read_archived, read_tables

    if file.first_sequence is not None:
        records = read_batch(read_archived(context.folder / file.archive, file.digest)).records
        return records[line - 1] if 1 <= line <= len(records) else None
    paths = conn.scalars(select(segment.c.path).where(segment.c.intake == file.intake))
    table = read_tables(context.folder, paths, ["line", "raw"])
    rows = [] if table is None else table.filter(pc.equal(table["line"], line))["raw"].to_pylist()
    return rows[0] if rows else None


def _decoded(raw: bytes) -> TransactionRecord | None:
    try:
        return decode(TransactionRecord, raw)
    except CodecError:
        return None
