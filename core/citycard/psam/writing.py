"""WRITE KEY of a PSAM: a key sealed under the master key of the directory it goes into (docs/sam.md)."""

from __future__ import annotations

from citycard.chip import keystore, messaging
from citycard.chip.files import KEY_HEADER
from citycard.chip.state import CardState
from citycard.chip.status import (
    KEY_NOT_FOUND,
    OK,
    WRONG_DATA,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
)
from citycard.psam.keytable import read_entry, stored
from citycard.psam.profile import SamKind
from citycard.psam.state import profile_of

__all__ = ["write_key"]

_SEALED = 28


def write_key(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add a key, or replace the one of the same usage and version; usage ``00`` replaces the master itself.

    Data: 24 bytes of cipher text, the length (13) ‖ usage ‖ version ‖ algorithm ‖ key ‖ padding, and the MAC
    (4), both under the master key. Refuses with ``6984`` without a challenge, ``6988`` for a wrong MAC, then
    ``6983`` after three, ``6A80`` for an unknown usage.
    """
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != _SEALED or le is not None:
        raise RefusedError(WRONG_LENGTH)
    master = card.powered.directory.key(keystore.AUTHENTICATION, 0)
    if master is None:
        raise RefusedError(KEY_NOT_FOUND)
    sealed = messaging.unwrap(card, master, bytes((0x84, 0xD4, p1, p2)), data)
    key = read_entry(messaging.open_data(card, master, sealed))
    kind = profile_of(card).kind(key.usage)
    if kind is None:
        raise RefusedError(WRONG_DATA)
    if kind is SamKind.MASTER:
        card.eeprom.commit([(master.place + KEY_HEADER, key.key)])
    else:
        card.eeprom.commit(stored(card, key))
    return OK
