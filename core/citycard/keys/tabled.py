"""AES and SM4 of many blocks at once, each under a key of its own, by tables (FIPS 197, GB/T 32907).

Bytes are looked up in tables of what S-box and linear step make of them, for all records at a time. A state
is four columns of numbers of 32 bits. Tables are read at places that depend on keys: do not verify in bulk
where a stranger's program shares the cache (``docs/keys.md``).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from citycard.keys.columns import Bytes, cmac_blocks

__all__ = ["aes_cmacs", "sm4_cbc_macs"]

_Word = NDArray[np.uint32]
_Tables = tuple[_Word, _Word, _Word, _Word]

_AES_FIELD, _SM4_FIELD = 0x11B, 0x1F5
_AES_ROUNDS, _SM4_ROUNDS, _BLOCK = 10, 32, 16
# GB/T 32907: a number that the key is mixed with before anything else.
_SM4_SYSTEM: Final = (0xA3B1BAC6, 0x56AA3350, 0x677D9197, 0xB27022DC)


def sm4_cbc_macs(keys16: Bytes, blocks: Bytes) -> Bytes:
    """Return the SM4-CBC-MAC of every record, zero IV, shape (n, 16); ``blocks`` is padded already."""
    keys = _sm4_keys(keys16)
    state = [np.zeros(len(blocks), dtype=np.uint32)] * 4
    for place in range(0, blocks.shape[1], _BLOCK):
        state = _joined(state, _words(blocks[:, place : place + _BLOCK]))
        for key in keys:
            first, *others = state
            mixed = others[0] ^ others[1] ^ others[2] ^ key
            state = [*others, first ^ _looked_up(_sm4_tables()[0], mixed, mixed, mixed, mixed)]
        state.reverse()
    keys.fill(0)
    return _bytes(state)


def aes_cmacs(keys16: Bytes, message: Bytes) -> Bytes:
    """Return the AES-CMAC of every record, shape (n, 16), of messages that are not padded (SP 800-38B)."""
    keys = _aes_keys(keys16)
    state = [np.zeros(len(message), dtype=np.uint32)] * 4
    blocks = cmac_blocks(message, _bytes(_aes(keys, state)))
    for place in range(0, blocks.shape[1], _BLOCK):
        state = _aes(keys, _joined(state, _words(blocks[:, place : place + _BLOCK])))
    for secret in (keys, blocks):
        secret.fill(0)
    return _bytes(state)


def _words(block: Bytes) -> list[_Word]:
    """Return the four numbers of each block, column by column."""
    return list(np.ascontiguousarray(block).view(">u4").T.astype(np.uint32))


def _joined(state: list[_Word], other: Iterable[_Word]) -> list[_Word]:
    return [one ^ two for one, two in zip(state, other, strict=True)]


def _bytes(state: list[_Word]) -> Bytes:
    return np.ascontiguousarray(np.stack(state, axis=1).astype(">u4")).view(np.uint8)


def _looked_up(tables: _Tables, first: _Word, second: _Word, third: _Word, fourth: _Word) -> _Word:
    """Look up the highest byte of the first, the next of the second, and so on, and join what is found."""
    places = (
        (first >> np.uint32(24)).astype(np.uint8),
        (second >> np.uint32(16)).astype(np.uint8),
        (third >> np.uint32(8)).astype(np.uint8),
        fourth.astype(np.uint8),
    )
    # A byte is always within its table; not to look for that takes half the time.
    found = [table.take(place, mode="wrap") for table, place in zip(tables, places, strict=True)]
    for other in found[1:]:
        found[0] ^= other
    return found[0]


# ── SM4 ──


def _sm4_keys(keys16: Bytes) -> NDArray[np.uint32]:
    """Return the 32 round keys of every key, shape (32, n)."""
    keys = np.empty((_SM4_ROUNDS, len(keys16)), dtype=np.uint32)
    state = [word ^ np.uint32(number) for word, number in zip(_words(keys16), _SM4_SYSTEM, strict=True)]
    for turn in range(_SM4_ROUNDS):
        constant = int.from_bytes(bytes((4 * turn + byte) * 7 & 0xFF for byte in range(4)), "big")
        first, *others = state
        mixed = others[0] ^ others[1] ^ others[2] ^ np.uint32(constant)
        keys[turn] = first ^ _looked_up(_sm4_tables()[1], mixed, mixed, mixed, mixed)
        state = [*others, keys[turn]]
    return keys


@cache
def _sm4_tables() -> tuple[_Tables, _Tables]:
    """Return the tables of the rounds and those of the key."""
    box = _sm4_box().astype(np.uint32)
    rounds = box ^ _turned(box, 2) ^ _turned(box, 10) ^ _turned(box, 18) ^ _turned(box, 24)
    return _four(rounds), _four(box ^ _turned(box, 13) ^ _turned(box, 23))


def _sm4_box() -> Bytes:
    """Return the S-box as its structure makes it: A · inverse(A · x + c) + c in its field."""
    inverse = _inverses(_SM4_FIELD)
    affine = np.array([_rows_of(0xA7, x) ^ 0xD3 for x in range(256)], dtype=np.uint8)
    made: Bytes = affine[inverse[affine]]
    return made


def _rows_of(row: int, x: int) -> int:
    """Multiply bits by a matrix whose rows are one row, turned by one more place each."""
    turned = ((row << bit | row >> 8 - bit) & 0xFF for bit in range(8))
    return sum(((one & x).bit_count() & 1) << bit for bit, one in enumerate(turned))


# ── AES ──


def _aes(keys: NDArray[np.uint32], state: list[_Word]) -> list[_Word]:
    """Encrypt one block of every record; ``keys`` has shape (44, n)."""
    state = _joined(state, keys[:4])
    for turn in range(1, _AES_ROUNDS + 1):
        tables = _aes_tables()[turn == _AES_ROUNDS]
        turned = (state[i:] + state[:i] for i in range(4))
        state = _joined([_looked_up(tables, *four) for four in turned], keys[4 * turn : 4 * turn + 4])
    return state


def _aes_keys(keys16: Bytes) -> NDArray[np.uint32]:
    """Return the 44 words of every key's schedule, shape (44, n)."""
    keys = np.empty((4 * _AES_ROUNDS + 4, len(keys16)), dtype=np.uint32)
    keys[:4] = _words(keys16)
    constant, box = 1, _aes_tables()[True]
    for place in range(4, len(keys)):
        word = keys[place - 1]
        if place % 4 == 0:
            turned = _turned(word, 8)
            word = _looked_up(box, turned, turned, turned, turned) ^ np.uint32(constant << 24)
            constant = _times(constant, 2, _AES_FIELD)
        np.bitwise_xor(keys[place - 4], word, out=keys[place])
    return keys


