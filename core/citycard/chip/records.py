"""Places of records: fixed and cyclic by arithmetic, variable ones by walking their ids and lengths.

A fixed or cyclic slot is one status byte and the data. A cyclic file starts with eight control bytes, of
which the first two are the index of the newest slot and the count of used ones. A variable record carries
its own id and length (PBOC TLV; two-byte ids in JT/T 978) and is never moved once appended.
"""

from __future__ import annotations

from citycard.chip.eeprom import Entry
from citycard.chip.files import CYCLIC, CYCLIC_CONTROL, FIXED, VARIABLE, File
from citycard.chip.status import (
    NO_ROOM,
    RECORD_NOT_FOUND,
    WRONG_DATA,
    WRONG_FILE_KIND,
    WRONG_LENGTH,
    RefusedError,
)

__all__ = [
    "all_from",
    "append",
    "checked",
    "cyclic_append",
    "find_by_id",
    "find_by_number",
    "find_occurrence",
    "is_next",
    "read_place",
]

USED = b"\x01"
FIRST, LAST, NEXT, PREVIOUS = 0, 1, 2, 3
Cells = bytearray
Place = tuple[int, int]
"""Address and length of one record's data."""


def find_by_number(cells: Cells, file: File, number: int, id_size: int) -> Place:
    """Return where record ``number`` lies; number 1 of a cyclic file is the newest. Refuse with ``6A83``."""
    if file.kind == VARIABLE:
        for found, place in enumerate(_variable(cells, file, id_size), start=1):
            if found == number:
                return place
    elif file.kind == FIXED:
        slot = file.body + (number - 1) * (file.record_size + 1)
        if 1 <= number <= file.records and cells[slot : slot + 1] == USED:
            return slot + 1, file.record_size
    elif file.kind == CYCLIC:
        newest, count = cells[file.body], cells[file.body + 1]
        if 1 <= number <= count:
            return _slot(file, (newest - number + 1) % file.records) + 1, file.record_size
    else:
        raise RefusedError(WRONG_FILE_KIND)
    raise RefusedError(RECORD_NOT_FOUND)


def find_by_id(cells: Cells, file: File, record_id: int, id_size: int) -> Place:
    """Return where the first record lies whose id ends with the byte ``record_id``; refuse with ``6A83``."""
    return find_occurrence(cells, file, record_id, id_size, FIRST, 0)[1]


def find_occurrence(
    cells: Cells, file: File, record_id: int, id_size: int, mode: int, current: int
) -> tuple[int, Place]:
    """Return number and place of the first (0), last (1), next (2) or previous (3) record with an id.

    Next and previous count from record ``current``; with 0, before any, they are the first and the last.
    Refuse with ``6A83``.
    """
    if file.kind != VARIABLE:
        raise RefusedError(WRONG_FILE_KIND)
    found = [
        (number, place)
        for number, place in enumerate(_variable(cells, file, id_size), start=1)
        if cells[place[0] + id_size - 1] == record_id
    ]
    if mode == NEXT:
        found = [hit for hit in found if hit[0] > current]
    elif mode == PREVIOUS and current:
        found = [hit for hit in found if hit[0] < current]
    if not found:
        raise RefusedError(RECORD_NOT_FOUND)
    return found[0 if mode in {FIRST, NEXT} else -1]


def all_from(cells: Cells, file: File, number: int, id_size: int, most: int) -> bytes:
    """Return record ``number`` and those after it, as many whole ones as ``most`` bytes hold."""
    answer = read_place(cells, find_by_number(cells, file, number, id_size))
    while number := number + 1:
        try:
            following = read_place(cells, find_by_number(cells, file, number, id_size))
        except RefusedError:
            break
        if len(answer) + len(following) > most:
            break
        answer += following
    return answer


def is_next(cells: Cells, file: File, number: int, id_size: int) -> bool:
    """Tell whether ``number`` is the one behind the last record of a fixed or variable file that has it."""
    if file.kind == VARIABLE:
        return number == len(_variable(cells, file, id_size)) + 1
    if file.kind != FIXED or number > file.records:
        return False
    slots = range(file.body, file.body + file.size, file.record_size + 1)
    used = next((count for count, slot in enumerate(slots) if cells[slot : slot + 1] != USED), file.records)
    return number == used + 1


def read_place(cells: Cells, place: Place) -> bytes:
    """Return the data of a record."""
    address, size = place
    return bytes(cells[address : address + size])


def checked(cells: Cells, file: File, place: Place, data: bytes, id_size: int) -> Entry:
    """Return the write that replaces a record; it keeps its length, and a variable one its id (``6A80``)."""
    address, size = place
    if len(data) != size:
        raise RefusedError(WRONG_LENGTH)
    if file.kind == VARIABLE and cells[address : address + id_size + 1] != data[: id_size + 1]:
        raise RefusedError(WRONG_DATA)
    return address, data


def append(cells: Cells, file: File, data: bytes, id_size: int) -> list[Entry]:
    """Return the writes that add a record: behind the last one, or over the oldest of a cyclic file."""
    if file.kind == CYCLIC:
        return cyclic_append(cells, file, data)
    if file.kind == FIXED:
        return [_fixed_append(cells, file, data)]
    if file.kind == VARIABLE:
        return [_variable_append(cells, file, data, id_size)]
    raise RefusedError(WRONG_FILE_KIND)


def cyclic_append(cells: Cells, file: File, data: bytes) -> list[Entry]:
    """Return the two writes of a new record 1 of a cyclic file: its slot, then the control bytes."""
    if len(data) != file.record_size:
        raise RefusedError(WRONG_LENGTH)
    newest, count = cells[file.body], cells[file.body + 1]
    following = (newest + 1) % file.records if count else 0
    control = bytes((following, min(count + 1, file.records)))
    return [(_slot(file, following), USED + data), (file.body, control)]


def _slot(file: File, index: int) -> int:
    return file.body + CYCLIC_CONTROL + index * (file.record_size + 1)


def _fixed_append(cells: Cells, file: File, data: bytes) -> Entry:
    if len(data) != file.record_size:
        raise RefusedError(WRONG_LENGTH)
    for slot in range(file.body, file.body + file.size, file.record_size + 1):
        if cells[slot : slot + 1] != USED:
            return slot, USED + data
    raise RefusedError(NO_ROOM)


def _variable_append(cells: Cells, file: File, data: bytes, id_size: int) -> Entry:
    if len(data) <= id_size or len(data) != id_size + 1 + data[id_size] or data[0] in {0x00, 0xFF}:
        raise RefusedError(WRONG_DATA)
    end = file.body
    for address, size in _variable(cells, file, id_size):
        end = address + size
    if end + len(data) > file.body + file.size:
        raise RefusedError(NO_ROOM)
    return end, data


def _variable(cells: Cells, file: File, id_size: int) -> list[Place]:
    places, address, end = [], file.body, file.body + file.size
    while address + id_size < end and cells[address] not in {0x00, 0xFF}:
        size = id_size + 1 + cells[address + id_size]
        places.append((address, size))
        address += size
    return places
