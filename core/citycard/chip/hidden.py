"""What a chip remembers of its purses beyond their 22 bytes: older proofs by type, and the grey lock.

The hidden area is a run of records: kind (1), the address of the file or directory it belongs to (2), size
(1), content. A record keeps its place, so a chip needs one per purse and type for its whole life. Kind 00 is
a record whose directory was erased; the next one of its size takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct

from citycard.chip.eeprom import HIDDEN, Eeprom, Entry

__all__ = ["GREY_LOCK", "find", "forgotten", "kept"]

GREY_LOCK = 0xF0
"""Kind of the record of a grey lock; a proof has its transaction type as its kind."""
_FREE = 0x00
_HEAD = Struct(">BHB")


def find(eeprom: Eeprom, kind: int, address: int) -> bytes | None:
    """Return the content of the record of this kind that belongs to ``address``, or none."""
    for place, found, owner, size in _records(eeprom):
        if found == kind and owner == address:
            start = place + _HEAD.size
            return bytes(eeprom.hidden[start : start + size])
    return None


def kept(eeprom: Eeprom, records: Sequence[tuple[int, int, bytes]]) -> list[Entry]:
    """Return the writes that keep records, each a kind, an owner's address and its content."""
    entries: list[Entry] = []
    known = list(_records(eeprom))
    end = len(eeprom.hidden)
    for kind, owner, content in records:
        size = len(content)
        place = next((place for place, *mark in known if mark == [kind, owner, size]), None)
        if place is None:
            place = next((place for place, free, _, room in known if (free, room) == (_FREE, size)), None)
        if place is None:
            place, end = end, end + _HEAD.size + size
        known = [one for one in known if one[0] != place]
        entries.append((HIDDEN + place, _HEAD.pack(kind, owner, size) + content))
    return entries


def forgotten(eeprom: Eeprom, first: int, end: int) -> list[Entry]:
    """Return the writes that give up every record whose owner lies at ``first`` or above, below ``end``."""
    return [
        (HIDDEN + place, _HEAD.pack(_FREE, 0, size) + bytes(size))
        for place, kind, owner, size in _records(eeprom)
        if kind != _FREE and first <= owner < end
    ]


def _records(eeprom: Eeprom) -> Iterator[tuple[int, int, int, int]]:
    hidden, place = eeprom.hidden, 0
    while place < len(hidden):
        kind, owner, size = _HEAD.unpack_from(hidden, place)
        yield place, kind, owner, size
        place += _HEAD.size + size
