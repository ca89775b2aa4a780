"""The answer to reset by which a PC/SC reader names a storage card (PC/SC part 3, section 3.1.3.2.3)."""

from __future__ import annotations

from functools import reduce
from operator import xor

from citycard.mifare.geometry import CardType

__all__ = ["card_type_of", "storage_atr"]

_HEAD = bytes.fromhex("3B8F8001804F0CA000000306")
_ISO_14443A_3 = b"\x03"
_NAME = slice(13, 15)
_SIZE = 20


def storage_atr(kind: CardType) -> bytes:
    """Return the 20 bytes: the PC/SC workgroup's RID, standard 03, the card's name, and TCK."""
    atr = _HEAD + _ISO_14443A_3 + kind.card_name.to_bytes(2, "big") + bytes(4)
    return atr + bytes((reduce(xor, atr[1:]),))


def card_type_of(atr: bytes) -> CardType | None:
    """Return the sector card that an ATR names, or None for any other card."""
    if len(atr) != _SIZE or not atr.startswith(_HEAD + _ISO_14443A_3):
        return None
    name = int.from_bytes(atr[_NAME], "big")
    return next((kind for kind in CardType if kind.card_name == name), None)
