"""GET CHALLENGE, EXTERNAL and INTERNAL AUTHENTICATE, VERIFY PIN (FMCOS manual 7.1 to 7.3 and 7.10)."""

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
from citycard.keys.cipher import mac16, tdes, tdes_decrypt

__all__ = ["external_authenticate", "get_challenge", "internal_authenticate", "verify_pin"]

BLOCK = 8
PIN_SIZE = 8
SHORTEST_PIN, LONGEST_PIN = 2, 8


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
    """Check the challenge enciphered under key ``p2`` of kind 39 and raise the security status."""
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != BLOCK or le is not None:
        raise RefusedError(WRONG_LENGTH)
    key = keystore.find(card, keystore.AUTHENTICATION, p2)
    challenge = card.powered.challenge
    if challenge is None:
        raise RefusedError(NO_CHALLENGE)
    attempt = keystore.Attempt.begin(card, key)
    expected = tdes(keystore.key_bytes(card, key), challenge.ljust(BLOCK, b"\0"))
    if not compare_digest(expected, data):
        raise RefusedError(tries_left(attempt.left))
    attempt.succeed()
    card.raise_status(keystore.follow_status(card, key))
    return OK


def internal_authenticate(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Encipher (P1 00), decipher (01) or MAC (02) data with key ``p2`` of kind 30, 31 or 32."""
    if p1 not in {0, 1, 2}:
        raise RefusedError(WRONG_PARAMETERS)
    key = keystore.find(card, keystore.ENCRYPT + p1, p2)
    if not data or (p1 < 2 and len(data) % BLOCK):  # noqa: PLR2004  # 2 is the MAC, of any length
        raise RefusedError(WRONG_LENGTH)
    secret = keystore.key_bytes(card, key)
    if p1 == 0:
        answer = tdes(secret, data)
    elif p1 == 1:
        answer = tdes_decrypt(secret, data)
    else:
        answer = mac16(secret, data)
    expect_le(le, len(answer))
    return answer + OK


def verify_pin(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Compare a PIN with PIN ``p2`` and raise the security status; ``63Cx`` says how many tries are left."""
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    if not SHORTEST_PIN <= len(data) <= LONGEST_PIN or le is not None:
        raise RefusedError(WRONG_LENGTH)
    key = keystore.find(card, keystore.PIN, p2)
    attempt = keystore.Attempt.begin(card, key)
    if not compare_digest(keystore.key_bytes(card, key), data.ljust(PIN_SIZE, b"\xff")):
        raise RefusedError(tries_left(attempt.left))
    attempt.succeed()
    card.raise_status(keystore.follow_status(card, key))
    return OK
