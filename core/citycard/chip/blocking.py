"""APPLICATION BLOCK and UNBLOCK, CARD BLOCK (FMCOS manual 8.1 to 8.3), and what still works then.

All three carry a MAC under the line key (kind 36) of the current directory; three wrong ones in a row lock
the application for good. The block is one byte in the header of the directory, written by one commit.
"""

from __future__ import annotations

from citycard.chip import keystore, messaging
from citycard.chip.files import BLOCKED, CARD_BLOCKED, LOCKED, STATE_OFFSET
from citycard.chip.state import CardState
from citycard.chip.status import (
    LOCKED_FOR_GOOD,
    NOT_SUPPORTED,
    OK,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
)

__all__ = ["block_application", "block_card", "refusal", "unblock_application"]

_TEMPORARY, _PERMANENT = 0, 1
_OPEN = 0
_SELECT = b"\x00\xa4"
_ANSWER_WHEN_BLOCKED = frozenset({_SELECT, b"\x00\x84", b"\x84\x16", b"\x84\x18", b"\x84\x1e"})


def refusal(state: int, head: bytes) -> bytes | None:
    """Return the status word of a command in a directory whose state byte is not 0, or none when it may run.

    ``head`` is class and instruction. Locked for good: only SELECT. Blocked for a time: SELECT, GET CHALLENGE
    and the commands of this module.
    """
    if state == LOCKED:
        return None if head == _SELECT else LOCKED_FOR_GOOD
    if state == BLOCKED:
        return None if head in _ANSWER_WHEN_BLOCKED else NOT_SUPPORTED
    return NOT_SUPPORTED


def block_application(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Block the current application: P2 00 until APPLICATION UNBLOCK, 01 for good."""
    if p1 or p2 not in {_TEMPORARY, _PERMANENT}:
        raise RefusedError(WRONG_PARAMETERS)
    _check_mac(card, 0x1E, p2, data, le)
    _mark(card, card.powered.directory.address, BLOCKED if p2 == _TEMPORARY else LOCKED)
    return OK


def unblock_application(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Open an application that was blocked for a time."""
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    _check_mac(card, 0x18, p2, data, le)
    _mark(card, card.powered.directory.address, _OPEN)
    return OK


def block_card(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Block the whole card for good: it answers every later command with ``6A81``."""
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    _check_mac(card, 0x16, p2, data, le)
    _mark(card, card.structure.root.address, CARD_BLOCKED)
    return OK


def _check_mac(card: CardState, instruction: int, p2: int, data: bytes, le: int | None) -> None:
    if len(data) > messaging.MAC_SIZE or le is not None:
        raise RefusedError(WRONG_LENGTH)
    key = keystore.maintenance_key(card)
    messaging.unwrap(card, key, bytes((0x84, instruction, 0, p2)), data)


def _mark(card: CardState, address: int, state: int) -> None:
    card.eeprom.commit([(address + STATE_OFFSET, bytes((state,)))])
