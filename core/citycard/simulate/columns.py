"""What packs the digits of many records, the way back of ``clearing.columns``, and numbers neighbours."""

from __future__ import annotations

import datetime as dt

import numpy as np
import numpy.typing as npt

__all__ = ["Bytes", "Flags", "Ints", "Rows", "bcd", "moments", "ranks"]

Flags = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]
Bytes = npt.NDArray[np.uint8]
Rows = npt.NDArray[np.void]

_DAY = 86_400


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


def ranks(*columns: Ints) -> Ints:
    """Number neighbours that are equal in every column, from 0."""
    places = np.arange(len(columns[0]))
    fresh = np.any([np.diff(column, prepend=-1) != 0 for column in columns], axis=0)
    return places - np.maximum.accumulate(np.where(fresh, places, 0))
