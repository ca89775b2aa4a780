"""Value blocks: a signed number kept three times, with an address kept four times (MIFARE Classic)."""

from __future__ import annotations

from struct import Struct

import attrs

from citycard.errors import ValueBlockInvalid

__all__ = ["LARGEST", "SMALLEST", "ValueBlock", "is_value_block", "read_value"]

LARGEST, SMALLEST = (1 << 31) - 1, -(1 << 31)
_BLOCK = Struct("<iiiBBBB")
_BYTE = 0xFF


@attrs.frozen(kw_only=True)
class ValueBlock:
    """A value of 32 bits with its sign, and the address byte, usually the number of the backup block."""

    value: int = attrs.field(validator=[attrs.validators.ge(SMALLEST), attrs.validators.le(LARGEST)])
    address: int = attrs.field(default=0, validator=attrs.validators.in_(range(256)))

    def encode(self) -> bytes:
        """Return the 16 bytes: value, ~value, value, little-endian; address, ~address, address, ~address."""
        other = ~self.address & _BYTE
        return _BLOCK.pack(self.value, ~self.value, self.value, self.address, other, self.address, other)

    @classmethod
    def decode(cls, block16: bytes) -> ValueBlock:
        """Read 16 bytes; raises ValueBlockInvalid when the copies do not agree."""
        if len(block16) != _BLOCK.size:
            raise ValueBlockInvalid(found=block16.hex().upper())
        value, inverse, again, address, *others = _BLOCK.unpack(block16)
        flipped = ~address & _BYTE
        if value != again or inverse != ~value or others != [flipped, address, flipped]:
            raise ValueBlockInvalid(found=block16.hex().upper())
        return cls(value=value, address=address)


def is_value_block(block16: bytes) -> bool:
    """Say whether a block has the format of a value block."""
    return read_value(block16) is not None


def read_value(block16: bytes) -> int | None:
    """Return the value of a block, or None where it is not a value block."""
    try:
        return ValueBlock.decode(block16).value
    except ValueBlockInvalid:
        return None
