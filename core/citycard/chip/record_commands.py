"""READ, UPDATE and APPEND RECORD, plain and line-protected (FMCOS manual 7.6, 7.8 and 7.9)."""

from __future__ import annotations

from citycard.chip import messaging, records
from citycard.chip.access import require
from citycard.chip.files import CYCLIC, File
from citycard.chip.protection import check_line, line_key, received
from citycard.chip.state import CardState
from citycard.chip.status import OK, WRONG_LENGTH, WRONG_PARAMETERS, RefusedError, expect_le

__all__ = [
    "BY_ID",
    "BY_NUMBER",
    "PREVIOUS",
    "append_record",
    "append_record_protected",
    "read_record",
    "read_record_protected",
    "update_record",
    "update_record_protected",
]

BY_NUMBER, BY_ID, PREVIOUS = 4, 0, 3


def read_record(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return one record by its number or id."""
    file = card.file_by_sfi(p2 >> 3)
    require(card, file.read_right)
    check_line(file.protected_reads, given=False)
    if data:
        raise RefusedError(WRONG_LENGTH)
    answer = records.read_place(card.eeprom.cells, _place(card, file, p1, p2))
    expect_le(le, len(answer))
    return answer + OK


def read_record_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return one record and a MAC over it."""
    file = card.file_by_sfi(p2 >> 3)
    require(card, file.read_right)
    check_line(file.protected_reads, given=True)
    key = line_key(card, file.read_key)
    messaging.unwrap(card, key, bytes((0x04, 0xB2, p1, p2)), data)
    answer = records.read_place(card.eeprom.cells, _place(card, file, p1, p2))
    expect_le(le, len(answer))
    return answer + messaging.answer_mac(card, key, card.powered.challenge or b"", answer) + OK


def update_record(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Replace one record; ``P1 00, P2 low bits 3`` adds one to a cyclic file."""
    file = _writable(card, p2, given=False)
    return _update(card, file, p1, p2, data, le)


def update_record_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Replace one record; the data is followed by a MAC."""
    file = _writable(card, p2, given=True)
    return _update(card, file, p1, p2, received(card, file, bytes((0x04, 0xDC, p1, p2)), data), le)


def append_record(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add a record: behind the last, or as the new record 1 of a cyclic file."""
    file = _writable(card, p2, given=False)
    return _append(card, file, p1, data, le)


def append_record_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add a record; the data is followed by a MAC."""
    file = _writable(card, p2, given=True)
    return _append(card, file, p1, received(card, file, bytes((0x04, 0xE2, p1, p2)), data), le)


def _writable(card: CardState, p2: int, *, given: bool) -> File:
    file = card.file_by_sfi(p2 >> 3)
    require(card, file.write_right)
    check_line(file.protected, given=given)
    return file


def _place(card: CardState, file: File, p1: int, p2: int) -> tuple[int, int]:
    cells, id_size = card.eeprom.cells, card.profile.record_id_size
    if p2 & 7 == BY_NUMBER:
        return records.find_by_number(cells, file, p1, id_size)
    if p2 & 7 == BY_ID:
        return records.find_by_id(cells, file, p1, id_size)
    raise RefusedError(WRONG_PARAMETERS)


def _update(card: CardState, file: File, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    if not data or le is not None:
        raise RefusedError(WRONG_LENGTH)
    cells, id_size = card.eeprom.cells, card.profile.record_id_size
    if file.kind == CYCLIC:
        if p1 or p2 & 7 not in {BY_ID, PREVIOUS}:
            raise RefusedError(WRONG_PARAMETERS)
        card.eeprom.commit(records.cyclic_append(cells, file, data))
    else:
        card.eeprom.commit([records.checked(cells, file, _place(card, file, p1, p2), data, id_size)])
    return OK


def _append(card: CardState, file: File, p1: int, data: bytes, le: int | None) -> bytes:
    if p1:
        raise RefusedError(WRONG_PARAMETERS)
    if not data or le is not None:
        raise RefusedError(WRONG_LENGTH)
    card.eeprom.commit(records.append(card.eeprom.cells, file, data, card.profile.record_id_size))
    return OK
