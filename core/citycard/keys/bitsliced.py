"""Single DES over many blocks at once, each under a key of its own, bit-sliced (FIPS 46-3).

OpenSSL sets a key up for every record, which costs more than the record. Here nothing is set up: each of
some 9,000 operations on rows of words is done for all records, and a key's schedule is only a choice of rows.
The idea is Biham's (1997); the circuits are in ``sboxes``.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from citycard.keys.lanes import LANES, Words, block_words, from_lanes, to_lanes
from citycard.keys.sboxes import INPUTS, Circuit, circuits

__all__ = ["des_cbc_macs"]


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(map(int, text.split()))


# FIPS 46-3: bits are counted from 1, the highest first.
_INITIAL: Final = tuple(start - 8 * row for start in (58, 60, 62, 64, 57, 59, 61, 63) for row in range(8))
_SPREAD: Final = _numbers(
    "16 7 20 21 29 12 28 17 1 15 23 26 5 18 31 10 2 8 24 14 32 27 3 9 19 13 30 6 22 11 4 25"
)
_KEY_LEFT: Final = _numbers("57 49 41 33 25 17 9 1 58 50 42 34 26 18 10 2 59 51 43 35 27 19 11 3 60 52 44 36")
_KEY_RIGHT: Final = _numbers(
    "63 55 47 39 31 23 15 7 62 54 46 38 30 22 14 6 61 53 45 37 29 21 13 5 28 20 12 4"
)
_CHOICE: Final = _numbers(
    "14 17 11 24 1 5 3 28 15 6 21 10 23 19 12 4 26 8 16 7 27 20 13 2 "
    "41 52 31 37 47 55 30 40 51 45 33 48 44 49 39 56 34 53 46 42 50 36 29 32"
)
_TURNS: Final = (1, 1, 2, 2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2, 2, 1)
_HALF: Final = 32
_GATES: Final = {"&": np.bitwise_and, "|": np.bitwise_or, "^": np.bitwise_xor}
_ONES: Final = np.uint64(0xFFFFFFFFFFFFFFFF)

# Rows 0 to 63 are the block, 64 to 127 the key, one is all ones, and what is computed between comes after.
_KEY, _ALL_ONES, _SCRATCH = 64, 128, 129
_Step = tuple[Any, int, int, int]


def des_cbc_macs(keys: Words, blocks: NDArray[np.uint8]) -> Words:
    """Return the DES-CBC-MAC of every record, zero IV, as a word of 8 bytes (ISO 9797-1 algorithm 1).

    ``keys`` has shape (n,), ``blocks`` (n, 8 times the number of blocks), already padded. Memory grows with
    n: about 700 bytes a record. What was computed from the keys is overwritten before it is given back.
    """
    steps, depth = _program()
    key = to_lanes(keys)
    ones = np.full(key.shape[1], _ONES)
    scratch = np.empty((depth, key.shape[1]), dtype=np.uint64)
    state = None
    try:
        fixed = [*key, ones, *scratch]
        for place in range(0, blocks.shape[1], 8):
            block = to_lanes(block_words(blocks[:, place : place + 8]))
            if state is not None:
                block ^= state
            rows = [*(block[bit - 1] for bit in _INITIAL), *fixed]
            for gate, left, right, out in steps:
                gate(rows[left], rows[right], rows[out])
            # The halves are exchanged at the end, and the first permutation puts them side by side.
            state = np.ascontiguousarray(block.reshape(_HALF, 2, -1)[:, ::-1]).reshape(LANES, -1)
        assert state is not None
        return from_lanes(state, len(keys))
    finally:
        key.fill(0)
        scratch.fill(0)


@cache
def _program() -> tuple[tuple[_Step, ...], int]:
    """Return what sixteen rounds do, row by row, and how many rows they need beside block, key and ones."""
    steps: list[_Step] = []
    depth = 0
    left, right = list(range(_HALF)), list(range(_HALF, LANES))
    for choice in _schedule():
        for box, circuit in enumerate(circuits()):
            halves = [right[(4 * box - 1 + bit) % _HALF] for bit in range(INPUTS)]
            keys = [_KEY + bit for bit in choice[INPUTS * box : INPUTS * (box + 1)]]
            outs = [left[_SPREAD.index(4 * box + bit + 1)] for bit in range(4)]
            more, used = _box(circuit, halves, keys, outs)
            steps += more
            depth = max(depth, used)
        left, right = right, left
    return tuple(steps), depth


def _schedule() -> list[list[int]]:
    """Return for each round the 48 bits of the key that it takes, counted from 0."""
    left, right, made = list(_KEY_LEFT), list(_KEY_RIGHT), []
    for turn in _TURNS:
        left, right = left[turn:] + left[:turn], right[turn:] + right[:turn]
        both = left + right
        made.append([both[bit - 1] - 1 for bit in _CHOICE])
    return made


def _box(circuit: Circuit, halves: list[int], keys: list[int], outs: list[int]) -> tuple[list[_Step], int]:
    """Return the steps of one S-box and how many rows it needs, each taken again as soon as it is free."""
    lasts = {wire: place for place, gate in enumerate(circuit.gates) for wire in gate[1:]}
    where = {wire: _SCRATCH + wire for wire in range(INPUTS)}
    steps: list[_Step] = [
        (np.bitwise_xor, half, key, where[wire])
        for wire, (half, key) in enumerate(zip(halves, keys, strict=True))
    ]
    free: list[int] = []
    used = INPUTS
    for place, (sign, one, other) in enumerate(circuit.gates):
        wire = INPUTS + place
        sources = where[one], _ALL_ONES if sign == "~" else where[other]
        free += [where[done] for done in {one, other} if lasts[done] == place]
        if not free:
            free.append(_SCRATCH + used)
            used += 1
        where[wire] = free.pop()
        steps.append((_GATES["^" if sign == "~" else sign], *sources, where[wire]))
        steps += [
            (np.bitwise_xor, outs[bit], where[wire], outs[bit])
            for bit, output in enumerate(circuit.outputs)
            if output == wire
        ]
        if wire not in lasts:
            free.append(where[wire])
    return steps, used
