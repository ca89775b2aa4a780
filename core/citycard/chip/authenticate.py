"""GET CHALLENGE, EXTERNAL and INTERNAL AUTHENTICATE (FMCOS manual 7.1 to 7.3)."""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip import keystore
from citycard.chip.state import CardState
from citycard.chip.status import (
    NO_CHALLENGE,
    OK,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    expect_le,
    tries_left,
)

__all__ = ["external_authenticate", "get_challenge", "internal_authenticate"]

_ENCIPHER, _DECIPHER, _MAC = 0, 1, 2


def get_challenge(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return 4 or 8 random bytes, good for the next command only."""
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if data or le not in {4, 8}:
        raise RefusedError(WRONG_LENGTH)
    challenge = card.random(le)
    card.powered.next_challenge = challenge
    return challenge + OK


def external_authenticate(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Check the challenge enciphered under key ``p2`` of kind 39 and raise the security status.

    A challenge of 4 bytes is filled up with zeros to a block.
    """
    line = card.profile.line
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != line.block or le is not None:
        raise RefusedError(WRONG_LENGTH)
    key = keystore.find(card, keystore.AUTHENTICATION, p2)
    challenge = card.powered.challenge
    if challenge is None:
        raise RefusedError(NO_CHALLENGE)
    attempt = keystore.Attempt.begin(card, key)
    expected = line.encrypt(keystore.key_bytes(card, key), challenge.ljust(line.block, b"\0"))
    if not compare_digest(expected, data):
        raise RefusedError(tries_left(attempt.left))
    attempt.succeed()
    card.raise_status(keystore.follow_status(card, key))
    return OK


def internal_authenticate(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Encipher (P1 00), decipher (01) or MAC (02) data with key ``p2`` of kind 30, 31 or 32."""
    line = card.profile.line
    if p1 not in {_ENCIPHER, _DECIPHER, _MAC}:
        raise RefusedError(WRONG_PARAMETERS)
    if not data or (p1 != _MAC and len(data) % line.block):
        raise RefusedError(WRONG_LENGTH)
    key = keystore.find(card, keystore.ENCRYPT + p1, p2)
    secret = keystore.key_bytes(card, key)
    if p1 == _ENCIPHER:
        answer = line.encrypt(secret, data)
    elif p1 == _DECIPHER:
        answer = line.decrypt(secret, data)
    else:
        answer = line.code(secret, data, bytes(line.block))
    expect_le(le, len(answer))
    return answer + OK
