"""The checksums of sector cards: of a block, of the application directory, and CRC-16/X.25.

None of the first two is in a catalogue of CRCs; docs/mifare.md says how each is computed.
"""

from __future__ import annotations

from hmac import compare_digest

__all__ = ["block_crc8", "is_sealed", "is_sealed_x25", "mad_crc8", "seal", "seal_x25", "x25"]

_MAD_POLYNOMIAL, _MAD_PRESET = 0x1D, 0xC7
_BLOCK_POLYNOMIAL = 0x8C
_X25_POLYNOMIAL = 0x8408
_BYTE = 0xFF
_TOP_BIT = 0x80
_BLOCK = 16


def mad_crc8(data: bytes) -> int:
    """Return the CRC-8 of a MAD sector over its info byte and its AIDs (NXP AN10787)."""
    register = _MAD_PRESET
    for byte in data:
        register ^= byte
        for _ in range(8):
            shifted = register << 1 & _BYTE
            register = shifted ^ _MAD_POLYNOMIAL if register & _TOP_BIT else shifted
    return register


def block_crc8(data: bytes) -> int:
    """Return the CRC-8 of a card block: reflected polynomial 8C, complemented after every byte."""
    register = 0
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ _BLOCK_POLYNOMIAL if register & 1 else register >> 1
        register ^= _BYTE
    return register


def seal(body15: bytes) -> bytes:
    """Return the 16 bytes of a block: the body of 15 and its CRC-8."""
    return body15 + bytes((block_crc8(body15),))


def is_sealed(block16: bytes) -> bool:
    """Say whether byte 15 of a block is the CRC-8 of the bytes before it."""
    return len(block16) == _BLOCK and block16[-1] == block_crc8(block16[:-1])


def x25(data: bytes) -> int:
    """Return CRC-16/X.25 (ISO/IEC 13239)."""
    register = 0xFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ _X25_POLYNOMIAL if register & 1 else register >> 1
    return register ^ 0xFFFF


def seal_x25(body14: bytes, prefix: bytes = b"") -> bytes:
    """Return the 16 bytes of a metro block: the body of 14 and X.25 over prefix and body, little-endian."""
    return body14 + x25(prefix + body14).to_bytes(2, "little")


def is_sealed_x25(block16: bytes, prefix: bytes = b"") -> bool:
    """Say whether the last two bytes of a metro block are its X.25."""
    return len(block16) == _BLOCK and compare_digest(seal_x25(block16[:14], prefix), block16)
