"""Saved cards: everything a chip keeps without power, with a checksum, in one run of bytes."""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from citycard.chip.eeprom import Eeprom
from citycard.chip.files import Structure
from citycard.errors import CardImageInvalid

__all__ = ["read_image", "write_image"]

MAGIC = b"CCIM"
VERSION = 1
_HEAD = Struct(">4sBHHII")
"""Magic, version, capacity, bytes of the memory, bytes of the journal page, CRC-32 over both."""


def write_image(eeprom: Eeprom) -> bytes:
    """Return the bytes of a saved card; an interrupted commit is saved as it stands."""
    cells, journal = bytes(eeprom.cells), bytes(eeprom.journal)
    checksum = crc32(journal, crc32(cells))
    return _HEAD.pack(MAGIC, VERSION, eeprom.capacity, len(cells), len(journal), checksum) + cells + journal


def read_image(image: bytes) -> tuple[Eeprom, Structure]:
    """Return memory and structure of a saved card; raises ``CardImageInvalid`` for anything else."""
    if len(image) < _HEAD.size:
        raise CardImageInvalid(reason="it is too short")
    magic, version, capacity, size, journal_size, checksum = _HEAD.unpack_from(image)
    if magic != MAGIC or version != VERSION:
        raise CardImageInvalid(reason="it is not a card image of a known version")
    cells = image[_HEAD.size : _HEAD.size + size]
    journal = image[_HEAD.size + size :]
    if len(cells) != size or len(journal) != journal_size or crc32(journal, crc32(cells)) != checksum:
        raise CardImageInvalid(reason="its length or checksum is wrong")
    eeprom = Eeprom(capacity, cells, journal)
    try:
        return eeprom, Structure.parse(eeprom.cells, eeprom.capacity)
    except ValueError as error:
        raise CardImageInvalid(reason=str(error)) from None