@cache
def _aes_tables() -> tuple[_Tables, _Tables]:
    """Return the tables of all rounds but the last, and those of the last, which mixes no columns."""
    inverse = _inverses(_AES_FIELD)
    box = np.array([_rows_of(0xF1, int(x)) ^ 0x63 for x in inverse], dtype=np.uint32)
    twice = np.array([_times(int(x), 2, _AES_FIELD) for x in box], dtype=np.uint32)
    mixed = twice << np.uint32(24) | box << np.uint32(16) | box << np.uint32(8) | (box ^ twice)
    return _four(_turned(mixed, 8)), _four(box)


# ── tables ──


def _four(lowest: _Word) -> _Tables:
    """Return the tables of the four bytes of a word, out of that of the lowest."""
    return _turned(lowest, 24), _turned(lowest, 16), _turned(lowest, 8), lowest


def _turned(words: _Word, left: int) -> _Word:
    made: _Word = words << np.uint32(left) | words >> np.uint32(32 - left)
    return made


def _inverses(field: int) -> Bytes:
    """Return the inverse of every byte in a field of 256 numbers, 0 for 0: its 254th power."""
    made = list(range(256))
    for _ in range(6):
        # From x to the power of n to that of 2n + 1: 1, 3, 7, … 127; twice that is 254.
        made = [_times(_times(one, one, field), x, field) for x, one in enumerate(made)]
    return np.array([_times(one, one, field) for one in made], dtype=np.uint8)


def _times(one: int, other: int, field: int) -> int:
    made = 0
    for bit in range(8):
        if other >> bit & 1:
            made ^= one << bit
    for bit in range(14, 7, -1):
        if made >> bit & 1:
            made ^= field << bit - 8
    return made
