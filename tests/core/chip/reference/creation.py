"""CREATE FILE, ERASE DF and WRITE KEY."""

from reference.card import Apdu, Card, Refused
from reference.files import (
    BINARY,
    CYCLIC,
    DIRECTORY,
    FIXED,
    KEYS,
    PURSE,
    VARIABLE,
    Binary,
    Directory,
    Key,
    KeyFile,
    Purse,
    Records,
)

VERSIONED = {0x30, 0x31, 0x32, 0x34, 0x35, 0x3C, 0x3D, 0x3E, 0x3F}
COUNTED = {0x36, 0x37, 0x38, 0x39}
PIN = 0x3A


def create_file(card: Card, apdu: Apdu) -> None:
    fid, data = apdu.p1 << 8 | apdu.p2, apdu.data
    if not (13 <= len(data) <= 24 if data[:1] == bytes((DIRECTORY,)) else len(data) == 7):
        raise Refused(0x6700)
    here = card.directory
    card.need_here(here.create)
    kind = data[0] & 0x3F if data[0] not in {KEYS, DIRECTORY} else data[0]
    if kind not in {BINARY, FIXED, CYCLIC, VARIABLE, PURSE, KEYS, DIRECTORY}:
        raise Refused(0x6981)
    if kind == KEYS and here.files:
        raise Refused(0x6A86 if here.keys else 0x6A80)
    if fid in here.files or (kind == DIRECTORY and fid in {0x3F00, here.fid}):
        raise Refused(0x6A86)
    if kind == DIRECTORY and data[8:] in {d.name for d in card.master.everything()}:
        raise Refused(0x6A86)
    made = build(card, fid, kind, data)
    if made is None:
        raise Refused(0x6A80)
    if any(d.cost + made.cost > d.size for d in [here] if d is not card.master):
        raise Refused(0x6A84)
    if isinstance(made, Directory) and made.size > 8192:
        raise Refused(0x6A84)
    if card.master.cost + made.cost > 8192:
        raise Refused(0x6A84)
    here.files[fid] = made
    card.file = None


def build(card: Card, fid: int, kind: int, data: bytes):  # noqa: PLR0911 - one line for each kind of file
    here, size = card.directory, int.from_bytes(data[1:3], "big")
    if kind == DIRECTORY:
        if here.depth >= 3:
            return None
        return Directory(fid, data[8:], size, data[3], data[4], here)
    if kind == KEYS:
        return KeyFile(fid, data[0], write=data[4], size=size, sfi=data[3])
    if kind == BINARY:
        return Binary(fid, data[0], data[3], data[4], data[6], content=bytearray(size))
    if kind == PURSE:
        return Purse(fid, data[0], data[3], 0, log=data[6]) if fid in {1, 2} else None
    if kind == VARIABLE:
        return Records(fid, data[0], data[3], data[4], data[6], size=size)
    if data[1] < 2 or data[2] == 0:
        return None
    return Records(fid, data[0], data[3], data[4], data[6], most=data[1], length=data[2])


def erase(card: Card, apdu: Apdu) -> None:
    if (apdu.p1, apdu.p2) != (0, 0):
        raise Refused(0x6A86)
    if apdu.data or apdu.le:
        raise Refused(0x6700)
    card.need_here(card.directory.erase)
    card.directory.files.clear()
    card.directory.blocked = ""
    card.file = None
    card.directory.proofs.clear()
    card.directory.lock = None


def master_key(card: Card) -> Key:
    """A directory without a master key of its own is under the one above it."""
    above = card.directory
    while above is not None:
        key = above.keys.find(0x39, 0) if above.keys is not None else None
        if key is not None:
            return key
        above = above.parent
    raise Refused(0x6A88)


def write_key(card: Card, apdu: Apdu) -> None:
    if apdu.p2 == 0xFF or (apdu.p1 != 1 and apdu.p1 & 0x3F not in VERSIONED | COUNTED | {PIN}):
        raise Refused(0x6A86)
    if apdu.le is not None:
        raise Refused(0x6700)
    keys, data = card.directory.keys, apdu.data
    if keys is None:
        raise Refused(0x6A88)
    if apdu.cla == 0x84:
        data, _ = card.open_line(apdu, master_key(card), sealed=True)
    check_key(data)
    if apdu.p1 == 0x01:
        add_key(card, keys, apdu, data)
    else:
        replace_key(card, keys, apdu, data)


def check_key(data: bytes) -> None:
    if len(data) < 6:
        raise Refused(0x6700)
    kind = data[0] & 0x3F
    if kind not in VERSIONED | COUNTED | {PIN}:
        raise Refused(0x6A80)
    if len(data) - 5 not in (range(2, 9) if kind == PIN else (8, 16)):
        raise Refused(0x6700)


def add_key(card: Card, keys: KeyFile, apdu: Apdu, data: bytes) -> None:
    kind, protection = data[0] & 0x3F, data[0] & 0xC0
    if keys.keys:  # the first comes before anybody can have authenticated
        card.need(keys.write)
    if keys.find(kind, apdu.p2) is not None:
        raise Refused(0x6A86)
    if protection and apdu.cla != 0x84 and keys.find(0x39, 0) is not None:
        raise Refused(0x6900)
    new = Key(kind, apdu.p2, data[1], data[2], data[3], data[4], data[5:], protection)
    if sum(key.cost for key in [*keys.keys, new]) > keys.size:
        raise Refused(0x6A84)
    keys.keys.append(new)
    card.file = None


def replace_key(card: Card, keys: KeyFile, apdu: Apdu, data: bytes) -> None:
    old = keys.find(apdu.p1 & 0x3F, apdu.p2)
    if old is None:
        raise Refused(0x6A88)
    card.need(old.change)
    if old.protection and apdu.cla != 0x84:
        raise Refused(0x6900)
    if old.kind != data[0] & 0x3F:
        raise Refused(0x6981)
    if len(data) - 5 != len(old.value) and old.kind != PIN:
        raise Refused(0x6700)
    old.use, old.change, old.fourth, old.fifth, old.value = *data[1:5], data[5:]
    old.protection = data[0] & 0xC0


COMMANDS = {
    (0x80, 0xE0): create_file,
    (0x80, 0x0E): erase,
    (0x80, 0xD4): write_key,
    (0x84, 0xD4): write_key,
}
