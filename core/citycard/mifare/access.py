"""Access bits: what each key may do with each block of a sector (MIFARE Classic; docs/mifare.md)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Flag, IntEnum, auto

import attrs

from citycard.errors import AccessBitsInvalid

__all__ = [
    "DATA_RIGHTS",
    "MAD_SECTOR",
    "PURSE_SECTOR",
    "TRAILER_RIGHTS",
    "TRANSPORT",
    "AccessBits",
    "KeyKind",
    "Right",
]

_GROUPS = 4
_TRAILER_GROUP = 3
_NIBBLE = 0xF


class KeyKind(IntEnum):
    """Which key authenticates, with the byte of PC/SC part 3."""

    A = 0x60
    B = 0x61


class Right(Flag):
    """What may be done with a block; the last six are about the parts of a sector trailer."""

    NONE = 0
    READ = auto()
    WRITE = auto()
    INCREMENT = auto()
    DECREMENT = auto()
    """Decrement, transfer and restore."""
    WRITE_A = auto()
    READ_BITS = auto()
    WRITE_BITS = auto()
    READ_B = auto()
    WRITE_B = auto()


_R, _W, _I, _D = Right.READ, Right.WRITE, Right.INCREMENT, Right.DECREMENT
_NO = Right.NONE

#: Condition C1C2C3 of a data block -> rights of key A, rights of key B.
DATA_RIGHTS: tuple[tuple[Right, Right], ...] = (
    (_R | _W | _I | _D, _R | _W | _I | _D),
    (_R | _D, _R | _D),
    (_R, _R),
    (_NO, _R | _W),
    (_R, _R | _W),
    (_NO, _R),
    (_R | _D, _R | _W | _I | _D),
    (_NO, _NO),
)

_KEYS = Right.WRITE_A | Right.WRITE_B
_OPEN_B = Right.READ_BITS | Right.READ_B

#: Condition C1C2C3 of a sector trailer -> rights of key A, rights of key B. Key A is never readable.
TRAILER_RIGHTS: tuple[tuple[Right, Right], ...] = (
    (_KEYS | _OPEN_B, _NO),
    (_KEYS | _OPEN_B | Right.WRITE_BITS, _NO),
    (_OPEN_B, _NO),
    (Right.READ_BITS, _KEYS | Right.READ_BITS | Right.WRITE_BITS),
    (Right.READ_BITS, _KEYS | Right.READ_BITS),
    (Right.READ_BITS, Right.READ_BITS | Right.WRITE_BITS),
    (Right.READ_BITS, Right.READ_BITS),
    (Right.READ_BITS, Right.READ_BITS),
)


@attrs.frozen
class AccessBits:
    """The condition C1C2C3, 0 to 7, of each of the four block groups; the last is the trailer's."""

    conditions: tuple[int, ...]

    @classmethod
    def decode(cls, bits3: bytes) -> AccessBits:
        """Read bytes 6 to 8 of a trailer; raises AccessBitsInvalid when a copy is not the other's inverse."""
        inverse, one, two_three = bits3
        first, second, third = one >> 4, two_three & _NIBBLE, two_three >> 4
        if (inverse & _NIBBLE, inverse >> 4, one & _NIBBLE) != tuple(
            ~value & _NIBBLE for value in (first, second, third)
        ):
            raise AccessBitsInvalid(found=bits3.hex().upper())
        return cls(
            tuple(
                (first >> group & 1) << 2 | (second >> group & 1) << 1 | third >> group & 1
                for group in range(_GROUPS)
            )
        )

    def encode(self) -> bytes:
        """Write bytes 6 to 8 of a trailer, with their inverted copies."""
        first, second, third = (
            sum((condition >> bit & 1) << group for group, condition in enumerate(self.conditions))
            for bit in (2, 1, 0)
        )
        inverse = (~second & _NIBBLE) << 4 | ~first & _NIBBLE
        return bytes((inverse, first << 4 | ~third & _NIBBLE, third << 4 | second))

    def rights(self, group: int, key: KeyKind) -> Right:
        """Return what a key may do with a block group, 0 to 3; a readable key B may do nothing."""
        if key is KeyKind.B and self.key_b_is_readable:
            return Right.NONE
        table: Sequence[tuple[Right, Right]] = TRAILER_RIGHTS if group == _TRAILER_GROUP else DATA_RIGHTS
        return table[self.conditions[group]][key is KeyKind.B]

    @property
    def key_b_is_readable(self) -> bool:
        """Say whether key B is plain data in this sector, and so no key."""
        return Right.READ_B in TRAILER_RIGHTS[self.conditions[_TRAILER_GROUP]][0]


TRANSPORT = AccessBits((0, 0, 0, 1))
"""As the chip leaves its maker: FF0780."""
MAD_SECTOR = AccessBits((4, 4, 4, 3))
"""Key A reads, key B writes: 787788."""
PURSE_SECTOR = AccessBits((6, 6, 6, 3))
"""Key A reads and takes away, key B also writes and adds: 08778F."""
