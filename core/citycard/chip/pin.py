"""The PIN 口令: VERIFY, CHANGE, RELOAD and UNBLOCK (FMCOS manual 7.10 and 8.4 to 8.6).

A PIN is a key of kind 3A: 2 to 8 bytes, filled up with FF. A wrong one costs a try, a wrong MAC a try of the
key that guards the command. Every new PIN comes with all its tries, in one commit.
"""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip import keystore, messaging
from citycard.chip.files import Key
from citycard.chip.state import CardState
from citycard.chip.status import (
    OK,
    SECURE_MESSAGE_WRONG,
    WRONG_DATA,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    tries_left,
)
from citycard.keys.cipher import mac8, xor_halves

__all__ = ["change_or_reload_pin", "unblock_pin", "verify_pin"]

_SIZE, _FILL = 8, b"\xff"
_SIZES = range(2, 9)
_NEW_SIZES = range(2, 7)
_RELOAD, _CHANGE = 0, 1
_CHANGE_SIZES, _RELOAD_SIZES = range(5, 14), range(6, 11)
_DOUBLE = 16


def verify_pin(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Compare a PIN with PIN ``p2`` and raise the security status; ``63Cx`` says how many tries are left.

    FF bytes at the end of the stored PIN may be left out.
    """
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) not in _SIZES or le is not None:
        raise RefusedError(WRONG_LENGTH)
    key = keystore.find(card, keystore.PIN, p2)
    _compare(card, key, data).succeed()
    card.raise_status(keystore.follow_status(card, key))
    card.powered.pin_verified = True
    return OK


def change_or_reload_pin(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Replace PIN ``p2``: P1 01 with the old PIN, FF, the new one; P1 00 with the new PIN and a MAC.

    The MAC is under key 00 of kind 38, its halves xored, over the PIN alone, with a start value of zeros.
    """
    if p1 not in {_RELOAD, _CHANGE}:
        raise RefusedError(WRONG_PARAMETERS)
    if le is not None or len(data) not in (_CHANGE_SIZES if p1 == _CHANGE else _RELOAD_SIZES):
        raise RefusedError(WRONG_LENGTH)
    if p1 == _CHANGE:
        return _change(card, p2, data)
    return _reload(card, p2, data)


def unblock_pin(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Set a PIN anew, enciphered and with a MAC under key 00 of kind 37; P1 names it, or P2."""
    if p1 and p2:
        raise RefusedError(WRONG_PARAMETERS)
    if le is not None:
        raise RefusedError(WRONG_LENGTH)
    pin = keystore.find(card, keystore.PIN, p1 or p2)
    guard = keystore.find(card, keystore.PIN_UNBLOCK, 0)
    sealed = messaging.unwrap(card, guard, bytes((0x84, 0x24, p1, p2)), data)
    new = messaging.open_data(card, guard, sealed)
    if len(new) not in _SIZES:
        raise RefusedError(WRONG_DATA)
    _store(card, pin, new)
    return OK


def _change(card: CardState, index: int, data: bytes) -> bytes:
    old, _, new = data.partition(_FILL)
    if len(old) not in _NEW_SIZES or len(new) not in _NEW_SIZES:
        raise RefusedError(WRONG_DATA)
    key = keystore.find(card, keystore.PIN, index)
    _compare(card, key, old)
    _store(card, key, new)
    return OK


def _reload(card: CardState, index: int, data: bytes) -> bytes:
    pin = keystore.find(card, keystore.PIN, index)
    guard = keystore.find(card, keystore.PIN_RELOAD, 0)
    new, mac = data[: -messaging.MAC_SIZE], data[-messaging.MAC_SIZE :]
    attempt = keystore.Attempt.begin(card, guard)
    secret = keystore.key_bytes(card, guard)
    line = card.profile.line
    if line.experimental:  # no halves to xor
        expected = line.code(secret, new, bytes(line.block))
    else:
        expected = mac8(xor_halves(secret) if len(secret) == _DOUBLE else secret, new)
    if not compare_digest(expected, mac):
        raise RefusedError(SECURE_MESSAGE_WRONG)
    attempt.succeed()
    _store(card, pin, new)
    return OK


def _compare(card: CardState, key: Key, given: bytes) -> keystore.Attempt:
    attempt = keystore.Attempt.begin(card, key)
    if not compare_digest(keystore.key_bytes(card, key), given.ljust(_SIZE, _FILL)):
        raise RefusedError(tries_left(attempt.left))
    return attempt


def _store(card: CardState, key: Key, new: bytes) -> None:
    card.eeprom.commit(keystore.renewed(card, key, new.ljust(_SIZE, _FILL)))
