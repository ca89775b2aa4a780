"""The keys of a PSAM: slots in its application, each a usage, a version, an algorithm and 16 bytes.

The table is a file of fixed records that no access right opens; only the SAM's own commands look into it.
"""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from citycard.chip.eeprom import Entry
from citycard.chip.files import File
from citycard.chip.records import append, find_by_number
from citycard.chip.state import CardState
from citycard.chip.status import KEY_INDEX_NOT_SUPPORTED, KEY_NOT_FOUND, WRONG_DATA, RefusedError
from citycard.keys.cipher import Algorithm
from citycard.keys.diversify import diversify
from citycard.keys.line import seal
from citycard.psam.profile import SamKind
from citycard.psam.state import profile_of

__all__ = ["KEY_ENTRY", "TABLE_FID", "SamKey", "derived", "find_key", "newest_key", "stored", "versioned_key"]

TABLE_FID = 0x00E1
KEY_ENTRY = 19
_KEY = 16
_FACTOR = 8


@attrs.frozen(kw_only=True)
class SamKey:
    """One key of a SAM. ``algorithm`` is the byte of docs/keys.md: 00 3DES, 02 AES, 04 SM4."""

    usage: int
    version: int
    algorithm: int = 0
    key: bytes = attrs.field(repr=False)

    @property
    def cipher(self) -> Algorithm:
        """Return what the key computes with; ``01``, single DES, is 3DES with a key of 16 bytes."""
        return Algorithm.TDES if self.algorithm == 1 else Algorithm(self.algorithm)

    def entry(self) -> bytes:
        """Return the 19 bytes of the table, which WRITE KEY carries too."""
        return bytes((self.usage, self.version, self.algorithm)) + self.key

    def sealed(self, master: bytes) -> bytes:
        """Return the 24 bytes of cipher text that WRITE KEY carries under ``master``."""
        return seal(master, self.entry())


def read_entry(entry: bytes) -> SamKey:
    """Take the 19 bytes of a key apart; refuse an unknown algorithm with ``6A80``."""
    if len(entry) != KEY_ENTRY or entry[2] not in {1, *Algorithm}:
        raise RefusedError(WRONG_DATA)
    return SamKey(usage=entry[0], version=entry[1], algorithm=entry[2], key=entry[3:])


def find_key(card: CardState, kind: SamKind, levels: int, version: int) -> SamKey:
    """Return the key for so many factors; refuse with ``9403`` when there is none of this version."""
    profile = profile_of(card)
    for _, key in _keys(card):
        fits = profile.kind(key.usage) is kind and profile.takes(key.usage, levels)
        if fits and key.version == version:
            return key
    raise RefusedError(KEY_INDEX_NOT_SUPPORTED)


def versioned_key(card: CardState, usage: int, version: int) -> SamKey:
    """Return the key of a usage byte and version; refuse with ``9403``."""
    for _, key in _keys(card):
        if (key.usage, key.version) == (usage, version):
            return key
    raise RefusedError(KEY_INDEX_NOT_SUPPORTED)


def newest_key(card: CardState, kind: SamKind) -> SamKey:
    """Return the key of ``kind`` with the highest version; refuse with ``9403`` when there is none."""
    profile = profile_of(card)
    found = [key for _, key in _keys(card) if profile.kind(key.usage) is kind]
    if not found:
        raise RefusedError(KEY_INDEX_NOT_SUPPORTED)
    return max(found, key=lambda key: key.version)


def stored(card: CardState, key: SamKey) -> list[Entry]:
    """Return the writes that put a key into the table: over the one it replaces, or behind the last.

    Refuses with ``6A84`` when the table is full.
    """
    table = _table(card)
    for place, known in _keys(card):
        if (known.usage, known.version) == (key.usage, key.version):
            return [(place, key.entry())]
    return append(card.eeprom.cells, table, key.entry(), 1)


def derived(key: SamKey, factors: bytes) -> bytes:
    """Return the key below ``key``: factors stand card first, then issuer, city; used top first."""
    secret = key.key
    for start in range(len(factors) - _FACTOR, -1, -_FACTOR):
        secret = diversify(secret, factors[start : start + _FACTOR], key.cipher)
    return secret


def _keys(card: CardState) -> Iterator[tuple[int, SamKey]]:
    table = _table(card)
    for number in range(1, table.records + 1):
        try:
            place, size = find_by_number(card.eeprom.cells, table, number, 1)
        except RefusedError:
            return
        yield place, read_entry(bytes(card.eeprom.cells[place : place + size]))


def _table(card: CardState) -> File:
    table = card.powered.directory.files.get(TABLE_FID)
    if table is None:  # the master file has no table
        raise RefusedError(KEY_NOT_FOUND)
    return table
