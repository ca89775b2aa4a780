"""Saved cards: everything a chip keeps without power, with a checksum, in one run of bytes.

Version 2 has the chip's hidden area. Images of version 1, without one, are read as they are.
"""

from __future__ import annotations

from struct import Struct
from zlib import crc32

from citycard.chip.eeprom import ENTRY, Eeprom
from citycard.chip.files import Structure
from citycard.errors import CardImageInvalid

__all__ = ["read_image", "write_image"]

MAGIC = b"CCIM"
FIRST, VERSION = 1, 2
_HEAD = Struct(">4sBHHII")
"""Magic, version, capacity, bytes of the memory, of the journal page, and CRC-32 over all that follows.

What follows in version 2 starts with two bytes: the size of the hidden area, which comes last.
"""
_HIDDEN_SIZE = Struct(">H")
_FIRST_TRAILER = Struct(">HI")
_FIRST_ENTRY = Struct(">HH")


def write_image(eeprom: Eeprom) -> bytes:
    """Return the bytes of a saved card; an interrupted commit is saved as it stands."""
    cells, journal, hidden = bytes(eeprom.cells), bytes(eeprom.journal), bytes(eeprom.hidden)
    body = _HIDDEN_SIZE.pack(len(hidden)) + cells + journal + hidden
    return _HEAD.pack(MAGIC, VERSION, eeprom.capacity, len(cells), len(journal), crc32(body)) + body


def read_image(image: bytes) -> tuple[Eeprom, Structure]:
    """Return memory and structure of a saved card; raises ``CardImageInvalid`` for anything else."""
    if len(image) < _HEAD.size:
        raise CardImageInvalid(reason="it is too short")
    magic, version, capacity, size, journal_size, checksum = _HEAD.unpack_from(image)
    if magic != MAGIC:
        raise CardImageInvalid(reason="it is no image of a chip")
    if not FIRST <= version <= VERSION:
        reason = f"its version is {version}, and this citycard reads {FIRST} to {VERSION}: use a newer one"
        raise CardImageInvalid(reason=reason)
    body = image[_HEAD.size :]
    if crc32(body) != checksum or len(body) < _HIDDEN_SIZE.size:
        raise CardImageInvalid(reason="its length or checksum is wrong")
    hidden_size = 0
    if version > FIRST:
        (hidden_size,) = _HIDDEN_SIZE.unpack_from(body)
        body = body[_HIDDEN_SIZE.size :]
    if len(body) != size + journal_size + hidden_size:
        raise CardImageInvalid(reason="its length or checksum is wrong")
    cells, journal, hidden = body[:size], body[size : size + journal_size], body[size + journal_size :]
    if version == FIRST:
        journal = _widened(journal)
    eeprom = Eeprom(capacity, cells, journal, hidden)
    try:
        return eeprom, Structure.parse(eeprom.cells, eeprom.capacity)
    except ValueError as error:
        raise CardImageInvalid(reason=str(error)) from None


def _widened(journal: bytes) -> bytes:
    # An interrupted commit of version 1 has addresses of two bytes: write it again with those of today.
    first = 1 + _FIRST_TRAILER.size
    if len(journal) < first:
        return b""
    end, checksum = _FIRST_TRAILER.unpack_from(journal, 1)
    if not first <= end <= len(journal) or crc32(journal[first:end]) != checksum:
        return b""  # it was never committed
    entries, position = b"", first
    while position < end:
        address, size = _FIRST_ENTRY.unpack_from(journal, position)
        position += _FIRST_ENTRY.size
        entries += ENTRY.pack(address, size) + journal[position : position + size]
        position += size
    return journal[:1] + _FIRST_TRAILER.pack(first + len(entries), crc32(entries)) + entries
