"""CREATE FILE, ERASE DF and WRITE KEY: how a blank card gets its structure and keys (FMCOS 7.12, 7.13)."""

from __future__ import annotations

from citycard.chip import files, keystore, messaging
from citycard.chip.access import require
from citycard.chip.files import CYCLIC, DIRECTORY, FIXED, HEADER, KEY_HEADER, KEYS, PURSE, VARIABLE, Directory
from citycard.chip.state import CardState
from citycard.chip.status import (
    KEY_NOT_FOUND,
    LINE_PROTECTION_MISMATCH,
    NO_ROOM,
    OK,
    WRONG_DATA,
    WRONG_FILE_KIND,
    WRONG_LENGTH,
    WRONG_PARAMETERS,
    RefusedError,
)

__all__ = ["create_file", "erase_directory", "write_key", "write_key_protected"]

ADD = 0x01
_FILE_DATA, _DIRECTORY_DATA = 7, 8
_NAME_SIZES = range(5, 17)
_KEY_SIZES = {8, 16}
_PIN_SIZES = range(2, 9)
_PIN_SIZE = 8
_ENTRY = 2
_LEAST_RECORDS = 2
_DEEPEST = 3
_NO_INDEX = 0xFF


def create_file(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Create a directory or a file in the current directory, its content all zeros."""
    directory = card.powered.directory
    fid = p1 << 8 | p2
    _require_owner(card, directory, directory.create_right)
    if len(data) < _FILE_DATA or le is not None:
        raise RefusedError(WRONG_LENGTH)
    kind, name = data[0], b""
    if kind == DIRECTORY:
        name = data[_DIRECTORY_DATA:]
        six = data[1:6] + bytes((len(name),))
        _check_directory(card, directory, fid, name)
    elif len(data) != _FILE_DATA:
        raise RefusedError(WRONG_LENGTH)
    else:
        six = data[1:7]
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
        card.eeprom.commit([(directory.first, bytes(used))])
        card.reread_structure()
    return OK


def write_key(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add a key (P1 01) or replace the key of kind P1 and index P2, sent in plain."""
    if le is not None:
        raise RefusedError(WRONG_LENGTH)
    return _write_key(card, p1, p2, data, protected=False)


def write_key_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add or replace a key sent as cipher text with a MAC, both under key 00 of kind 39."""
    if le is not None:
        raise RefusedError(WRONG_LENGTH)
    master = card.powered.directory.key(keystore.AUTHENTICATION, 0)
    if master is None:
        raise RefusedError(KEY_NOT_FOUND)
    sealed = messaging.unwrap(card, master, bytes((0x84, 0xD4, p1, p2)), data)
    return _write_key(card, p1, p2, messaging.open_data(card, master, sealed), protected=True)


def _write_key(card: CardState, p1: int, p2: int, data: bytes, *, protected: bool) -> bytes:
    directory = card.powered.directory
    entry = _key_entry(data)
    if p1 == ADD:
        _add_key(card, directory, p2, entry, protected=protected)
        return OK
    key = directory.key(0x30 | p1 & 0x0F, p2)
    if key is None:
        raise RefusedError(KEY_NOT_FOUND)
    require(card, keystore.change_right(card, key))
    if bool(card.eeprom.cells[key.place] & files.MAC_FLAG) and not protected:
        raise RefusedError(LINE_PROTECTION_MISMATCH)
    if entry[0] & 0x3F != key.kind:
        raise RefusedError(WRONG_FILE_KIND)
    if len(entry) != KEY_HEADER + key.size:
        raise RefusedError(WRONG_LENGTH)
    card.eeprom.commit([(key.place, entry)])
    return OK


def _add_key(card: CardState, directory: Directory, index: int, entry: bytes, *, protected: bool) -> None:
    file = directory.key_file
    if file is None:
        raise RefusedError(KEY_NOT_FOUND)
    if directory.keys:  # the first key comes before anybody can have authenticated
        require(card, file.write_right)
    if index == _NO_INDEX or directory.key(entry[0] & 0x3F, index) is not None:
        raise RefusedError(WRONG_PARAMETERS)
    has_master = directory.key(keystore.AUTHENTICATION, 0) is not None
    if entry[0] & files.MAC_FLAG and has_master and not protected:
        raise RefusedError(LINE_PROTECTION_MISMATCH)
    place = file.body
    for key in directory.keys.values():
        place = max(place, key.place + KEY_HEADER + key.size)
    if place + _ENTRY + len(entry) > file.body + file.size:
        raise RefusedError(NO_ROOM)
    card.eeprom.commit([(place, bytes((index, len(entry))) + entry)])
    card.reread_structure()


def _key_entry(data: bytes) -> bytes:
    if len(data) <= KEY_HEADER:
        raise RefusedError(WRONG_LENGTH)
    kind, secret = data[0] & 0x3F, data[KEY_HEADER:]
    if kind >> 4 != 3 or data[0] == 0:  # noqa: PLR2004  # all kinds of keys are 3x
        raise RefusedError(WRONG_DATA)
    if kind == keystore.PIN:
        if len(secret) not in _PIN_SIZES:
            raise RefusedError(WRONG_LENGTH)
        secret = secret.ljust(_PIN_SIZE, b"\xff")
    elif len(secret) not in _KEY_SIZES:
        raise RefusedError(WRONG_LENGTH)
    return data[:KEY_HEADER] + secret


def _require_owner(card: CardState, directory: Directory, right: int) -> None:
    if directory.key_file is not None:  # a directory without keys is its creator's, as on FMCOS
        require(card, right)


def _check_directory(card: CardState, directory: Directory, fid: int, name: bytes) -> None:
    if len(name) not in _NAME_SIZES:
        raise RefusedError(WRONG_LENGTH)
    if fid in directory.children or fid == files.ROOT_FID or name in card.structure.names:
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
    if fid in directory.files or fid in {0, files.ROOT_FID}:
        raise RefusedError(WRONG_PARAMETERS)
    if base in {FIXED, CYCLIC} and (six[0] < _LEAST_RECORDS or six[1] == 0):
        raise RefusedError(WRONG_DATA)
    if base not in {FIXED, CYCLIC, PURSE} and (six[0] | six[1]) == 0:
        raise RefusedError(WRONG_DATA)
    if base == VARIABLE and flags & files.CIPHER_FLAG and not flags & files.MAC_FLAG:
        raise RefusedError(WRONG_DATA)
