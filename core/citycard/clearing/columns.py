"""Records as columns: read all at once by the steps of the record's own layout.

The one source of truth is the layout of ``terminal.record``. Here only the order is turned: field by field
over many records, instead of record by record.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa

from citycard.card.codec import layout_of
from citycard.terminal.record import RECORD_SIZE, TransactionRecord

__all__ = ["BUCKETS", "COLUMNS", "PLACES", "bucket_of", "record_columns"]

BUCKETS: Final = 16
"""Into how many parts cards are dealt. A bucket holds every record of its cards and is the unit of work."""

_FIELDS: Final = layout_of(TransactionRecord).fields
_FORM: Final = struct.Struct(">" + "".join(field.kind.code for field in _FIELDS))

PLACES: Final = {field.name: slice(field.offset, field.offset + field.kind.size) for field in _FIELDS}
"""Where each field lies in the bytes of a record."""

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
"""The fields that stand in Parquet as columns of their own; all others are in ``raw``."""

_VERSION: Final = 1


def bucket_of(asn: str) -> int:
    """Say which bucket holds a card; the same for ever, on every engine (CRC-32 of the ASN's digits)."""
    return zlib.crc32(asn.encode()) % BUCKETS


def record_columns(raws: list[bytes]) -> dict[str, list[Any]]:
    """Read records of 128 bytes into lists, one per column of COLUMNS, and ``raw`` and ``readable``.

    A record whose version, digits or time mean nothing is not readable: what could not be read of it is its
    hexadecimal digits where text stands, and None elsewhere.
    """
    parts = list(zip(*map(_FORM.unpack, raws), strict=True)) if raws else [()] * len(_FIELDS)
    readable = [True] * len(raws)
    columns: dict[str, list[Any]] = {"raw": raws, "readable": readable}
    for field, values in zip(_FIELDS, parts, strict=True):
        if field.name == "version":
            readable[:] = [version == _VERSION for version in values]
        elif field.name in COLUMNS:
            unpack = field.kind.unpack
            columns[field.name] = list(values) if unpack is None else _unpacked(unpack, values, readable)
    text = [name for name, kind in COLUMNS.items() if kind == pa.string()]
    for place, fine in enumerate(readable):
        if not fine:
            for name in text:
                columns[name][place] = raws[place][PLACES[name]].hex().upper()
    assert all(len(raw) == RECORD_SIZE for raw in raws)
    return columns


def _unpacked(unpack: Callable[[Any], Any], values: tuple[Any, ...], readable: list[bool]) -> list[Any]:
    try:
        return list(map(unpack, values))
    except ValueError:
        return [_one(unpack, value, place, readable) for place, value in enumerate(values)]


def _one(unpack: Callable[[Any], Any], value: Any, place: int, readable: list[bool]) -> Any:
    try:
        return unpack(value)
    except ValueError:
        readable[place] = False
        return None
