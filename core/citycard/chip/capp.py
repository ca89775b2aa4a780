"""UPDATE CAPP DATA CACHE: records that wait in RAM for a composite purchase (FMCOS manual 8.9.2).

MAC1 of the debit stands for the write right of the records, so transit files can be closed to every other
write. The log that the chip writes itself cannot be reached. The record data is in no MAC of the purse; a
file may ask for line protection (profile ``protected_cache``), and a protected command is always checked.
"""

from __future__ import annotations

from citycard.chip import records
from citycard.chip.eeprom import Entry
from citycard.chip.files import CYCLIC, File
from citycard.chip.protection import check_line, received
from citycard.chip.record_commands import BY_ID, BY_NUMBER, PREVIOUS
from citycard.chip.state import CardState, Pending
from citycard.chip.status import (
    CONDITIONS_NOT_SATISFIED,
    NO_ROOM,
    OK,
    STATE_INVALID,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
)

__all__ = ["cached_entries", "update_cache", "update_cache_protected"]

APPEND = 0


def update_cache(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Keep one record for the debit; everything about it is checked here, nothing is written yet."""
    pending, file = _addressed(card, p2)
    if card.profile.protected_cache:
        check_line(file.protected, given=False)
    return _keep(card, pending, file, p1, p2, data, le)


def update_cache_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Keep one record that came with a MAC under the line key."""
    pending, file = _addressed(card, p2)
    check_line(file.protected, given=True)
    plain = received(card, file, bytes((0x84, 0xDC, p1, p2)), data)
    return _keep(card, pending, file, p1, p2, plain, le)


def cached_entries(card: CardState, cache: list[tuple[File, int, bytes]]) -> list[Entry]:
    """Return the writes of the cached records."""
    cells, entries = card.eeprom.cells, []
    for file, address, data in cache:
        if address == APPEND:
            entries += records.cyclic_append(cells, file, data)
        else:
            entries.append((address, data))
    return entries


def _addressed(card: CardState, p2: int) -> tuple[Pending, File]:
    ram = card.powered
    pending = ram.pending
    if pending is None:
        raise RefusedError(STATE_INVALID)
    if pending.cache is None:
        ram.pending = None
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    file = card.file_by_sfi(p2 >> 3)
    if file.fid == pending.purse.log_fid:
        raise RefusedError(CONDITIONS_NOT_SATISFIED)
    return pending, file


def _keep(
    card: CardState, pending: Pending, file: File, p1: int, p2: int, data: bytes, le: int | None
) -> bytes:
    cache = pending.cache
    assert cache is not None, "checked when the file was addressed"
    if not data or le is not None:
        raise RefusedError(WRONG_LENGTH)
    if sum(len(kept) for _, _, kept in cache) + len(data) > card.profile.cache_bytes:
        raise RefusedError(NO_ROOM)
    cells, id_size = card.eeprom.cells, card.profile.record_id_size
    mode = p2 & 7
    if file.kind == CYCLIC:
        if p1 or mode not in {BY_ID, PREVIOUS}:
            raise RefusedError(WRONG_PARAMETERS)
        if any(kept is file for kept, _, _ in cache):
            raise RefusedError(CONDITIONS_NOT_SATISFIED)
        records.cyclic_append(cells, file, data)  # refuses a wrong length now, not at the debit
        cache.append((file, APPEND, data))
        return OK
    if mode == BY_NUMBER:
        place = records.find_by_number(cells, file, p1, id_size)
    elif mode == BY_ID:
        place = records.find_by_id(cells, file, p1, id_size)
    else:
        raise RefusedError(WRONG_PARAMETERS)
    address, data = records.checked(cells, file, place, data, id_size)
    cache.append((file, address, data))
    return OK
