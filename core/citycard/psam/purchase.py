"""INIT_SAM_FOR_PURCHASE and CREDIT_SAM_FOR_PURCHASE: the SAM's half of a purchase (docs/sam.md)."""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip.state import CardState
from citycard.chip.status import (
    COUNTER_AT_MAXIMUM,
    FILE_NOT_FOUND,
    MAC_INVALID,
    OK,
    STATE_INVALID,
    WRONG_FILE_KIND,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    expect_le,
)
from citycard.keys.cipher import Algorithm
from citycard.keys.purse import purchase_session
from citycard.keys.suite import suite_of
from citycard.psam.keytable import SamKey, derived, find_key
from citycard.psam.profile import SamKind
from citycard.psam.state import ram_of

__all__ = [
    "SERIAL_SFI",
    "TERMINAL_SFI",
    "credit_for_purchase",
    "init_for_purchase",
    "next_serial",
    "terminal",
]

TERMINAL_SFI, SERIAL_SFI = 0x16, 0x18
_HEAD, _FACTOR = 20, 8
_LEVELS = {1, 2, 3}
_LAST_SERIAL = 0xFFFFFFFF
_MAC = 4
_SINGLE_DES = 0x01


def init_for_purchase(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Count the terminal's serial, derive the card's key and answer serial (4) and MAC1 (4).

    Data: card random (4), counter (2), amount (4), TTI (1), date (4), time (3), key version, algorithm, then
    one to three factors of 8 bytes, the card's first. The serial is on the medium before it is answered, so
    that no loss of power ever gives one twice.
    """
    ram = ram_of(card)
    ram.mac2 = None
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    levels, odd = divmod(len(data) - _HEAD, _FACTOR)
    if odd or levels not in _LEVELS:
        raise RefusedError(WRONG_LENGTH)
    expect_le(le, 8)
    key = find_key(card, SamKind.PURCHASE, levels, data[18])
    _check_algorithm(key, data[19])
    amount_fen, tti, when = int.from_bytes(data[6:10], "big"), data[10], data[11:18]
    number = terminal(card)
    serial = next_serial(card)
    secret, counter = derived(key, data[_HEAD:]), int.from_bytes(data[4:6], "big")
    session = purchase_session(secret, data[:4], counter, serial, amount_fen, suite_of(key.cipher))
    ram.mac2 = session.mac2()
    return serial.to_bytes(4, "big") + session.mac1(tti, number, when) + OK


def credit_for_purchase(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Check the card's MAC2; one try per purchase, right or wrong (``9302``)."""
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if len(data) != _MAC or le is not None:
        raise RefusedError(WRONG_LENGTH)
    ram = ram_of(card)
    expected, ram.mac2 = ram.mac2, None
    if expected is None:
        raise RefusedError(STATE_INVALID)
    if not compare_digest(expected, data):
        raise RefusedError(MAC_INVALID)
    return OK


def terminal(card: CardState) -> bytes:
    """Return the six bytes of the terminal number, EF 16 of the master file."""
    file = card.structure.root.files.get(TERMINAL_SFI)
    if file is None:
        raise RefusedError(FILE_NOT_FOUND)
    return bytes(card.eeprom.cells[file.body : file.body + file.size])


def next_serial(card: CardState) -> int:
    """Count the serial of EF 18 up and return it; refuse with ``9402`` when all are used."""
    file = card.powered.directory.files.get(SERIAL_SFI)
    if file is None:
        raise RefusedError(FILE_NOT_FOUND)
    last = int.from_bytes(card.eeprom.cells[file.body : file.body + file.size], "big")
    if last >= _LAST_SERIAL:
        raise RefusedError(COUNTER_AT_MAXIMUM)
    card.eeprom.commit([(file.body, (last + 1).to_bytes(4, "big"))])
    return last + 1


def _check_algorithm(key: SamKey, reported: int) -> None:
    # Cards say 01 (single DES) and still use 3DES with a 16-byte key.
    if reported != key.cipher and not (reported == _SINGLE_DES and key.cipher is Algorithm.TDES):
        raise RefusedError(WRONG_FILE_KIND)
