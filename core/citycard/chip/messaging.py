"""Secure messaging 线路保护: what a line-protected command carries (FMCOS manual, clause 11; docs/keys.md).

The MAC covers CLA INS P1 P2 Lc and data as sent; its start value is the challenge that was asked for just
before. Three wrong MACs in a row under a line key (kind 36) lock the application for good (``9303``), under
another key that key (``6983``).
"""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip import keystore
from citycard.chip.files import STATE_OFFSET, Key
from citycard.chip.state import CardState
from citycard.chip.status import (
    LOCKED_FOR_GOOD,
    NO_CHALLENGE,
    SECURE_MESSAGE_MISSING,
    SECURE_MESSAGE_WRONG,
    WRONG_DATA,
    RefusedError,
)
from citycard.errors import SealedDataInvalid
from citycard.keys.line import line_mac, unseal

__all__ = ["LOCKED", "MAC_SIZE", "answer_mac", "open_data", "unwrap"]

MAC_SIZE = 4
LOCKED = 0x01


def unwrap(card: CardState, key: Key, head: bytes, data: bytes) -> bytes:
    """Check the MAC at the end of ``data`` and return what is before it; ``head`` is CLA INS P1 P2.

    Refuses with ``6987`` without a MAC, ``6984`` without a challenge, ``6988`` for a wrong MAC, ``9303`` when
    the application is, or now gets, locked.
    """
    if len(data) < MAC_SIZE:
        raise RefusedError(SECURE_MESSAGE_MISSING)
    challenge = card.powered.challenge
    if challenge is None:
        raise RefusedError(NO_CHALLENGE)
    for_good = key.kind == keystore.LINE
    if for_good and keystore.exhausted(card, key):
        _lock(card)
        raise RefusedError(LOCKED_FOR_GOOD)
    attempt = keystore.Attempt.begin(card, key)
    body, mac = data[:-MAC_SIZE], data[-MAC_SIZE:]
    expected = line_mac(keystore.key_bytes(card, key), head + bytes((len(data),)) + body, challenge)
    if not compare_digest(expected, mac):
        if for_good and attempt.left == 0:
            _lock(card)
            raise RefusedError(LOCKED_FOR_GOOD)
        raise RefusedError(SECURE_MESSAGE_WRONG)
    attempt.succeed()
    return body


def open_data(card: CardState, key: Key, sealed: bytes) -> bytes:
    """Decipher a data field that came enciphered; refuse with ``6A80`` when it cannot have been."""
    try:
        return unseal(keystore.key_bytes(card, key), sealed)
    except SealedDataInvalid:
        raise RefusedError(WRONG_DATA) from None


def answer_mac(card: CardState, key: Key, challenge: bytes, answer: bytes) -> bytes:
    """Return the MAC of an answer: same key and start value as the command, over the data alone."""
    return line_mac(keystore.key_bytes(card, key), answer, challenge)


def _lock(card: CardState) -> None:
    card.eeprom.commit([(card.powered.directory.address + STATE_OFFSET, bytes((LOCKED,)))])
