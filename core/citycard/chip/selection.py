"""SELECT by file id or by name, and its answer, the file control information (FMCOS manual 7.4)."""

from __future__ import annotations

from citycard.chip.files import BLOCKED, ROOT_FID, STATE_OFFSET, Directory
from citycard.chip.state import CardState
from citycard.chip.status import (
    BLOCKED_SELECTED,
    FILE_NOT_FOUND,
    OK,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
    expect_le,
)

__all__ = ["select"]

_BY_FID, _BY_NAME = 0x00, 0x04
_FID_SIZE = 2
_LONGEST_NAME = 16


def select(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Make a directory or file the current one; a directory answers with its name and issuer data.

    The answer of an application that is blocked for a time ends with ``6283``.
    """
    if p2 or p1 not in {_BY_FID, _BY_NAME}:
        raise RefusedError(WRONG_PARAMETERS)
    if p1 == _BY_NAME:
        if not 1 <= len(data) <= _LONGEST_NAME:
            raise RefusedError(WRONG_LENGTH)
        directory = card.structure.named(data)
    else:
        directory = _by_fid(card, data)
        if directory is None:
            return OK
    if directory is None:
        raise RefusedError(FILE_NOT_FOUND)
    answer = _control_information(card, directory)
    expect_le(le, len(answer))
    card.enter(directory)
    blocked = card.eeprom.cells[directory.address + STATE_OFFSET] == BLOCKED
    return answer + (BLOCKED_SELECTED if blocked else OK)


def _by_fid(card: CardState, data: bytes) -> Directory | None:
    if len(data) not in {0, _FID_SIZE}:
        raise RefusedError(WRONG_LENGTH)
    fid = int.from_bytes(data, "big") if data else ROOT_FID
    structure, ram = card.structure, card.powered
    if fid == ROOT_FID:
        return structure.root
    current = ram.directory
    if fid in current.files:
        ram.file, ram.record = current.files[fid], 0
        return None
    above = structure.directories.get(current.parent) if current.parent is not None else None
    for directory in (current, above):
        if directory is not None and fid in directory.children:
            return structure.directories[directory.children[fid]]
    if above is not None and fid == above.fid:
        return above
    raise RefusedError(FILE_NOT_FOUND)


def _control_information(card: CardState, directory: Directory) -> bytes:
    inner = b""
    if directory.parent is None:
        if directory.answer_fid:
            inner = b"\x88\x01" + bytes((directory.answer_fid,))
    else:
        version = card.profile.application_version
        if version:
            inner = b"\x9f\x08" + bytes((len(version),)) + version
        file = directory.files.get(directory.answer_fid)
        if file is not None:
            size = min(file.size, card.profile.issuer_data_bytes)
            content = card.eeprom.cells[file.body : file.body + size]
            inner += b"\x9f\x0c" + bytes((len(content),)) + content
    outer = b"\x84" + bytes((len(directory.name),)) + directory.name + b"\xa5" + bytes((len(inner),)) + inner
    return b"\x6f" + bytes((len(outer),)) + outer
