"""Saved sector cards: every block and the type, with a checksum, in one run of bytes."""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from citycard.errors import SectorImageInvalid
from citycard.mifare.geometry import BLOCK_SIZE, CardType

__all__ = ["is_sector_image", "read_image", "write_image"]

MAGIC = b"CCSI"
VERSION = 1
_HEAD = Struct(">4sBHBI")
"""Magic, version, card name of PC/SC, bytes of the UID, CRC-32 over the blocks."""
_UID_SIZES = (4, 7)


def is_sector_image(image: bytes) -> bool:
    """Say whether bytes begin like a saved sector card."""
    return image.startswith(MAGIC)


def write_image(kind: CardType, uid_size: int, cells: bytes) -> bytes:
    """Return the bytes of a saved card."""
    return _HEAD.pack(MAGIC, VERSION, kind.card_name, uid_size, crc32(cells)) + cells


def read_image(image: bytes) -> tuple[CardType, int, bytes]:
    """Return type, size of the UID and blocks of a saved card; raises SectorImageInvalid."""
    if len(image) < _HEAD.size:
        raise SectorImageInvalid(reason="it is too short")
    magic, version, name, uid_size, checksum = _HEAD.unpack_from(image)
    kind = next((known for known in CardType if known.card_name == name), None)
    if magic != MAGIC or version != VERSION or kind is None or uid_size not in _UID_SIZES:
        raise SectorImageInvalid(reason="it is not a card image of a known version")
    cells = image[_HEAD.size :]
    if len(cells) != kind.blocks * BLOCK_SIZE or crc32(cells) != checksum:
        raise SectorImageInvalid(reason="its length or checksum is wrong")
    return kind, uid_size, cells
