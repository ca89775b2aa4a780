"""READ BINARY and UPDATE BINARY, plain and line-protected (FMCOS manual 7.5 and 7.7)."""

from __future__ import annotations

from citycard.chip import messaging
from citycard.chip.access import require
from citycard.chip.files import BINARY, File
from citycard.chip.protection import check_line, line_key, received
from citycard.chip.state import CardState
from citycard.chip.status import (
    OFFSET_BEYOND_FILE,
    OK,
    WRONG_FILE_KIND,
    WRONG_LENGTH,
    RefusedError,
)

__all__ = ["read_binary", "read_binary_protected", "update_binary", "update_binary_protected"]

_BY_SFI = 0x80


def read_binary(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return bytes of a binary file from an offset; Le 00 asks for all that is left."""
    file, offset = _addressed(card, p1, p2)
    require(card, file.read_right)
    check_line(file.protected_reads, given=False)
    if data:
        raise RefusedError(WRONG_LENGTH)
    return _content(card, file, offset, le) + OK


def read_binary_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return bytes of a line-protected file and a MAC over them."""
    file, offset = _addressed(card, p1, p2)
    require(card, file.read_right)
    check_line(file.protected_reads, given=True)
    key = line_key(card, file.read_key)
    messaging.unwrap(card, key, bytes((0x04, 0xB0, p1, p2)), data)
    answer = _content(card, file, offset, le)
    return answer + messaging.answer_mac(card, key, card.powered.challenge or b"", answer) + OK


def update_binary(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Write bytes of a binary file at an offset."""
    file, offset = _addressed(card, p1, p2)
    require(card, file.write_right)
    check_line(file.protected, given=False)
    return _update(card, file, offset, data, le)


def update_binary_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Write bytes of a line-protected binary file; the data is followed by a MAC."""
    file, offset = _addressed(card, p1, p2)
    require(card, file.write_right)
    check_line(file.protected, given=True)
    plain = received(card, file, bytes((0x04, 0xD6, p1, p2)), data)
    return _update(card, file, offset, plain, le)


def _addressed(card: CardState, p1: int, p2: int) -> tuple[File, int]:
    if p1 & _BY_SFI:
        file, offset = card.file_by_sfi(p1 & 0x1F), p2
    else:
        file, offset = card.file_by_sfi(0), p1 << 8 | p2
    if file.kind != BINARY:
        raise RefusedError(WRONG_FILE_KIND)
    if offset >= file.size:
        raise RefusedError(OFFSET_BEYOND_FILE)
    return file, offset


def _content(card: CardState, file: File, offset: int, le: int | None) -> bytes:
    left = file.size - offset
    wanted = min(left, 256) if le is None or le == 256 else le  # noqa: PLR2004  # Le 00 is 256
    if wanted > left:
        raise RefusedError(bytes((0x6C, left)))
    start = file.body + offset
    return bytes(card.eeprom.cells[start : start + wanted])


def _update(card: CardState, file: File, offset: int, data: bytes, le: int | None) -> bytes:
    if not data or le is not None:
        raise RefusedError(WRONG_LENGTH)
    if offset + len(data) > file.size:
        raise RefusedError(OFFSET_BEYOND_FILE)
    card.eeprom.commit([(file.body + offset, data)])
    return OK
