"""The chip's memory: flat bytes, and a journal that makes the writes of one command one step.

A commit writes what it is going to change into the journal, then a checksum, then one byte, the commit
mark. Only then the bytes go to their home places, and the mark is cleared. If the power goes before the
mark, the home places are untouched; if it goes after, the next power-on does the writes again. Every
physical write goes through ``_write``, where a test can cut the power, cleanly or in the middle of a write.

Besides the cells that files lie in, a chip has an area of its own that no file reaches and no file pays for
(``hidden``). Its addresses start at ``HIDDEN``, so one commit changes both.
"""

from __future__ import annotations

from collections.abc import Sequence
from struct import Struct
from zlib import crc32

from citycard.errors import PowerLoss

__all__ = ["ENTRY", "ERASED", "HIDDEN", "Eeprom", "Entry"]

ERASED = 0xFF
HIDDEN = 0x1_0000
COMMITTED = b"\xa5"
CLEARED = b"\x00"
_TRAILER = Struct(">HI")
ENTRY = Struct(">IH")
"""Address and size, before the bytes of each entry in the journal."""
_FIRST_ENTRY = 1 + _TRAILER.size

Entry = tuple[int, bytes]


class Eeprom:
    """Hold the bytes of one chip and change them only by whole commits.

    ``cells`` are the home places; only the part in use is allocated, the rest of ``capacity`` reads as
    erased. ``hidden`` is the chip's own area, allocated likewise. ``journal`` is the journal page, empty
    while no commit is under way. ``writes`` counts physical writes.
    """

    __slots__ = ("_cut", "_prefix", "_torn", "capacity", "cells", "hidden", "journal", "writes")

    def __init__(
        self,
        capacity: int,
        cells: bytes | bytearray = b"",
        journal: bytes | bytearray = b"",
        hidden: bytes | bytearray = b"",
    ) -> None:
        self.capacity = capacity
        self.cells = bytearray(cells)
        self.journal = bytearray(journal)
        self.hidden = bytearray(hidden)
        self.writes = 0
        self._cut: int | None = None
        self._torn = False
        self._prefix: int | None = None

    def commit(self, entries: Sequence[Entry]) -> None:
        """Write all ``entries``, each a pair of address and bytes, or none of them.

        Raises ``PowerLoss`` where a test has ordered it; ``recover`` then finishes or drops the commit.
        """
        write, journal = self._write, self.journal
        position, checksum = _FIRST_ENTRY, 0
        for address, data in entries:
            entry = ENTRY.pack(address, len(data)) + data
            write(journal, position, entry)
            checksum = crc32(entry, checksum)
            position += len(entry)
        write(journal, 1, _TRAILER.pack(position, checksum))
        write(journal, 0, COMMITTED)
        for address, data in entries:
            if address < HIDDEN:
                write(self.cells, address, data)
            else:
                write(self.hidden, address - HIDDEN, data)
        write(journal, 0, CLEARED)
        journal.clear()

    def recover(self) -> bool:
        """Finish a commit whose mark is set, drop any other; return whether one was finished.

        Called at every power-on. The power may go again while it works: the next call starts over.
        """
        journal = self.journal
        if not journal:
            return False
        entries = self._committed_entries()
        for address, data in entries:
            if address < HIDDEN:
                self._write(self.cells, address, data)
            else:
                self._write(self.hidden, address - HIDDEN, data)
        if entries:
            self._write(journal, 0, CLEARED)
        journal.clear()
        return bool(entries)

    def cut_after(self, writes: int | None, torn: bool = False, prefix: int | None = None) -> None:
        """Take the power away after ``writes`` more physical writes; ``None`` calls it off.

        Shapes: with ``torn`` the write that fails leaves ``prefix`` of its bytes (half of them, if not
        given), then one spoilt byte; without it, nothing of that write arrives.
        """
        self._cut, self._torn, self._prefix = writes, torn, prefix

    def clone(self) -> Eeprom:
        """Return a memory of its own with the same content."""
        return Eeprom(self.capacity, self.cells, self.journal, self.hidden)

    def _committed_entries(self) -> list[Entry]:
        journal = bytes(self.journal)
        if len(journal) < _FIRST_ENTRY or journal[:1] != COMMITTED:
            return []
        end, checksum = _TRAILER.unpack_from(journal, 1)
        if end > len(journal) or crc32(journal[_FIRST_ENTRY:end]) != checksum:
            return []
        entries, position = [], _FIRST_ENTRY
        while position < end:
            address, size = ENTRY.unpack_from(journal, position)
            position += ENTRY.size
            entries.append((address, journal[position : position + size]))
            position += size
        return entries

    def _write(self, page: bytearray, address: int, data: bytes) -> None:
        if address > len(page):
            page.extend(bytes((ERASED,)) * (address - len(page)))
        if self._cut is not None:
            self._count_down(page, address, data)
        page[address : address + len(data)] = data
        self.writes += 1

    def _count_down(self, page: bytearray, address: int, data: bytes) -> None:
        assert self._cut is not None
        self._cut -= 1
        if self._cut >= 0:
            return
        if self._torn:
            kept = len(data) // 2 if self._prefix is None else min(self._prefix, len(data) - 1)
            arrived = data[:kept] + bytes((data[kept] ^ 0xFF,)) if data else b""
            page[address : address + len(arrived)] = arrived
        self._cut = None
        raise PowerLoss
