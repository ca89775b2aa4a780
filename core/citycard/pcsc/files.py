"""Reading files off a card whose keys nobody has: whole, whatever way the card wants to be asked."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from citycard.terminal.answering import whole_answer
from citycard.terminal.reader import Reader

__all__ = ["FoundFile", "read_binary", "read_files", "read_records"]

_OK, _RECORD_FILE = b"\x90\x00", "6981"
_SHORT_FIDS = range(1, 0x1F)
_MOST_RECORDS = 254
_CHUNK = 0xE0
_UNWRITTEN = b"\x62\x81"


@attrs.frozen(kw_only=True)
class FoundFile:
    """A file as it was read: ``data`` of a binary file, or ``records``; ``status`` is why there is none."""

    sfi: int
    data: bytes = b""
    records: tuple[bytes, ...] = ()
    status: str = "9000"


def read_binary(reader: Reader, sfi: int) -> FoundFile:
    """Read a whole binary file by its short id."""
    data, offset, answer = b"", 0, b""
    while True:
        p1, p2 = (0x80 | sfi, 0) if not offset else divmod(offset, 0x100)
        answer = whole_answer(reader.transmit, bytes((0x00, 0xB0, p1, p2, 0)))
        if answer[-2:] not in {_OK, _UNWRITTEN} or not answer[:-2]:
            break
        data += answer[:-2]
        offset = len(data)
        if len(answer) - 2 < _CHUNK:
            break
    status = "9000" if data else answer[-2:].hex().upper()
    return FoundFile(sfi=sfi, data=data, status=status)


def read_records(reader: Reader, sfi: int, most: int = _MOST_RECORDS) -> FoundFile:
    """Read the records of a file by their numbers, from 1; ``status`` is why the first cannot be read."""
    records: list[bytes] = []
    answer = b""
    while len(records) < most:
        command = bytes((0x00, 0xB2, len(records) + 1, sfi << 3 | 4, 0))
        answer = whole_answer(reader.transmit, command)
        if answer[-2:] != _OK:
            break
        records.append(answer[:-2])
    status = "9000" if records else answer[-2:].hex().upper()
    return FoundFile(sfi=sfi, records=tuple(records), status=status)


def read_files(reader: Reader) -> Iterator[FoundFile]:
    """Read every file of the selected directory that a short id reaches and that the card lets anybody read.

    Files that are there and not readable come with the status word that says why.
    """
    for sfi in _SHORT_FIDS:
        found = read_binary(reader, sfi)
        if not found.data:
            records = read_records(reader, sfi)
            found = records if records.records or found.status == _RECORD_FILE else found
        if found.data or found.records or found.status not in {"6A82", "6A81", "6D00", "6E00", "6A86"}:
            yield found
