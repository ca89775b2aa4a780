"""Secure messaging 线路保护: what a line-protected command carries (FMCOS manual, clause 11; docs/keys.md).

The MAC covers CLA INS P1 P2 Lc and data as sent; its start value is the challenge that was asked for just
before. Three wrong MACs in a row under a line key (kind 36) lock the application for good (``9303``), under
another key that key (``6983``).
"""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip import keystore
from citycard.chip.files import LOCKED, STATE_OFFSET, Key
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
from citycard.keys.line import line_mac, seal, unseal

__all__ = ["MAC_SIZE", "open_data", "protect_answer", "unwrap"]

MAC_SIZE = 4


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
    command = head + bytes((len(data),)) + body
    expected = line_mac(keystore.key_bytes(card, key), command, challenge, card.profile.line)
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
        return unseal(keystore.key_bytes(card, key), sealed, card.profile.line)
    except SealedDataInvalid:
        raise RefusedError(WRONG_DATA) from None


def protect_answer(card: CardState, key: Key, answer: bytes, *, enciphered: bool) -> bytes:
    """Return the answer to a protected READ: the data, enciphered where the file says so, and a MAC over it.

    Key and start value are those of the command.
    """
    secret, challenge = keystore.key_bytes(card, key), card.powered.challenge
    assert challenge is not None, "unwrap() refused the command without one"
    sent = seal(secret, answer, card.profile.line) if enciphered else answer
    return sent + line_mac(secret, sent, challenge, card.profile.line)


def _lock(card: CardState) -> None:
    card.eeprom.commit([(card.powered.directory.address + STATE_OFFSET, bytes((LOCKED,)))])
