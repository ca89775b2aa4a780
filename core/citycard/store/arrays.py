"""Write columns as PostgreSQL's binary arrays, which a server reads in a fraction of the time of their text.

The format is that of ``array_recv`` and of each type's ``recv`` function in PostgreSQL: dimensions, flags,
the type of the elements, their number and first index, then each with its length before it.
"""

from __future__ import annotations

import sys
from array import array
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import repeat
from typing import Any

__all__ = ["array_bytes"]

_NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1)  # noqa: DTZ001 - local times are counted from a local time
_EPOCH_UTC, _EPOCH_DAY = _EPOCH.replace(tzinfo=UTC), _EPOCH.date()
_MICROSECOND = timedelta(microseconds=1)
_INTEGERS = {"integer": ("i", 4), "bigint": ("q", 8)}


def array_bytes(kind: str, values: Sequence[Any]) -> bytes:
    """Give values, of which any may be None, as a binary array of PostgreSQL's type ``kind``.

    ``kind`` is one of bigint, bytea, date, integer, timestamp, timestamptz, uuid and varchar. Raise
    OverflowError for a number that the type does not hold.
    """
    number, write = _KINDS[kind]
    if not values:
        return _int4(0) + _int4(0) + _int4(number)
    holes = None in values
    head = _int4(1) + _int4(holes) + _int4(number) + _int4(len(values)) + _int4(1)
    if values[0] is values[-1] and values.count(values[0]) == len(values):
        return head + _element(write, values[0]) * len(values)
    if not holes and kind in _INTEGERS:
        return head + _integers(*_INTEGERS[kind], values)
    return head + b"".join(map(_element, repeat(write), values))


def _int4(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _element(write: Callable[[Any], bytes], value: Any) -> bytes:
    if value is None:
        return _NULL
    written = write(value)
    return len(written).to_bytes(4, "big") + written


def _integers(code: str, width: int, values: Sequence[int]) -> bytes:
    """Write numbers byte by byte of their width, all at once: first every length, then every highest byte."""
    numbers = array(code, values)
    if sys.byteorder == "little":
        numbers.byteswap()
    packed, step = numbers.tobytes(), 4 + width
    written = bytearray(step * len(values))
    written[3::step] = bytes((width,)) * len(values)
    for place in range(width):
        written[4 + place :: step] = packed[place::width]
    return bytes(written)


def _signed(width: int) -> Callable[[int], bytes]:
    return lambda value: value.to_bytes(width, "big", signed=True)


def _microseconds(epoch: datetime) -> Callable[[datetime], bytes]:
    return lambda moment: ((moment - epoch) // _MICROSECOND).to_bytes(8, "big", signed=True)


def _day(day: date) -> bytes:
    return (day - _EPOCH_DAY).days.to_bytes(4, "big", signed=True)


#: By type: its number in PostgreSQL's catalogue, and what writes one value.
_KINDS: dict[str, tuple[int, Callable[[Any], bytes]]] = {
    "bigint": (20, _signed(8)),
    "bytea": (17, bytes),
    "date": (1082, _day),
    "integer": (23, _signed(4)),
    "timestamp": (1114, _microseconds(_EPOCH)),
    "timestamptz": (1184, _microseconds(_EPOCH_UTC)),
    "uuid": (2950, lambda value: value.int.to_bytes(16, "big")),
    "varchar": (1043, lambda value: str(value).encode()),
}
