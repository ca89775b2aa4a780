"""READ, UPDATE and APPEND RECORD, plain and line-protected (FMCOS manual 7.6, 7.8 and 7.9).

The low three bits of P2 say how P1 names a record: 4 its number, 5 all records from that number (READ), 0 to
3 the first, last, next or previous one whose id is P1. A cyclic file grows by UPDATE RECORD with P1 00 or by
APPEND, the others by APPEND or by UPDATE RECORD of the number behind the last, as on FM1208 chips.
"""

from __future__ import annotations

from citycard.chip import messaging, records
from citycard.chip.access import require
from citycard.chip.files import CYCLIC, File
from citycard.chip.protection import check_line, line_key, most_of_answer, received
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

BY_ID, PREVIOUS, BY_NUMBER, ALL_FROM = 0, 3, 4, 5
_CYCLIC_MODES = {0, 2, 3}


def read_record(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return one record by its number or id, or all from a number."""
    _check_mode(p2, ALL_FROM)
    if data:
        raise RefusedError(WRONG_LENGTH)
    file = card.file_by_sfi(p2 >> 3)
    require(card, file.read_right)
    check_line(file.protected_reads, given=False)
    answer = _content(card, file, p1, p2, card.profile.longest_data)
    expect_le(le, len(answer))
    return answer + OK


def read_record_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Return one record, or all from a number, and a MAC; Le counts the bytes of the records."""
    _check_mode(p2, ALL_FROM)
    if len(data) > messaging.MAC_SIZE:
        raise RefusedError(WRONG_LENGTH)
    file = card.file_by_sfi(p2 >> 3)
    require(card, file.read_right)
    check_line(file.protected_reads, given=True)
    key = line_key(card, file.read_key)
    messaging.unwrap(card, key, bytes((0x04, 0xB2, p1, p2)), data)
    answer = _content(card, file, p1, p2, most_of_answer(card, file))
    expect_le(le, len(answer))
    return messaging.protect_answer(card, key, answer, enciphered=file.enciphered) + OK


def update_record(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Replace one record, or add one to a cyclic file."""
    _check_mode(p2, BY_NUMBER)
    if not data or le is not None:
        raise RefusedError(WRONG_LENGTH)
    return _update(card, _writable(card, p2, given=False), p1, p2, data)


def update_record_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Replace one record, or add one to a cyclic file; the data is followed by a MAC."""
    _check_mode(p2, BY_NUMBER)
    if le is not None:
        raise RefusedError(WRONG_LENGTH)
    file = _writable(card, p2, given=True)
    return _update(card, file, p1, p2, received(card, file, bytes((0x04, 0xDC, p1, p2)), data))


def append_record(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add a record: behind the last, or as the new record 1 of a cyclic file."""
    if p1 or p2 & 7 != BY_NUMBER:
        raise RefusedError(WRONG_PARAMETERS)
    if not data or le is not None:
        raise RefusedError(WRONG_LENGTH)
    return _append(card, _writable(card, p2, given=False), data)


def append_record_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add a record; the data is followed by a MAC."""
    if p1 or p2 & 7 != BY_NUMBER:
        raise RefusedError(WRONG_PARAMETERS)
    if le is not None:
        raise RefusedError(WRONG_LENGTH)
    file = _writable(card, p2, given=True)
    return _append(card, file, received(card, file, bytes((0x04, 0xE2, p1, p2)), data))


def _check_mode(p2: int, most: int) -> None:
    if p2 & 7 > most:
        raise RefusedError(WRONG_PARAMETERS)


def _writable(card: CardState, p2: int, *, given: bool) -> File:
    file = card.file_by_sfi(p2 >> 3)
    require(card, file.write_right)
    check_line(file.protected, given=given)
    return file


def _content(card: CardState, file: File, p1: int, p2: int, most: int) -> bytes:
    cells = card.eeprom.cells
    if p2 & 7 == ALL_FROM:
        return records.all_from(cells, file, p1, card.record_id_size, most)
    return records.read_place(cells, _place(card, file, p1, p2))


def _place(card: CardState, file: File, p1: int, p2: int) -> tuple[int, int]:
    cells, id_size, mode = card.eeprom.cells, card.record_id_size, p2 & 7
    if mode == BY_NUMBER:
        return records.find_by_number(cells, file, p1, id_size)
    ram = card.powered
    ram.record, place = records.find_occurrence(cells, file, p1, id_size, mode, ram.record)
    return place


def _update(card: CardState, file: File, p1: int, p2: int, data: bytes) -> bytes:
    cells = card.eeprom.cells
    if file.kind == CYCLIC:
        if p1 or p2 & 7 not in _CYCLIC_MODES:
            raise RefusedError(WRONG_PARAMETERS)
        card.eeprom.commit(records.cyclic_append(cells, file, data))
    elif p2 & 7 == BY_NUMBER and records.is_next(cells, file, p1, card.record_id_size):
        card.eeprom.commit(records.append(cells, file, data, card.record_id_size))
    else:
        place = _place(card, file, p1, p2)
        card.eeprom.commit([records.checked(cells, file, place, data, card.record_id_size)])
    return OK


def _append(card: CardState, file: File, data: bytes) -> bytes:
    card.eeprom.commit(records.append(card.eeprom.cells, file, data, card.record_id_size))
    return OK
