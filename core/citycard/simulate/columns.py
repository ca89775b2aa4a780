"""Transaction records as columns: a NumPy dtype made of the record's layout, and what packs its digits."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import numpy.typing as npt

from citycard.card.codec import layout_of
from citycard.terminal.record import RECORD_SIZE, TransactionRecord

__all__ = ["RECORD", "Bytes", "Flags", "Ints", "Rows", "bcd", "moments", "raw_of"]

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.void]

_INTEGERS = frozenset("BHIQ")
_DAY = 86_400


def _dtype() -> np.dtype[np.void]:
    fields: list[Any] = [
        (field.name, f">u{field.kind.size}")
        if field.kind.code in _INTEGERS
        else (field.name, np.uint8, (field.kind.size,))
        for field in layout_of(TransactionRecord).fields
    ]
    made = np.dtype(fields)
    assert made.itemsize == RECORD_SIZE
    return made


RECORD = _dtype()
"""A transaction record: whole numbers as they are, everything else as its bytes."""


def raw_of(records: Rows) -> Bytes:
    """Give the bytes of records, 128 to a row."""
    return np.ascontiguousarray(records).view(np.uint8).reshape(len(records), RECORD_SIZE)


def bcd(numbers: npt.ArrayLike, size: int) -> Bytes:
    """Write whole numbers as ``2 * size`` decimal digits, two to a byte."""
    rest = np.asarray(numbers, dtype=np.uint64)
    packed = np.empty((len(rest), size), dtype=np.uint8)
    for place in reversed(range(size)):
        rest, pair = np.divmod(rest, np.uint64(100))
        packed[:, place] = (pair // 10) << 4 | pair % 10
    return packed


def moments(seconds: Ints, midnight: dt.datetime) -> Bytes:
    """Write seconds after a midnight as moments, seven BCD bytes each."""
    days, rest = np.divmod(seconds, _DAY)
    known, places = np.unique(days, return_inverse=True)
    dates = [int((midnight + dt.timedelta(days=int(day))).strftime("%Y%m%d")) for day in known]
    clock = rest // 3600 * 10_000 + rest // 60 % 60 * 100 + rest % 60
    return bcd(np.asarray(dates, dtype=np.int64)[places] * 1_000_000 + clock, 7)
