"""Batches as rows of named columns, and back: what every format but our own carries (docs/intake.md).

A row is one record, with the batch that it is part of. All of a batch file stands in its rows, so that it can
be written again byte by byte, and the terminal's signature still holds.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, Final

import attrs
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from citycard.card.codec import decode, encode, layout_of
from citycard.clearing.columns import RECORD, Array, digits, hexadecimal
from citycard.clearing.reports import RowProblem, readable
from citycard.errors import CodecError, SentFileDamaged
from citycard.terminal.batch import Batch, BatchHeader, BatchTrailer
from citycard.terminal.record import TransactionRecord

__all__ = ["COLUMNS", "RowColumn", "Rows", "read_rows", "write_rows"]

_SIGNATURE = 16


@attrs.frozen(kw_only=True)
class RowColumn:
    """A column of rows: a whole number, or ``size`` bytes written as hexadecimal digits.

    ``default`` stands where the column is left out; None says that it must be there.
    """

    name: str
    size: int
    number: bool
    default: str | None = None

    @property
    def most(self) -> int:
        """Give the largest number of the column."""
        return int(256**self.size - 1)

    @property
    def expected(self) -> str:
        """Say what must stand in the column."""
        if self.number:
            return f"a whole number from 0 to {self.most}"
        return f"{2 * self.size} hexadecimal digits"


_LEFT_OUT: Final = {
    "version": "1",
    "flags": "0",
    "list_price_fen": "0",
    "facts": "00" * 48,
    "mac": "00" * 4,
    "reserved": "00" * 2,
}

BATCH_COLUMNS: Final = (
    RowColumn(name="batch_terminal", size=6, number=False),
    RowColumn(name="batch_number", size=4, number=True),
    RowColumn(name="sequence", size=4, number=True),
    RowColumn(name="business_date", size=4, number=False),
    RowColumn(name="created_at", size=7, number=False),
    RowColumn(name="batch_signature", size=_SIGNATURE, number=False, default="00" * _SIGNATURE),
)
COLUMNS: Final = (
    *BATCH_COLUMNS,
    *(
        RowColumn(
            name=field.name,
            size=field.kind.size,
            number=field.kind.code in "BHI",
            default=_LEFT_OUT.get(field.name),
        )
        for field in layout_of(TransactionRecord).fields
    ),
)
"""The columns, in the order in which they are written."""


@attrs.frozen(kw_only=True)
class Rows:
    """The batches of a file, as batch files, and the fields that could not be read.

    ``records`` and ``amount_fen`` are what was found; ``amounts_clear`` says whether every amount was read.
    """

    batches: tuple[bytes, ...] = attrs.field(repr=False)
    records: int
    amount_fen: int
    amounts_clear: bool = True
    unreadable: int = 0
    problems: tuple[RowProblem, ...] = ()


_MOST_PROBLEMS: Final = 100


# ── writing ──────────────────────────────────────────────────────────────────────────────────────


def write_rows(batches: Sequence[Batch]) -> pa.Table:
    """Give the records of batches as rows: numbers as integers, everything else as text."""
    records = np.frombuffer(b"".join(batch.body for batch in batches), RECORD)
    sizes = [batch.header.count for batch in batches]
    made: dict[str, Any] = {
        "batch_terminal": _repeated([batch.header.terminal for batch in batches], sizes),
        "batch_number": _repeated([batch.header.number for batch in batches], sizes),
        "sequence": _repeated([batch.header.first_sequence for batch in batches], sizes, counting=True),
        "business_date": _repeated([f"{batch.header.business_date:%Y%m%d}" for batch in batches], sizes),
        "created_at": _repeated([f"{batch.header.created_at:%Y%m%d%H%M%S}" for batch in batches], sizes),
        "batch_signature": _repeated([batch.trailer.signature.hex().upper() for batch in batches], sizes),
    }
    for column in COLUMNS[len(BATCH_COLUMNS) :]:
        if column.number:
            made[column.name] = records[column.name].astype(np.int64)
        else:
            made[column.name] = hexadecimal(digits(records, column.name))
    kinds = [(column.name, pa.int64() if column.number else pa.string()) for column in COLUMNS]
    return pa.table({column.name: made[column.name] for column in COLUMNS}).cast(pa.schema(kinds))


def _repeated(values: Sequence[Any], sizes: Sequence[int], *, counting: bool = False) -> pa.Array:
    if counting:
        values = [first + place for first, size in zip(values, sizes, strict=True) for place in range(size)]
        return pa.array(values)
    return pa.array(values).take(pa.array(np.repeat(np.arange(len(values)), sizes)))


# ── reading ──────────────────────────────────────────────────────────────────────────────────────


def read_rows(table: pa.Table, first_line: int) -> Rows:
    """Read rows into batches; the first row stands in ``first_line`` of its file.

    A record of which a field cannot be read keeps its place, and says of itself that it cannot be read. What
    says which batch it belongs to must be read: raise SentFileDamaged otherwise, or for columns that are
    missing or not known.
    """
    _require_columns(table.column_names)
    records = np.zeros(table.num_rows, RECORD)
    bad = np.zeros(table.num_rows, bool)
    problems: list[RowProblem] = []
    batch: dict[str, Array] = {}
    clear = True
    for column in COLUMNS:
        values, fine = _values(table, column)
        wrong = np.flatnonzero(~fine)
        if len(wrong):
            found = [_problem(table, column, place, first_line) for place in wrong[:_MOST_PROBLEMS].tolist()]
            if column in BATCH_COLUMNS:
                raise _damaged(found[0].line, found[0].field, found[0].expected)
            problems += found
            clear = clear and column.name != "amount_fen"
            bad |= ~fine
        if column in BATCH_COLUMNS:
            batch[column.name] = values
        else:
            records[column.name] = values
    # Such a record is of no version: it ends as R01, and what could be read of it stays.
    records["version"][bad] = 0
    return Rows(
        batches=tuple(_batches(batch, records, first_line)),
        records=len(records),
        amount_fen=int(records["amount_fen"].sum(dtype=np.int64)),
        amounts_clear=clear,
        unreadable=int(bad.sum()),
        problems=tuple(sorted(problems, key=lambda one: one.line)[:_MOST_PROBLEMS]),
    )


def _require_columns(names: Sequence[str]) -> None:
    known = {column.name for column in COLUMNS}
    for name in names:
        if name not in known or list(names).count(name) > 1:
            raise _damaged(1, name[:40], "only columns of docs/intake.md, each once")
    for column in COLUMNS:
        if column.default is None and column.name not in names:
            raise _damaged(1, column.name, "a column of this name")


def _damaged(line: int, field: str, expected: str) -> SentFileDamaged:
    return SentFileDamaged(code="F07", line=line, field=field, expected=expected)


def _problem(table: pa.Table, column: RowColumn, place: int, first_line: int) -> RowProblem:
    text = table[column.name][place].as_py()
    shown = "" if text is None else readable(str(text)[:40])
    return RowProblem(line=first_line + place, field=column.name, text=shown, expected=column.expected)


def _values(table: pa.Table, column: RowColumn) -> tuple[Array, Array]:
    """Give the values of a column, and which of them could be read; zeros stand for the others."""
    count = table.num_rows
    if column.name not in table.column_names:
        assert column.default is not None
        if column.number:
            return np.full(count, int(column.default)), np.ones(count, bool)
        row = np.frombuffer(bytes.fromhex(column.default), np.uint8)
        return np.broadcast_to(row, (count, column.size)), np.ones(count, bool)
    given = table[column.name].combine_chunks()
    return _numbers(given, column) if column.number else _bytes(given, column)


def _numbers(given: pa.Array, column: RowColumn) -> tuple[Array, Array]:
    if pa.types.is_string(given.type):
        fine = pc.fill_null(pc.match_substring_regex(given, r"^[0-9]{1,18}$"), fill_value=False)
        given = pc.if_else(fine, given, "0").cast(pa.int64())
    elif pa.types.is_uint64(given.type):
        fine = pc.fill_null(pc.less_equal(given, column.most), fill_value=False)
        given = pc.if_else(fine, given, pa.scalar(0, given.type)).cast(pa.int64())
    elif pa.types.is_integer(given.type):
        fine, given = pc.is_valid(given), pc.fill_null(given.cast(pa.int64()), 0)
    else:
        raise _damaged(1, column.name, f"integers or text, not {given.type}")
    values = given.to_numpy()
    readable = fine.to_numpy(zero_copy_only=False) & (values >= 0) & (values <= column.most)
    return np.where(readable, values, 0), readable


_NIBBLE: Final = np.zeros(256, np.uint8)
_NIBBLE[[ord(digit) for digit in "0123456789ABCDEF"]] = range(16)
_NIBBLE[[ord(digit) for digit in "abcdef"]] = range(10, 16)


def _bytes(given: pa.Array, column: RowColumn) -> tuple[Array, Array]:
    if not pa.types.is_string(given.type):
        raise _damaged(1, column.name, f"text, not {given.type}")
    width = 2 * column.size
    fine = pc.fill_null(pc.match_substring_regex(given, f"^[0-9A-Fa-f]{{{width}}}$"), fill_value=False)
    # All are of one length now, so that the characters lie one after the other.
    even = pc.if_else(fine, given, "0" * width)
    text = np.frombuffer(even.cast(pa.binary()).cast(pa.binary(width)).buffers()[1], np.uint8)
    nibbles = _NIBBLE[text[: len(even) * width].reshape(len(even), width)]
    return nibbles[:, ::2] << 4 | nibbles[:, 1::2], fine.to_numpy(zero_copy_only=False)


def _batches(batch: dict[str, Array], records: Array, first_line: int) -> Iterator[bytes]:
    if not len(records):
        return
    key = np.concatenate(
        [batch["batch_terminal"], batch["batch_number"].astype(">u4").view(np.uint8).reshape(-1, 4)], axis=1
    )
    begins = [0, *(np.flatnonzero(np.any(key[1:] != key[:-1], axis=1)) + 1).tolist(), len(records)]
    seen: set[bytes] = set()
    for begin, end in pairwise(begins):
        if (name := key[begin].tobytes()) in seen:
            raise _damaged(first_line + begin, "batch_number", "the rows of a batch one after the other")
        seen.add(name)
        _require_even(batch, begin, end, first_line)
        yield _written(batch, records[begin:end], begin, first_line)


def _require_even(batch: dict[str, Array], begin: int, end: int, first_line: int) -> None:
    """Require of the rows of a batch that they count on, and say the same of it."""
    first = int(batch["sequence"][begin])
    odd = np.flatnonzero(batch["sequence"][begin:end] != np.arange(first, first + end - begin))
    if len(odd):
        place = int(odd[0])
        raise _damaged(first_line + begin + place, "sequence", f"{first + place}, counting on in the batch")
    for name in ("business_date", "created_at", "batch_signature"):
        odd = np.flatnonzero(np.any(batch[name][begin:end] != batch[name][begin], axis=1))
        if len(odd):
            raise _damaged(first_line + begin + int(odd[0]), name, "the same in all rows of a batch")


def _written(batch: dict[str, Array], records: Array, begin: int, first_line: int) -> bytes:
    head = _header(batch, len(records), begin)
    try:
        decode(BatchHeader, head)
    except CodecError as error:
        raise _damaged(first_line + begin, error.data.get("field", "batch"), error.data["expected"]) from None
    covered = head + records.tobytes()
    trailer = BatchTrailer(
        count=len(records),
        total_fen=int(records["amount_fen"].sum(dtype=np.int64)),
        digest=hashlib.sha256(covered).digest(),
        signature=batch["batch_signature"][begin].tobytes(),
    )
    return covered + encode(trailer)


def _header(batch: dict[str, Array], count: int, begin: int) -> bytes:
    fields = layout_of(BatchHeader).fields
    values = {
        "magic": b"CCB1",
        "version": (1).to_bytes(2, "big"),
        "terminal": batch["batch_terminal"][begin].tobytes(),
        "number": int(batch["batch_number"][begin]).to_bytes(4, "big"),
        "first_sequence": int(batch["sequence"][begin]).to_bytes(4, "big"),
        "count": count.to_bytes(4, "big"),
        "business_date": batch["business_date"][begin].tobytes(),
        "created_at": batch["created_at"][begin].tobytes(),
        "record_size": RECORD.itemsize.to_bytes(2, "big"),
        "reserved": bytes(3),
    }
    return b"".join(values[field.name] for field in fields)
