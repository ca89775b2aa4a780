"""Records as columns: many records read at once by the layout that also reads them one by one.

The one source of truth is the layout of ``terminal.record``. Here only the order is turned: field by field
over many records, instead of record by record.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa

from citycard.card.codec import Placed, layout_of
from citycard.terminal.record import RECORD_SIZE, RecordKind, TransactionRecord

__all__ = [
    "ASN_SIZE",
    "BUCKETS",
    "COLUMNS",
    "PLACES",
    "RECORD",
    "SLICES",
    "Array",
    "bucket_numbers",
    "bucket_of",
    "digits",
    "distinct",
    "dtype_of",
    "hexadecimal",
    "lie_in",
    "moments",
    "numbers",
    "packed",
    "readable",
    "record_column",
    "record_columns",
    "records_of",
    "share_numbers",
    "slice_of",
    "stored_records",
    "unclear",
    "whole",
]

Array = np.ndarray[Any, Any]

BUCKETS: Final = 16
"""Into how many parts cards are dealt. A bucket holds every record of its cards and is the unit of work."""

SLICES: Final = 16
"""Into how many parts the cards of a bucket are dealt: very many records of it are judged piece by piece."""

_FIELDS: Final = layout_of(TransactionRecord).fields
_VERSION: Final = 1
_KINDS: Final = [int(kind) for kind in RecordKind]

PLACES: Final = {field.name: slice(field.offset, field.offset + field.kind.size) for field in _FIELDS}
"""Where each field lies in the bytes of a record."""

ASN_SIZE: Final = PLACES["asn"].stop - PLACES["asn"].start
"""Of so many bytes is an ASN in a record."""


def dtype_of(layout: type) -> np.dtype[Any]:
    """Give a layout as NumPy reads it: numbers as they stand in its bytes, everything else as bytes."""
    fields = layout_of(layout).fields
    return np.dtype(
        {
            "names": [field.name for field in fields],
            "formats": [_format(field) for field in fields],
            "offsets": [field.offset for field in fields],
            "itemsize": sum(field.kind.size for field in fields),
        }
    )


def _format(field: Placed) -> str:
    code, size = field.kind.code, field.kind.size
    if code.upper() not in _INTEGERS:
        return f"({size},)u1"
    return f">u{size}" if code.isupper() else f">i{size}"


_INTEGERS: Final = frozenset("BHIQ")

RECORD: Final = dtype_of(TransactionRecord)
"""A record as NumPy reads it."""

COLUMNS: Final = {
    "kind": pa.uint8(),
    "tti": pa.uint8(),
    "flags": pa.uint8(),
    "service": pa.uint16(),
    "issuer": pa.string(),
    "asn": pa.string(),
    "card_kind": pa.uint8(),
    "key_version": pa.uint8(),
    "algorithm": pa.uint8(),
    "counter": pa.uint16(),
    "balance_before_fen": pa.int64(),
    "amount_fen": pa.int64(),
    "balance_after_fen": pa.int64(),
    "terminal": pa.string(),
    "terminal_serial": pa.int64(),
    "at": pa.timestamp("s"),
    "config": pa.int64(),
    "blacklist": pa.int64(),
    "list_price_fen": pa.int64(),
}
"""The fields that can be columns of their own in Parquet, and of which types."""


# ── bytes ────────────────────────────────────────────────────────────────────────────────────────

# Two digits at once: a gather of half as many items, each twice as wide.
_HEX: Final = np.frombuffer("".join(f"{byte:02X}" for byte in range(256)).encode(), np.uint16)
_NIBBLE: Final = np.array(
    [int(chr(byte), 16) if chr(byte) in "0123456789ABCDEF" else 0 for byte in range(256)], np.uint8
)
_DIGITS: Final = np.array([byte >> 4 < 10 and byte & 15 < 10 for byte in range(256)])  # noqa: PLR2004
_NUMBER: Final = np.array([(byte >> 4) * 10 + (byte & 15) for byte in range(256)], np.int64)
# What is no hour, minute or second makes every sum of the three negative.
_HOUR_S, _MINUTE_S, _SECOND_S = (
    np.where(_DIGITS & (last >= _NUMBER), _NUMBER * worth, -1_000_000)
    for last, worth in ((23, 3600), (59, 60), (59, 1))
)


def records_of(raws: Sequence[bytes] | bytes) -> Array:
    """Read records of 128 bytes, one after the other or in a sequence, as an array of ``RECORD``."""
    data = raws if isinstance(raws, bytes) else b"".join(raws)
    return np.frombuffer(data, RECORD)


def stored_records(column: pa.ChunkedArray) -> Array:
    """Read the column ``raw`` of stored records as an array of ``RECORD``."""
    raw = column.combine_chunks().cast(pa.binary(RECORD_SIZE))
    return np.frombuffer(raw.buffers()[1], RECORD, len(raw), raw.offset * RECORD_SIZE)


def digits(records: Array, name: str) -> Array:
    """Give the bytes of a field, one row for each record."""
    kind, offset = (records.dtype.fields or {})[name][:2]
    return whole(records)[:, offset : offset + kind.itemsize]


def whole(records: Array) -> Array:
    """Give all bytes of each record, one row for each."""
    return np.ascontiguousarray(records).view(np.uint8).reshape(len(records), records.dtype.itemsize)


def unclear(records: Array, layout: type) -> Array:
    """Give what tells records that can be read from others, as rows of bytes: equal rows are read alike.

    Fields whose every byte means something say nothing here; digits and times say whether they are any.
    """
    told = []
    for field in layout_of(layout).fields:
        rows = digits(records, field.name)
        if field.kind.name == "bcd":
            told.append(np.all(_DIGITS[rows], axis=1, keepdims=True))
        elif field.kind.name == "moment":
            told.append(np.isnat(moments(rows)[:, None]))
            told.append(np.any(rows, axis=1, keepdims=True))
        elif field.kind.unpack is not None and field.kind.name != "hex":
            told.append(rows)
    return np.concatenate(told, axis=1, dtype=np.uint8) if told else np.zeros((len(records), 0), np.uint8)


def distinct(rows: Array) -> tuple[Array, Array]:
    """Give the rows of bytes that differ, in their order, and for each row the place of its like there."""
    count, width = rows.shape
    if not count:
        return rows, np.zeros(0, np.int64)
    data = pa.py_buffer(np.ascontiguousarray(rows))
    found = pa.FixedSizeBinaryArray.from_buffers(pa.binary(width), count, [None, data]).dictionary_encode()
    different = np.frombuffer(b"".join(found.dictionary.to_pylist()), np.uint8).reshape(-1, width)
    order = np.lexsort(different.T[::-1])
    places = np.empty(len(order), np.int64)
    places[order] = np.arange(len(order))
    return different[order], places[found.indices.to_numpy()]


def hexadecimal(rows: Array) -> pa.Array:
    """Write rows of bytes as strings of capital hexadecimal digits."""
    text = np.take(_HEX, rows)
    offsets = np.arange(len(rows) + 1, dtype=np.int32) * np.int32(2 * rows.shape[1])
    return pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(text))


def packed(texts: Sequence[str] | pa.Array, width: int) -> Array:
    """Read strings of ``2 * width`` hexadecimal digits, in capitals, as rows of bytes."""
    strings = texts if isinstance(texts, pa.Array) else pa.array(texts, pa.string())
    written = strings.cast(pa.binary()).cast(pa.binary(2 * width))
    size = len(written) * 2 * width
    text = np.frombuffer(written.buffers()[1] or b"", np.uint8)[written.offset * 2 * width :][:size]
    pairs = _NIBBLE[text].reshape(len(written), width, 2)
    found: Array = pairs[:, :, 0] << 4 | pairs[:, :, 1]
    return found


def numbers(rows: Array) -> Array:
    """Read rows of at most nine bytes of BCD as numbers; what is no digit counts for more than nine."""
    total = np.zeros(len(rows), np.int64)
    # A field lies far apart in records: side by side its bytes are read once.
    for column in np.ascontiguousarray(rows.T):
        total *= 100
        total += _NUMBER[column]
    return total


def moments(rows: Array) -> Array:
    """Read rows of seven bytes of BCD as local times to the second; NaT where they are none."""
    rows = np.ascontiguousarray(rows)
    # Records of many terminals are of few days.
    few = pa.array(np.ascontiguousarray(rows[:, :4]).view(np.uint32)[:, 0]).dictionary_encode()
    days = _days(few.dictionary.to_numpy().view(np.uint8).reshape(-1, 4))
    seconds = _HOUR_S[rows[:, 4]] + _MINUTE_S[rows[:, 5]] + _SECOND_S[rows[:, 6]]
    found: Array = days[few.indices.to_numpy()] + seconds
    found[seconds < 0] = np.datetime64("NaT")
    return found


def _days(rows: Array) -> Array:
    """Read rows of four bytes of BCD as midnights; NaT where they are no date."""
    year, month, day = numbers(rows[:, :2]), _NUMBER[rows[:, 2]], _NUMBER[rows[:, 3]]
    fine = _DIGITS[rows].all(axis=1) & (year > 0) & (month >= 1) & (month <= 12) & (day >= 1)  # noqa: PLR2004
    months = np.where(fine, (year - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    dates = months.astype("datetime64[D]") + np.where(fine, day - 1, 0)
    fine &= dates.astype("datetime64[M]") == months
    found: Array = dates.astype("datetime64[s]")
    found[~fine] = np.datetime64("NaT")
    return found


def readable(records: Array, at: Array | None = None) -> Array:
    """Say which records mean something: their version, kind, digits and time can be read.

    ``at`` gives their ``moments`` to who has them already.
    """
    found: Array = (records["version"] == _VERSION) & np.isin(records["kind"], _KINDS)
    for name in ("asn", "terminal"):
        found &= _DIGITS[digits(records, name)].all(axis=1)
    found &= ~np.isnat(moments(digits(records, "at")) if at is None else at)
    return found


# ── buckets ──────────────────────────────────────────────────────────────────────────────────────


def bucket_of(asn: str) -> int:
    """Say which bucket holds a card; the same for ever, on every engine (CRC-32 of the ASN's digits)."""
    return _share_of(asn) % BUCKETS


def slice_of(asn: str) -> int:
    """Say in which slice of its bucket a card lies; the same for ever, too (the next bits of that CRC)."""
    return _share_of(asn) // BUCKETS


def bucket_numbers(records: Array) -> Array:
    """Say which bucket each record belongs to, as ``bucket_of`` says it of one."""
    found: Array = share_numbers(digits(records, "asn")) % BUCKETS
    return found


def share_numbers(asns: Array) -> Array:
    """Give of rows of ten bytes, which are ASNs, ``bucket_of + BUCKETS * slice_of`` of each."""
    found = np.full(len(asns), _OF_ZEROS, np.uint8)
    for column, share in enumerate(_SHARES):
        found ^= share[asns[:, column]]
    return found


def lie_in(slices: range, asns: Array) -> Array:
    """Say which of some ASNs, as rows of ten bytes, lie in slices of their buckets."""
    return np.isin(share_numbers(asns) // BUCKETS, slices)


def _share_of(asn: str) -> int:
    return zlib.crc32(asn.encode()) % (BUCKETS * SLICES)


def _shares(width: int) -> list[Array]:
    """Say what each byte at each place does to a share: a CRC of fixed length is a sum without carry."""
    zeros = "0" * (2 * width)
    return [
        np.array(
            [
                _share_of(f"{zeros[: 2 * place]}{byte:02X}{zeros[2 * place + 2 :]}") ^ _share_of(zeros)
                for byte in range(256)
            ],
            np.uint8,
        )
        for place in range(width)
    ]


_OF_ZEROS: Final = _share_of("0" * (2 * ASN_SIZE))
_SHARES: Final = _shares(ASN_SIZE)


# ── Parquet ──────────────────────────────────────────────────────────────────────────────────────


def record_columns(records: Array) -> dict[str, pa.Array]:
    """Give records as columns: ``raw``, ``asn`` and ``counter`` to find one, and whether it is ``readable``.

    A record whose version, digits or time mean nothing is not readable: its ASN are its hexadecimal digits.
    What else stands in the bytes is a column of what became of the record (``outcomes``).
    """
    raw = pa.py_buffer(np.ascontiguousarray(records))
    return {
        "asn": record_column(records, "asn"),
        "counter": record_column(records, "counter"),
        "raw": pa.FixedSizeBinaryArray.from_buffers(pa.binary(RECORD_SIZE), len(records), [None, raw]),
        "readable": pa.array(readable(records)),
    }


def record_column(records: Array, name: str) -> pa.Array:
    """Give one column of COLUMNS; the kind and time of a record that is not readable may be null."""
    kind = COLUMNS[name]
    if kind == pa.string():
        return hexadecimal(digits(records, name))
    if name == "at":
        return pa.array(moments(digits(records, name)), kind)
    values = records[name].astype(kind.to_pandas_dtype())
    return pa.array(values, kind, mask=~np.isin(values, _KINDS) if name == "kind" else None)
