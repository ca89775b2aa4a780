"""The formats in which senders hand in files: batches, CSV, Parquet, and text of fixed width."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from citycard.clearing.cover import Cover
from citycard.clearing.fixedwidth import read_fixed, read_mapping, write_fixed
from citycard.clearing.parquet import read_parquet
from citycard.clearing.rows import COLUMNS, Rows, read_rows, write_rows
from citycard.errors import SentFileDamaged
from citycard.terminal.batch import Batch, batch_length
from citycard.terminal.record import RECORD_SIZE

__all__ = ["read_sent", "write_sent"]

_AROUND_RECORDS = 104
_MOST_BATCHES = 100_000


def read_sent(cover: Cover, data: bytes, folder: Path) -> Rows:
    """Read the batches of a file in the format that its cover names; raise SentFileDamaged.

    ``folder`` may hold the city's own ``978.toml``.
    """
    if cover.format == "ccb":
        return _split(data)
    if cover.format == "csv":
        return read_rows(_counted(cover, _read_csv(data)), first_line=2)
    if cover.format == "parquet":
        return read_rows(read_parquet(data, cover.records), first_line=1)
    mapping = read_mapping(folder)
    table = _counted(cover, read_fixed(mapping, cover, data))
    return read_rows(table, first_line=1 + mapping.header_lines)


def _counted(cover: Cover, table: pa.Table) -> pa.Table:
    """Require as many rows as the cover says, before anything is made of them."""
    if table.num_rows != cover.records:
        reason = f"{cover.records} records as on the cover, not {table.num_rows}"
        raise SentFileDamaged(code="F06", line=1, field="file", expected=reason)
    return table


def write_sent(cover: Cover, batches: Sequence[Batch], files: Sequence[bytes], folder: Path) -> bytes:
    """Write batches in the format that a cover names; ``files`` are the same batches as they came."""
    if cover.format == "ccb":
        return b"".join(files)
    table, out = write_rows(batches), io.BytesIO()
    if cover.format == "csv":
        options = pyarrow.csv.WriteOptions(quoting_style="none", include_header=False)
        out.write((",".join(table.column_names) + "\n").encode())
        pyarrow.csv.write_csv(table, out, options)
    elif cover.format == "parquet":
        pq.write_table(table, out, compression="zstd")
    else:
        return write_fixed(read_mapping(folder), cover, table)
    return out.getvalue()


def _split(data: bytes) -> Rows:
    """Cut batch files that stand one after the other; each is checked like one that came by itself."""
    batches: list[bytes] = []
    at = records = amount_fen = 0
    while at < len(data):
        end = at + batch_length(data, at)
        if data[at : at + 4] != b"CCB1" or end > len(data):
            raise SentFileDamaged(code="F07", line=len(batches) + 1, field="batch", expected="a whole batch")
        if len(batches) == _MOST_BATCHES:
            expected = f"at most {_MOST_BATCHES} batches in a file"
            raise SentFileDamaged(code="F07", line=len(batches) + 1, field="batch", expected=expected)
        batches.append(data[at:end])
        records += (end - at - _AROUND_RECORDS) // RECORD_SIZE
        amount_fen += int.from_bytes(data[end - 56 : end - 48], "big")
        at = end
    return Rows(batches=tuple(batches), records=records, amount_fen=amount_fen)


def _read_csv(data: bytes) -> pa.Table:
    try:
        data.decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise SentFileDamaged(code="F07", line=line, field="text", expected="UTF-8") from None
    odd: list[pyarrow.csv.InvalidRow] = []

    def refuse(row: pyarrow.csv.InvalidRow) -> str:
        odd.append(row)
        return "error"

    try:
        return pyarrow.csv.read_csv(
            io.BytesIO(data),
            pyarrow.csv.ReadOptions(use_threads=False),
            pyarrow.csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=refuse),
            pyarrow.csv.ConvertOptions(
                column_types={column.name: pa.string() for column in COLUMNS},
                strings_can_be_null=False,
                quoted_strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid as error:
        if odd:
            expected = f"{odd[0].expected_columns} fields, not {odd[0].actual_columns}"
            line = odd[0].number or 0
            raise SentFileDamaged(code="F07", line=line, field="line", expected=expected) from None
        raise SentFileDamaged(code="F07", line=1, field="file", expected=f"CSV ({error})") from None
