"""CREATE FILE and ERASE DF: how a blank card gets its structure (FMCOS manual 7.13, and 1.1 of its annex)."""

from __future__ import annotations

from hmac import compare_digest

from citycard.chip import files, hidden
from citycard.chip.access import require
from citycard.chip.files import CYCLIC, DIRECTORY, FIXED, HEADER, KEYS, PURSE, ROOT_FID, VARIABLE, Directory
from citycard.chip.state import CardState
from citycard.chip.status import (
    NO_ROOM,
    OK,
    SECURITY_NOT_SATISFIED,
    WRONG_DATA,
    WRONG_FILE_KIND,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
)

__all__ = ["create_file", "erase_directory"]

_FILE_DATA, _DIRECTORY_DATA = 7, 8
_NAME_SIZES = range(5, 17)
_CODE = 10
_WHOLE_MEMORY = b"\xff\xff"
_LEAST_RECORDS = 2
_DEEPEST = 3
_PURSE_FIDS = {0x01, 0x02}


def create_file(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Create a directory or a file in the current directory, its content all zeros.

    An empty master file can be created anew, with the card's transport code behind its name.
    """
    directory = card.powered.directory
    fid = p1 << 8 | p2
    if len(data) < _FILE_DATA or le is not None:
        raise RefusedError(WRONG_LENGTH)
    if fid == ROOT_FID and data[0] == DIRECTORY:
        return _create_root(card, directory, data)
    kind, name = data[0], b""
    if kind == DIRECTORY:
        name = data[_DIRECTORY_DATA:]
        if len(name) not in _NAME_SIZES:
            raise RefusedError(WRONG_LENGTH)
        six = data[1:6] + bytes((len(name),))
    elif len(data) == _FILE_DATA:
        six = data[1:7]
    else:
        raise RefusedError(WRONG_LENGTH)
    _require_owner(card, directory, directory.create_right)
    if kind == DIRECTORY:
        _check_directory(card, directory, fid, name)
    else:
        _check_file(directory, kind, fid, six)
    size = files.body_size(kind, six)
    needed = HEADER + len(name) + size
    if directory.free + needed > directory.end:
        raise RefusedError(NO_ROOM)
    body = name if kind == DIRECTORY else bytes(size)
    card.eeprom.commit([(directory.free, files.header(kind, fid, six) + body)])
    card.reread_structure()
    return OK


def erase_directory(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Empty the current directory: its files, keys and everything below are overwritten with zeros."""
    directory = card.powered.directory
    if p1 or p2:
        raise RefusedError(WRONG_PARAMETERS)
    if data or le not in {None, 256}:
        raise RefusedError(WRONG_LENGTH)
    _require_owner(card, directory, directory.erase_right)
    used = min(directory.free, len(card.eeprom.cells)) - directory.first
    if used > 0:
        end = directory.first + used
        below = hidden.forgotten(card.eeprom, directory.address, end)
        card.eeprom.commit([(directory.first, bytes(used)), *below])
        card.reread_structure()
    return OK


def _create_root(card: CardState, current: Directory, data: bytes) -> bytes:
    # The header and name of an empty master file are written anew: its rights and its name may change.
    root, given = card.structure.root, data[_DIRECTORY_DATA:]
    name, code = given[:-_CODE] or card.profile.root_name, given[-_CODE:]
    if len(code) != _CODE or len(name) not in _NAME_SIZES:
        raise RefusedError(WRONG_LENGTH)
    if current is not root or root.files or root.children or root.key_file is not None:
        raise RefusedError(WRONG_PARAMETERS)
    if not compare_digest(code, card.profile.transport_code):
        raise RefusedError(SECURITY_NOT_SATISFIED)
    if data[1:3] != _WHOLE_MEMORY:
        raise RefusedError(WRONG_DATA)
    head = files.header(DIRECTORY, ROOT_FID, data[1:6] + bytes((len(name),))) + name
    card.eeprom.commit([(root.address, head.ljust(len(card.eeprom.cells), b"\0"))])
    card.reread_structure()
    return OK


def _require_owner(card: CardState, directory: Directory, right: int) -> None:
    if directory.key_file is not None:  # a directory without keys is its creator's, as on FMCOS
        require(card, right)


def _check_directory(card: CardState, directory: Directory, fid: int, name: bytes) -> None:
    if _taken(directory, fid) or name in card.structure.names:
        raise RefusedError(WRONG_PARAMETERS)
    depth, above = 1, directory.parent
    while above is not None:
        depth, above = depth + 1, card.structure.directories[above].parent
    if depth >= _DEEPEST:
        raise RefusedError(WRONG_DATA)


def _check_file(directory: Directory, kind: int, fid: int, six: bytes) -> None:
    if kind == KEYS:
        if directory.key_file is not None:
            raise RefusedError(WRONG_PARAMETERS)
        if directory.files or directory.children:
            raise RefusedError(WRONG_DATA)
        return
    base, flags = files.split_kind(kind)
    if base not in files.ENTRY_FILES or (base == PURSE and flags):
        raise RefusedError(WRONG_FILE_KIND)
    if _taken(directory, fid):
        raise RefusedError(WRONG_PARAMETERS)
    if base == PURSE and fid not in _PURSE_FIDS:
        raise RefusedError(WRONG_DATA)
    if base in {FIXED, CYCLIC} and (six[0] < _LEAST_RECORDS or six[1] == 0):
        raise RefusedError(WRONG_DATA)
    if base not in {FIXED, CYCLIC, PURSE} and (six[0] | six[1]) == 0:
        raise RefusedError(WRONG_DATA)
    if base == VARIABLE and flags & files.CIPHER_FLAG and not flags & files.MAC_FLAG:
        raise RefusedError(WRONG_DATA)


def _taken(directory: Directory, fid: int) -> bool:
    # Files and directories of one directory share their ids, with it; SELECT would not know which was meant.
    own = {0, ROOT_FID, directory.fid}
    return fid in own or fid in directory.files or fid in directory.children
