"""WRITE KEY: add a key, or replace one (FMCOS manual 7.12; docs/chip.md, "Keys").

It comes in three forms: in plain (class 80); with a MAC (84); enciphered and with a MAC (84). Both
protections are under key 00 of kind 39 of the directory, or of the one above while it has none. A key that
was written with the flag 40 in its kind is replaced only with a MAC, one with C0 only enciphered.
"""

from __future__ import annotations

from citycard.chip import keystore, messaging
from citycard.chip.access import require
from citycard.chip.files import KEY_HEADER, Directory, Key
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

__all__ = ["write_key", "write_key_protected"]

_ADD, _NO_INDEX = 0x01, 0xFF
_KIND, _MAC, _CIPHER = 0x3F, 0x40, 0x80
_KINDS = frozenset({0x30, 0x31, 0x32, *range(0x34, 0x3B), *range(0x3C, 0x40)})
_PIN_SIZES, _PIN_SIZE = range(2, 9), 8
_ENTRY = 2


def write_key(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add a key (P1 01) or replace the key of kind P1 and index P2, sent in plain."""
    _check_head(card, p1, p2, le)
    return _write(card, p1, p2, _entry(card, data), protection=0)


def write_key_protected(card: CardState, p1: int, p2: int, data: bytes, le: int | None) -> bytes:
    """Add or replace a key that came with a MAC, in plain or enciphered."""
    _check_head(card, p1, p2, le)
    master = _master(card)
    body = messaging.unwrap(card, master, bytes((0x84, 0xD4, p1, p2)), data)
    # Nothing in the command says which form it has. Cipher text is whole blocks that open to a key.
    if len(body) % card.profile.line.block == 0:
        try:
            entry = _entry(card, messaging.open_data(card, master, body))
        except RefusedError:
            if not body or not body[0] & _MAC or body[0] & _KIND not in _KINDS:
                raise
        else:
            return _write(card, p1, p2, entry, protection=_MAC | _CIPHER)
    return _write(card, p1, p2, _entry(card, body), protection=_MAC)


def _check_head(card: CardState, p1: int, p2: int, le: int | None) -> None:
    if p2 == _NO_INDEX or (p1 != _ADD and p1 & _KIND not in _KINDS):
        raise RefusedError(WRONG_PARAMETERS)
    if le is not None:
        raise RefusedError(WRONG_LENGTH)
    if card.powered.directory.key_file is None:
        raise RefusedError(KEY_NOT_FOUND)


def _master(card: CardState) -> Key:
    # A directory without a master key of its own is under the one above it: that is how it gets its first.
    directory: Directory | None = card.powered.directory
    while directory is not None:
        key = directory.key(keystore.AUTHENTICATION, 0)
        if key is not None:
            return key
        directory = None if directory.parent is None else card.structure.directories[directory.parent]
    raise RefusedError(KEY_NOT_FOUND)


def _entry(card: CardState, data: bytes) -> bytes:
    if len(data) <= KEY_HEADER:
        raise RefusedError(WRONG_LENGTH)
    kind, secret = data[0] & _KIND, data[KEY_HEADER:]
    if kind not in _KINDS:
        raise RefusedError(WRONG_DATA)
    if kind == keystore.PIN:
        if len(secret) not in _PIN_SIZES:
            raise RefusedError(WRONG_LENGTH)
        secret = secret.ljust(_PIN_SIZE, b"\xff")
    elif len(secret) not in card.profile.line.key_sizes:
        raise RefusedError(WRONG_LENGTH)
    return data[:KEY_HEADER] + secret


def _write(card: CardState, p1: int, index: int, entry: bytes, *, protection: int) -> bytes:
    directory = card.powered.directory
    if p1 == _ADD:
        _add(card, directory, index, entry, protection)
        return OK
    key = directory.key(p1 & _KIND, index)
    if key is None:
        raise RefusedError(KEY_NOT_FOUND)
    require(card, keystore.change_right(card, key))
    _check_protection(card.eeprom.cells[key.place], protection)
    if entry[0] & _KIND != key.kind:
        raise RefusedError(WRONG_FILE_KIND)
    if len(entry) != KEY_HEADER + key.size:
        raise RefusedError(WRONG_LENGTH)
    card.eeprom.commit([(key.place, entry)])
    return OK


def _add(card: CardState, directory: Directory, index: int, entry: bytes, protection: int) -> None:
    file = directory.key_file
    assert file is not None, "checked with the parameters"
    if directory.keys:  # the first key comes before anybody can have authenticated
        require(card, file.write_right)
    if directory.key(entry[0] & _KIND, index) is not None:
        raise RefusedError(WRONG_PARAMETERS)
    if directory.key(keystore.AUTHENTICATION, 0) is not None:  # without it nobody could protect
        _check_protection(entry[0], protection)
    place = file.body
    for key in directory.keys.values():
        place = max(place, key.place + KEY_HEADER + key.size)
    if place + _ENTRY + len(entry) > file.body + file.size:
        raise RefusedError(NO_ROOM)
    card.eeprom.commit([(place, bytes((index, len(entry))) + entry)])
    card.reread_structure()


def _check_protection(kind: int, protection: int) -> None:
    if kind & (_MAC | _CIPHER) & ~protection:
        raise RefusedError(LINE_PROTECTION_MISMATCH)
