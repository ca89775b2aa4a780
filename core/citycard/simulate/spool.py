"""Where made records wait until all cards are through: on disk, dealt to parts by terminal."""

from __future__ import annotations

import os
from enum import IntEnum
from pathlib import Path
from typing import Any, Final

import numpy as np

from citycard.clearing.columns import RECORD
from citycard.simulate.columns import Rows
from citycard.simulate.plan import SimulationPlan

__all__ = ["WAITING", "Copy", "Spoil", "Spool", "parts_of"]

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


def parts_of(plan: SimulationPlan) -> int:
    """Say how many parts the records of a plan are dealt to."""
    return min(max(1, -(-plan.records // _RECORDS_IN_PART)), _PARTS_MOST, plan.terminals)


class Spool:
    """Records on disk. Each part has all records of its terminals, whichever process added them.

    Every process has files of its own in the folder.
    """

    def __init__(self, folder: Path, plan: SimulationPlan) -> None:
        self._edges = np.linspace(0, plan.terminals, parts_of(plan) + 1).astype(np.int64)
        self._folder = folder
        self._files: list[Any] = []

    def add(self, rows: Rows) -> None:
        """Add records in any order."""
        rows = rows[np.argsort(rows["terminal"], kind="stable")]
        bounds = np.searchsorted(rows["terminal"], self._edges)
        if not self._files:
            self._files = [
                (self._folder / f"{part:03d}-{os.getpid()}.part").open("ab")
                for part in range(len(self._edges) - 1)
            ]
        for file, begin, end in zip(self._files, bounds, bounds[1:], strict=False):
            file.write(rows[begin:end].tobytes())
            file.flush()

    def part(self, place: int) -> Rows:
        """Give the records of one part, in any order, and its disk space back."""
        paths = sorted(self._folder.glob(f"{place:03d}-*.part"))
        pieces = [np.empty(0, WAITING), *(np.fromfile(path, WAITING) for path in paths)]
        rows = np.concatenate(pieces, dtype=WAITING)
        for path in paths:
            path.unlink()
        return rows

    def close(self) -> None:
        """Close the files of this process."""
        for file in self._files:
            file.close()
