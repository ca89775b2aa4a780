"""The file structure of a chip: immutable descriptions parsed from the headers in the memory.

Every header has 11 bytes: kind, file id (2), six bytes of the CREATE FILE command, a state byte and a
checksum over the first nine. The structure holds places and rights, never content, so all clones of one
prepared card share one. Costs follow the FMCOS manual, clause 4.2: a file is 11 bytes and its body, a
record its length and 1 (a cyclic file 8 more), a purse 22, a directory 11, its name and its children.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from weakref import WeakValueDictionary
from zlib import crc32

import attrs

__all__ = [
    "BINARY",
    "BLOCKED",
    "CARD_BLOCKED",
    "CHECKED",
    "CYCLIC",
    "CYCLIC_CONTROL",
    "DIRECTORY",
    "FIXED",
    "HEADER",
    "KEYS",
    "KEY_HEADER",
    "LOCKED",
    "PURSE",
    "PURSE_BODY",
    "ROOT_FID",
    "STATE_OFFSET",
    "VARIABLE",
    "WRITTEN",
    "Directory",
    "File",
    "Key",
    "Structure",
    "body_size",
    "header",
]

BINARY, FIXED, VARIABLE, CYCLIC, PURSE = 0x28, 0x2A, 0x2C, 0x2E, 0x2F
DIRECTORY, KEYS = 0x38, 0x3F
ENTRY_FILES = frozenset({BINARY, FIXED, VARIABLE, CYCLIC, PURSE})
MAC_FLAG, CIPHER_FLAG = 0x80, 0x40
ROOT_FID = 0x3F00
HEADER, STATE_OFFSET, CHECKED = 11, 9, 9
LOCKED, BLOCKED, CARD_BLOCKED = 0x01, 0x02, 0x04
"""State byte of a directory: locked for good, blocked for a time; of the master file: the card blocked."""
WRITTEN = 0x01
"""State byte of a binary file that was written at least once; only some profiles keep it."""
CYCLIC_CONTROL, PURSE_BODY = 8, 22
KEY_PLACE, KEY_HEADER = 2, 5
TAC = 0x34


@attrs.frozen(kw_only=True)
class File:
    """Describe one elementary file: where it lies, its shape and its rights.

    ``body`` is the address of the content, ``size`` its bytes. ``protected``, ``enciphered``: writes need a
    MAC, or cipher text and a MAC; ``protected_reads``: reads too. ``read_key``, ``write_key``: index of the
    line key (kind 36).
    """

    kind: int
    fid: int
    body: int
    size: int
    records: int = 0
    record_size: int = 0
    read_right: int
    write_right: int
    protected: bool = False
    enciphered: bool = False
    protected_reads: bool = False
    read_key: int = 0
    write_key: int = 0
    log_fid: int = 0


@attrs.frozen(kw_only=True)
class Key:
    """Say where a key lies: at ``place`` five header bytes (kind, use, change, two more), then ``size``."""

    kind: int
    index: int
    place: int
    size: int


@attrs.frozen(kw_only=True, eq=False)
class Directory:
    """Describe one directory: its name, rights, children and keys; ``free`` to ``end`` is room for more."""

    address: int
    fid: int
    name: bytes
    create_right: int
    erase_right: int
    answer_fid: int
    first: int
    free: int
    end: int
    parent: int | None
    files: Mapping[int, File]
    children: Mapping[int, int]
    key_file: File | None
    keys: Mapping[int, Key]
    tac_key: Key | None

    def key(self, kind: int, index: int) -> Key | None:
        """Return the key of ``kind`` with ``index``, or none."""
        return self.keys.get(kind << 8 | index)


@attrs.frozen(kw_only=True, eq=False)
class Structure:
    """Hold every directory of a chip by the address of its header, and by its name."""

    root: Directory
    directories: Mapping[int, Directory]
    names: Mapping[bytes, Directory]
    capacity: int
    marks: tuple[tuple[slice, bytes], ...] = attrs.field(repr=False)

    @classmethod
    def parse(cls, cells: bytes | bytearray, capacity: int) -> Structure:
        """Read the headers of a whole memory; cards of one make get one and the same structure.

        Raises ``ValueError`` for a memory that holds no card.
        """
        for known in list(_KNOWN.values()):
            if known.capacity == capacity and known.describes(cells):
                return known
        found: dict[int, Directory] = {}
        root = _directory(bytes(cells), 0, capacity, None, found)
        directories = dict(sorted(found.items()))
        names = {directory.name: directory for directory in reversed(directories.values())}
        parsed = cls(
            root=root,
            directories=directories,
            names=names,
            capacity=capacity,
            marks=tuple(mark for directory in directories.values() for mark in _marks(directory, cells)),
        )
        return _KNOWN.setdefault(repr(parsed), parsed)

    def describes(self, cells: bytes | bytearray) -> bool:
        """Tell whether a memory has the files and keys of this structure at the same places."""
        return all(cells[place] == mark for place, mark in self.marks)

    def named(self, name: bytes) -> Directory | None:
        """Return the directory called ``name``, or the first whose name starts with it."""
        found = self.names.get(name)
        if found is None and len(name) >= SHORTEST_NAME:
            found = next((d for d in self.directories.values() if d.name.startswith(name)), None)
        return found


SHORTEST_NAME = 5
_KNOWN: WeakValueDictionary[str, Structure] = WeakValueDictionary()


def header(kind: int, fid: int, six: bytes) -> bytes:
    """Return the eleven header bytes of a file: ``six`` are the bytes of CREATE FILE after the kind."""
    head = bytes((kind,)) + fid.to_bytes(2, "big") + six
    return head + bytes((0, crc32(head) & 0xFF))


def body_size(kind: int, six: bytes) -> int:
    """Return the bytes that the body of a file takes in the memory."""
    base, _ = split_kind(kind)
    if base in {FIXED, CYCLIC}:
        return six[0] * (six[1] + 1) + (CYCLIC_CONTROL if base == CYCLIC else 0)
    if base == PURSE:
        return PURSE_BODY
    return six[0] << 8 | six[1]


def split_kind(kind: int) -> tuple[int, int]:
    """Split the kind byte of an elementary file into its base kind and its protection flags."""
    return kind & 0x3F, kind & (MAC_FLAG | CIPHER_FLAG)


def _directory(
    cells: bytes, address: int, end: int, parent: int | None, found: dict[int, Directory]
) -> Directory:
    _check(cells, address)
    six = cells[address + 3 : address + 9]
    first = address + HEADER + six[5]
    files: dict[int, File] = {}
    children: dict[int, int] = {}
    keys: dict[int, Key] = {}
    key_file = None
    position = first
    while position < min(end, len(cells)) and cells[position] not in {0x00, 0xFF}:
        _check(cells, position)
        kind, fid = cells[position], int.from_bytes(cells[position + 1 : position + 3], "big")
        entry = cells[position + 3 : position + 9]
        size = body_size(kind, entry)
        body = position + HEADER
        if kind == DIRECTORY:
            size += entry[5]
            children[fid] = position
            _directory(cells, position, body + size, address, found)
        elif kind == KEYS:
            key_file = File(kind=KEYS, fid=fid, body=body, size=size, read_right=0xEF, write_right=entry[3])
            keys = _keys(cells, body, size)
        else:
            files[fid] = _file(kind, fid, body, size, entry)
        position = body + size
    directory = Directory(
        address=address,
        fid=int.from_bytes(cells[address + 1 : address + 3], "big"),
        name=cells[address + HEADER : first],
        create_right=six[2],
        erase_right=six[3],
        answer_fid=six[4] & 0x1F,
        first=first,
        free=position,
        end=end,
        parent=parent,
        files=files,
        children=children,
        key_file=key_file,
        keys=keys,
        tac_key=min((key for key in keys.values() if key.kind == TAC), key=_index, default=None),
    )
    found[address] = directory
    return directory


def _marks(directory: Directory, cells: bytes | bytearray) -> Iterator[tuple[slice, bytes]]:
    # Everything that _directory and _keys decide by: headers, heads of keys, and where each list ends.
    places = [(directory.address, CHECKED), (directory.address + HEADER, len(directory.name))]
    places += [(file.body - HEADER, CHECKED) for file in directory.files.values()]
    places.append((directory.free, 1))
    if directory.key_file is not None:
        body = directory.key_file.body
        places.append((body - HEADER, CHECKED))
        places += [(key.place - KEY_PLACE, KEY_PLACE + 1) for key in directory.keys.values()]
        ends = [key.place + KEY_HEADER + key.size for key in directory.keys.values()]
        places.append((max(ends, default=body), KEY_PLACE))
    for address, size in places:
        place = slice(address, address + size)  # shorter at the end of the memory, which is a mark too
        yield place, bytes(cells[place])


def _file(kind: int, fid: int, body: int, size: int, entry: bytes) -> File:
    base, flags = split_kind(kind)
    if base == PURSE:
        return File(
            kind=base, fid=fid, body=body, size=size, read_right=entry[2], write_right=0xEF, log_fid=entry[5]
        )
    control = entry[5]
    return File(
        kind=base,
        fid=fid,
        body=body,
        size=size,
        records=entry[0] if base in {FIXED, CYCLIC} else 0,
        record_size=entry[1] if base in {FIXED, CYCLIC} else 0,
        read_right=entry[2],
        write_right=entry[3],
        protected=bool(flags),
        enciphered=bool(flags & CIPHER_FLAG),
        protected_reads=bool(flags) and not control & 0x80,
        read_key=3 - (control >> 2 & 3),
        write_key=3 - (control & 3),
    )


def _keys(cells: bytes, body: int, size: int) -> dict[int, Key]:
    keys: dict[int, Key] = {}
    position, end = body, body + size
    while position + 1 < end and cells[position + 1]:
        index, length = cells[position], cells[position + 1]
        place = position + KEY_PLACE
        kind = 0x30 | (cells[place] & 0x0F)
        keys[kind << 8 | index] = Key(kind=kind, index=index, place=place, size=length - KEY_HEADER)
        position = place + length
    return keys


def _index(key: Key) -> int:
    return key.index


def _check(cells: bytes, address: int) -> None:
    head = cells[address : address + HEADER]
    if len(head) < HEADER or head[10] != crc32(head[:CHECKED]) & 0xFF:
        msg = f"the file header at {address:04X} is damaged"
        raise ValueError(msg)
