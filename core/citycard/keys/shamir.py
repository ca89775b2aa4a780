"""Sharing a key: XOR of all components, or any m of n shares after Shamir, byte by byte over GF(256).

The field is that of AES (x^8 + x^4 + x^3 + x + 1). A share is the value of a polynomial at its number, 1 to
255, and the key is the value at 0. Any m values determine the polynomial, so the first m custodians draw
theirs freely and nobody has to know the key to deal it out; the further shares are values at their numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce
from typing import Final

__all__ = ["combine_xor", "value_at"]

_GENERATOR: Final = 0x03
_REDUCTION: Final = 0x11B


def _tables() -> tuple[list[int], list[int]]:
    powers, logarithms = [0] * 510, [0] * 256
    value = 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        doubled = value << 1
        value ^= doubled ^ _REDUCTION if doubled & 0x100 else doubled
    return powers, logarithms


_POWERS, _LOGARITHMS = _tables()


def _times(one: int, other: int) -> int:
    return _POWERS[_LOGARITHMS[one] + _LOGARITHMS[other]] if one and other else 0


def _over(one: int, other: int) -> int:
    return _POWERS[_LOGARITHMS[one] + 255 - _LOGARITHMS[other]] if one else 0


def value_at(shares: Mapping[int, bytes], place: int) -> bytes:
    """Return the value at a place of the polynomial through these shares: the key is at 0.

    ``shares`` gives the shares by number, 1 to 255, all of one length.
    """
    weights = {}
    for number in shares:
        weight = 1
        for other in shares:
            if other != number:
                weight = _times(weight, _over(place ^ other, number ^ other))
        weights[number] = weight
    made = bytes(len(next(iter(shares.values()))))
    for number, share in shares.items():
        pairs = zip(made, share, strict=True)
        made = bytes(before ^ _times(weights[number], byte) for before, byte in pairs)
    return made


def combine_xor(components: Mapping[int, bytes]) -> bytes:
    """Return the key of which each component is a part: all of them are needed."""
    return bytes(reduce(int.__xor__, column) for column in zip(*components.values(), strict=True))
