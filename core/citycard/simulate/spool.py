"""Where made records wait until all cards are through: on disk, dealt to parts by terminal."""

from __future__ import annotations

from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np

from citycard.clearing.columns import RECORD
from citycard.simulate.columns import Rows

__all__ = ["WAITING", "Copy", "Spoil", "Spool"]

_RECORDS_IN_PART: Final = 500_000
_PARTS_MOST: Final = 256


class Spoil(IntEnum):
    """What is done to a record after it was signed."""

    NONE = 0
    TAC_WRONG = 1
    TAC_NONE = 2
    MAC_WRONG = 3


class Copy(IntEnum):
    """Whether a record has the bytes of another one: none, all, or all but the counter and the balances."""

    NONE = 0
    EXACT = 1
    SERIAL = 2


WAITING: Final = np.dtype(
    [
        ("record", RECORD),
        ("tag", "<u8"),  # of its card and counter; a copy has that of the record it is a copy of
        ("fault", "<u4"),
        ("terminal", "<u4"),  # that hands it in
        ("second", "<i4"),
        ("delivery", "u1"),
        ("day", "u1"),
        ("code", "u1"),  # with which it must end; 0 is OK
        ("spoil", "u1"),
        ("copy", "u1"),
    ]
)
"""A record that waits for its serial and its proofs, and what is known about it."""


class Spool:
    """Records on disk. Add the blocks in their order; each part has all records of its terminals."""

    def __init__(self, folder: Path, terminals: int, records: int) -> None:
        parts = min(max(1, -(-records // _RECORDS_IN_PART)), _PARTS_MOST, terminals)
        self._edges = np.linspace(0, terminals, parts + 1).astype(np.int64)
        self._files: list[Any] = [(folder / f"{part:03d}.part").open("w+b") for part in range(parts)]

    def add(self, rows: Rows) -> None:
        """Add records in any order."""
        rows = rows[np.argsort(rows["terminal"], kind="stable")]
        bounds = np.searchsorted(rows["terminal"], self._edges)
        for file, begin, end in zip(self._files, bounds, bounds[1:], strict=False):
            file.write(rows[begin:end].tobytes())

    def __len__(self) -> int:
        return len(self._files)

    def part(self, place: int) -> Rows:
        """Give the records of one part, and its disk space back."""
        file = self._files[place]
        file.seek(0)
        rows = np.frombuffer(bytearray(file.read()), dtype=WAITING)
        file.truncate(0)
        return rows

    def close(self) -> None:
        """Close the files."""
        for file in self._files:
            file.close()
