"""Keys of the current directory: where they are found, their rights, and their error counters.

A retry counter goes down in a commit of its own before the comparison and back up after it, so that
taking the power away at the right moment never gives a free try.
"""

from __future__ import annotations

import attrs

from citycard.chip.access import require
from citycard.chip.eeprom import Entry
from citycard.chip.files import KEY_HEADER, Key
from citycard.chip.state import CardState
from citycard.chip.status import KEY_LOCKED, KEY_NOT_FOUND, RefusedError
from citycard.keys.suite import TDES_SUITE, Suite

__all__ = [
    "AUTHENTICATION",
    "DECRYPT",
    "ENCRYPT",
    "LINE",
    "LOAD",
    "MAC",
    "PIN",
    "PIN_RELOAD",
    "PIN_UNBLOCK",
    "PURCHASE",
    "TAC",
    "Attempt",
    "change_right",
    "exhausted",
    "find",
    "follow_status",
    "key_bytes",
    "maintenance_key",
    "renewed",
    "suite",
    "version_and_algorithm",
]

ENCRYPT, DECRYPT, MAC = 0x30, 0x31, 0x32
TAC, LINE, PIN_UNBLOCK, PIN_RELOAD, AUTHENTICATION, PIN = 0x34, 0x36, 0x37, 0x38, 0x39, 0x3A
PURCHASE, LOAD = 0x3E, 0x3F
_USE, _CHANGE, _FOLLOW, _COUNTER, _ALGORITHM = 1, 2, 3, 4, 4
_SINGLE_DES, _LONG_KEY = 1, 16


def find(card: CardState, kind: int, index: int, missing: bytes = KEY_NOT_FOUND) -> Key:
    """Return the key that may be used now; refuse with ``missing``, or ``6982`` by its use right."""
    key = card.powered.directory.key(kind, index)
    if key is None:
        raise RefusedError(missing)
    require(card, card.eeprom.cells[key.place + _USE])
    return key


def key_bytes(card: CardState, key: Key) -> bytes:
    """Return the secret bytes of a key."""
    start = key.place + KEY_HEADER
    return bytes(card.eeprom.cells[start : start + key.size])


def maintenance_key(card: CardState) -> Key:
    """Return the key of kind 36 that guards APPLICATION and CARD BLOCK: the one with the lowest index."""
    index = min((key.index for key in card.powered.directory.keys.values() if key.kind == LINE), default=0)
    return find(card, LINE, index)


def renewed(card: CardState, key: Key, secret: bytes) -> list[Entry]:
    """Return the writes that give a key new bytes of the same length and all its tries."""
    most = card.eeprom.cells[key.place + _COUNTER] >> 4
    return [(key.place + _COUNTER, bytes((most << 4 | most,)) + secret)]


def change_right(card: CardState, key: Key) -> int:
    """Return the access byte that guards a change of the key."""
    return card.eeprom.cells[key.place + _CHANGE]


def version_and_algorithm(card: CardState, key: Key) -> bytes:
    """Return the two header bytes that purse commands echo: key version and algorithm id."""
    return bytes(card.eeprom.cells[key.place + _FOLLOW : key.place + KEY_HEADER])


def suite(card: CardState, key: Key) -> Suite:
    """Return what a purse key computes with: 3DES, or what its header names when the profile has it.

    ``00`` and ``01`` are 3DES: cards say ``01``, single DES, and use 3DES with a 16-byte key all the same. So
    is an algorithm that the profile lacks, and every 8-byte key.
    """
    algorithm = card.eeprom.cells[key.place + _ALGORITHM]
    if algorithm <= _SINGLE_DES or key.size != _LONG_KEY:
        return TDES_SUITE
    return card.profile.suites.get(algorithm, TDES_SUITE)


def follow_status(card: CardState, key: Key) -> int:
    """Return the security status that a right authentication or PIN gives."""
    return card.eeprom.cells[key.place + _FOLLOW] & 0x0F


def exhausted(card: CardState, key: Key) -> bool:
    """Tell whether no try is left against a key with an error counter."""
    return card.eeprom.cells[key.place + _COUNTER] & 0x0F == 0


@attrs.frozen
class Attempt:
    """Hold one try against a key with an error counter: made by ``begin``, closed by ``succeed`` or not."""

    card: CardState
    key: Key
    most: int
    left: int

    @classmethod
    def begin(cls, card: CardState, key: Key) -> Attempt:
        """Take one try off the counter; refuse with ``6983`` when none is left."""
        counter = card.eeprom.cells[key.place + _COUNTER]
        most, left = counter >> 4, counter & 0x0F
        if left == 0:
            raise RefusedError(KEY_LOCKED)
        card.eeprom.commit([(key.place + _COUNTER, bytes((most << 4 | (left - 1),)))])
        return cls(card, key, most, left - 1)

    def succeed(self) -> None:
        """Give back all tries."""
        full = bytes((self.most << 4 | self.most,))
        self.card.eeprom.commit([(self.key.place + _COUNTER, full)])
