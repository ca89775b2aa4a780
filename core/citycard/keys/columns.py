"""What the columns of bulk work must look like, and the bytes of their numbers."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from citycard.errors import ColumnInvalid

__all__ = ["Bytes", "Numbers", "big_endian", "require_bytes", "require_numbers"]

Bytes = NDArray[np.uint8]
Numbers = NDArray[np.integer[Any]]


def big_endian(numbers: Numbers) -> Bytes:
    """Return the four bytes of each number, shape (n, 4)."""
    return numbers.astype(">u4").view(np.uint8).reshape(-1, 4)


def require_bytes(field: str, column: Bytes, shape: tuple[int, int]) -> None:
    """Raise ``ColumnInvalid`` unless the column has this shape and type uint8."""
    if column.shape != shape or column.dtype != np.uint8:
        raise ColumnInvalid(
            field=field, kind=column.dtype.name, shape=column.shape, expected=f"uint8 of {shape}"
        )


def require_numbers(field: str, column: Numbers, count: int, size: int) -> None:
    """Raise ``ColumnInvalid`` unless the column has ``count`` whole numbers that fit into ``size`` bytes.

    NumPy would cut a larger number off, and a TAC of another amount would pass.
    """
    whole = column.shape == (count,) and np.issubdtype(column.dtype, np.integer)
    if not whole or (count and (int(column.min()) < 0 or int(column.max()) >> 8 * size)):
        expected = f"{count} whole numbers of {size} bytes"
        raise ColumnInvalid(field=field, kind=column.dtype.name, shape=column.shape, expected=expected)
