"""Columns of records: what they must look like, their numbers as bytes, and their messages as blocks."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from citycard.errors import ColumnInvalid

__all__ = [
    "Answers",
    "Bytes",
    "Numbers",
    "big_endian",
    "cmac_blocks",
    "padded",
    "require_bytes",
    "require_numbers",
]

_BLOCK: Final = 16
_FIELD: Final = 0x87

Answers = NDArray[np.bool_]
Bytes = NDArray[np.uint8]
Numbers = NDArray[np.integer[Any]]
Places = NDArray[np.intp]


def big_endian(numbers: Numbers) -> Bytes:
    """Return the four bytes of each number, shape (n, 4)."""
    return numbers.astype(">u4").view(np.uint8).reshape(-1, 4)


def padded(message: Bytes, block: int) -> Bytes:
    """Append ``80 00…`` up to a whole block, and a full block when already aligned (ISO 9797-1 method 2)."""
    size = message.shape[1]
    blocks = np.zeros((len(message), size + block - size % block), dtype=np.uint8)
    blocks[:, :size] = message
    blocks[:, size] = 0x80
    return blocks


def cmac_blocks(message: Bytes, hidden16: Bytes) -> Bytes:
    """Return messages in whole blocks of 16 bytes, the last masked as AES-CMAC does (NIST SP 800-38B).

    ``hidden16`` is a block of zeros encrypted under each record's key, shape (n, 16), or (1, 16) for one key.
    """
    size, mask = message.shape[1], _doubled(hidden16)
    whole = size > 0 and size % _BLOCK == 0
    blocks = message.copy() if whole else padded(message, _BLOCK)
    blocks[:, -_BLOCK:] ^= mask if whole else _doubled(mask)
    return blocks


def _doubled(blocks: Bytes) -> Bytes:
    """Return twice each block in the field of CMAC."""
    made: Bytes = blocks << np.uint8(1)
    made[:, :-1] |= blocks[:, 1:] >> np.uint8(7)
    made[:, -1] ^= (blocks[:, 0] >> np.uint8(7)) * np.uint8(_FIELD)
    return made


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
