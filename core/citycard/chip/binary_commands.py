"""READ BINARY and UPDATE BINARY, plain and line-protected (FMCOS manual 7.5 and 7.7)."""

from __future__ import annotations

from citycard.chip import messaging
from citycard.chip.access import require
from citycard.chip.files import BINARY, HEADER, STATE_OFFSET, WRITTEN, File
from citycard.chip.protection import check_line, line_key, most_of_answer, received
from citycard.chip.state import CardState
from citycard.chip.status import (
    NOT_WRITTEN,
    OFFSET_BEYOND_FILE,
    OK,
    WRONG_FILE_KIND,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
)

__all__ = [
    "read_binary",
    "read_binary_protected",
    "update_binary",
    "update_binary_protected",
    "write_binary_protected",
]

_BY_SFI, _SFI = 0x80, 0x1F
_LE_00 = 256


def read_binary(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return bytes of a binary file from an offset; Le 00 asks for all that is left."""
    _check_parameters(p1)
    if data:
        raise RefusedError(WRONG_LENGTH)
    file, offset = _addressed(card, p1, p2)
    require(card, file.read_right)
    check_line(file.protected_reads, given=False)
    return _content(card, file, offset, le, card.profile.longest_data) + _status(card, file)


def read_binary_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return bytes of a line-protected file and a MAC over them; Le counts the bytes, not the MAC."""
    _check_parameters(p1)
    if len(data) > messaging.MAC_SIZE:
        raise RefusedError(WRONG_LENGTH)
    file, offset = _addressed(card, p1, p2)
    require(card, file.read_right)
    check_line(file.protected_reads, given=True)
    key = line_key(card, file.read_key)
    messaging.unwrap(card, key, bytes((0x04, 0xB0, p1, p2)), data)
    answer = _content(card, file, offset, le, most_of_answer(card, file))
    return messaging.protect_answer(card, key, answer, enciphered=file.enciphered) + _status(card, file)


def update_binary(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Write bytes of a binary file at an offset."""
    _check_parameters(p1)
    if not data or le is not None:
        raise RefusedError(WRONG_LENGTH)
    file, offset = _addressed(card, p1, p2)
    require(card, file.write_right)
    check_line(file.protected, given=False)
    return _update(card, file, offset, data)


def update_binary_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Write bytes of a line-protected binary file; the data is followed by a MAC."""
    return _update_protected(card, 0xD6, p1, p2, data, le)


def write_binary_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Do the same for the other instruction byte of UPDATE BINARY, which the MAC covers."""
    return _update_protected(card, 0xD0, p1, p2, data, le)


def _update_protected(
    card: CardState, instruction: int, p1: int, p2: int, data: bytes, le: int | None
) -> bytes:
    _check_parameters(p1)
    if le is not None:
        raise RefusedError(WRONG_LENGTH)
    file, offset = _addressed(card, p1, p2)
    require(card, file.write_right)
    check_line(file.protected, given=True)
    plain = received(card, file, bytes((0x04, instruction, p1, p2)), data)
    if not plain:
        raise RefusedError(WRONG_LENGTH)
    return _update(card, file, offset, plain)


def _check_parameters(p1: int) -> None:
    if p1 & _BY_SFI and p1 & ~_SFI != _BY_SFI:
        raise RefusedError(WRONG_PARAMETERS)


def _addressed(card: CardState, p1: int, p2: int) -> tuple[File, int]:
    if p1 & _BY_SFI:
        file, offset = card.file_by_sfi(p1 & _SFI), p2
    else:
        file, offset = card.file_by_sfi(0), p1 << 8 | p2
    if file.kind != BINARY:
        raise RefusedError(WRONG_FILE_KIND)
    return file, offset


def _content(card: CardState, file: File, offset: int, le: int | None, most: int) -> bytes:
    if offset >= file.size:
        raise RefusedError(OFFSET_BEYOND_FILE)
    left = min(file.size - offset, most)
    wanted = left if le is None or le == _LE_00 else le
    if wanted > left:
        raise RefusedError(bytes((0x6C, left)))
    start = file.body + offset
    return bytes(card.eeprom.cells[start : start + wanted])


def _update(card: CardState, file: File, offset: int, data: bytes) -> bytes:
    if offset + len(data) > file.size:
        raise RefusedError(OFFSET_BEYOND_FILE)
    entries = [(file.body + offset, data)]
    if card.profile.warns_unwritten and not card.eeprom.cells[_state(file)]:
        entries.append((_state(file), bytes((WRITTEN,))))
    card.eeprom.commit(entries)
    return OK


def _status(card: CardState, file: File) -> bytes:
    if card.profile.warns_unwritten and not card.eeprom.cells[_state(file)]:
        return NOT_WRITTEN
    return OK


def _state(file: File) -> int:
    return file.body - HEADER + STATE_OFFSET
