"""The SAM's half of the grey lock 灰锁: lock a card, be sure that it is locked, and let it be debited later.

The session of a lock outlives a loss of power in a cyclic file of the SAM, so that a pump that went dark
can still debit the card it locked (docs/sam.md).
"""

from __future__ import annotations

from hmac import compare_digest
from struct import Struct

from citycard.chip.files import File
from citycard.chip.records import cyclic_append, find_by_number
from citycard.chip.state import CardState
from citycard.chip.status import (
    CONDITIONS_NOT_SATISFIED,
    FILE_NOT_FOUND,
    INSUFFICIENT_FUNDS,
    MAC_INVALID,
    OK,
    PROOF_NOT_AVAILABLE,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    expect_le,
)
from citycard.keys.greylock import gmac, grey_lock_mac1, grey_lock_mac2, grey_session_key
from citycard.psam.keytable import derived, find_key
from citycard.psam.profile import SamKind
from citycard.psam.purchase import next_serial, terminal
from citycard.psam.state import ram_of

__all__ = ["LOCKS_FID", "LOCK_SIZE", "calculate_gmac", "certify_grey_lock", "init_grey_lock"]

LOCKS_FID = 0x00E2
_LOCK = Struct(">8sHI8sB")
LOCK_SIZE = _LOCK.size
_CERTIFIED_AT = LOCK_SIZE - 1
_HEAD, _FACTOR = 20, 8
_LEVELS = {1, 2, 3}
_GMAC_DATA, _MAC = 15, 4


def init_grey_lock(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Count the serial and answer serial (4), terminal random (4) and MAC1 (4).

    Data: card random (4), counter (2), balance (4), TTI (1), date (4), time (3), key version, algorithm, the
    card's factor (8) and upper factors.
    """
    ram = ram_of(card)
    ram.grey = None
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    levels, odd = divmod(len(data) - _HEAD, _FACTOR)
    if odd or levels not in _LEVELS:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, 12)
    secret = derived(find_key(card, SamKind.GREY_LOCK, levels, data[18]), data[_HEAD:])
    number, tti, when = terminal(card), data[10], data[11:18]
    counter, balance_fen = int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:10], "big")
    serial, random = next_serial(card), card.random(4)
    session = grey_session_key(secret, data[:4], counter, serial, random)
    lock = _LOCK.pack(data[_HEAD : _HEAD + _FACTOR], counter, balance_fen, session, 0)
    card.eeprom.commit(cyclic_append(card.eeprom.cells, _locks(card), lock))
    ram.grey = grey_lock_mac2(session, balance_fen, counter, tti, number)
    return serial.to_bytes(4, "big") + random + grey_lock_mac1(session, tti, number, when) + OK


def certify_grey_lock(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Check the card's MAC2: only a card that is known to be locked may be debited (``9302``)."""
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != _MAC or le is not None:
        raise RefusedError(WRONG_LENGTH)
    ram = ram_of(card)
    expected, ram.grey = ram.grey, None
    if expected is None:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    if not compare_digest(expected, data):
        raise RefusedError(MAC_INVALID)
    place, _ = find_by_number(card.eeprom.cells, _locks(card), 1, 1)
    card.eeprom.commit([(place + _CERTIFIED_AT, b"\x01")])
    return OK


def calculate_gmac(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Answer the GMAC (4) of an amount and a fresh serial (4) for the debit of a card this SAM locked.

    Data: TTI (1), the card's factor (8), counter (2), amount (4). Refuses with ``9406`` when the SAM knows of
    no such lock, and ``9401`` above the balance at the lock.
    """
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != _GMAC_DATA:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, 8)
    amount_fen = int.from_bytes(data[11:], "big")
    balance_fen, session = _find(card, data[1:9], int.from_bytes(data[9:11], "big"))
    if amount_fen > balance_fen:
        raise RefusedError(INSUFFICIENT_FUNDS)
    return gmac(session, amount_fen) + next_serial(card).to_bytes(4, "big") + OK


def _find(card: CardState, factor: bytes, counter: int) -> tuple[int, bytes]:
    file, cells = _locks(card), card.eeprom.cells
    for number in range(1, file.records + 1):
        try:
            place, size = find_by_number(cells, file, number, 1)
        except RefusedError:
            break
        owner, at, balance_fen, session, certified = _LOCK.unpack(cells[place : place + size])
        if (owner, at, certified) == (factor, counter, 1):
            return balance_fen, session
    raise RefusedError(PROOF_NOT_AVAILABLE)


def _locks(card: CardState) -> File:
    file = card.powered.directory.files.get(LOCKS_FID)
    if file is None:
        raise RefusedError(FILE_NOT_FOUND)
    return file
