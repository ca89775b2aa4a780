"""Records side by side in the bits of words: row ``i`` of a bit-sliced array is bit ``i`` of every record.

A row has ``words`` words of 64 records each, so that one operation on two rows is done for all records.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["LANES", "Words", "block_words", "from_lanes", "to_lanes"]

Words = NDArray[np.uint64]

#: Records in one word.
LANES: Final = 64
# Steps of a transposition and the bits that each moves: the low half, down to every second bit.
_STEPS: Final = tuple(
    (step, np.uint64(sum(1 << bit for bit in range(64) if not bit & step))) for step in (32, 16, 8, 4, 2, 1)
)


def block_words(blocks: NDArray[np.uint8]) -> Words:
    """Return blocks of 8 bytes, shape (n, 8), as n words: the first bit of a block is the highest."""
    return np.ascontiguousarray(blocks).view(">u8")[:, 0].astype(np.uint64)


def to_lanes(values: Words) -> Words:
    """Return n words bit-sliced: shape (64, words), row 0 the highest bit; the last records may be zeros."""
    words = -(-len(values) // LANES)
    rows = np.zeros((LANES, words), dtype=np.uint64)
    rows.reshape(-1)[: len(values)] = values
    _transpose(rows)
    return rows


def from_lanes(rows: Words, count: int) -> Words:
    """Return the first ``count`` words of what ``to_lanes`` made; ``rows`` is used up."""
    _transpose(rows)
    return rows.reshape(-1)[:count]


def _transpose(rows: Words) -> None:
    """Transpose the 64 by 64 bits at each place of a row, by exchanging ever smaller quarters."""
    for step, mask in _STEPS:
        shift, pairs = np.uint64(step), rows.reshape(LANES // 2 // step, 2, step, -1)
        upper, lower = pairs[:, 0], pairs[:, 1]
        change = lower >> shift
        change ^= upper
        change &= mask
        upper ^= change
        change <<= shift
        lower ^= change
