"""The records of a terminal that were not handed in yet: in memory, or in files that a power cut spares."""

from __future__ import annotations

import struct
from pathlib import Path
from zlib import crc32

from citycard.errors import OpenBatchDamaged, TerminalInvalid
from citycard.files import append_durably, write_whole
from citycard.terminal.record import RECORD_SIZE

__all__ = ["FileOpenBatch", "OpenBatch"]

_MAGIC = b"CCO1"
_HEAD = struct.Struct(">4s6sII")
_CHECK = struct.Struct(">I")
_ENTRY = RECORD_SIZE + _CHECK.size
_ASN, _SERIAL = slice(14, 24), slice(47, 51)
_BATCH_COUNT = slice(20, 24)


class OpenBatch:
    """Keep the records of the open batch in memory.

    ``number`` is the batch's, ``first_sequence`` that of its first record. A record is known by card and
    serial of the SAM: ``holds`` tells whether it is here already.
    """

    def __init__(self, number: int = 1, first_sequence: int = 1) -> None:
        self.number = number
        self.first_sequence = first_sequence
        self.records: list[bytes] = []

    def add(self, record: bytes) -> None:
        """Keep a record of 128 bytes."""
        self.records.append(record)

    def holds(self, asn: str, serial: int) -> bool:
        """Tell whether the debit of a card under a serial is recorded."""
        wanted = bytes.fromhex(asn), serial.to_bytes(4, "big")
        return any((record[_ASN], record[_SERIAL]) == wanted for record in self.records)

    def close(self, batch: bytes) -> None:
        """Begin the next batch; ``batch`` is the file that the records went into."""
        self.number += 1
        self.first_sequence += int.from_bytes(batch[_BATCH_COUNT], "big")
        self.records = []


class FileOpenBatch(OpenBatch):
    """Keep the open batch, and the closed ones until they are handed in, in the folder of one terminal.

    A record is on the medium when ``add`` returns. What a loss of power left half written is dropped: its
    debit is still in the journal. Raises ``OpenBatchDamaged`` for anything else that is not a record, and
    ``TerminalInvalid`` for the folder of another terminal.
    """

    def __init__(self, folder: Path, terminal: str) -> None:
        super().__init__()
        self._folder = folder
        self._path = folder / "open.ccr"
        self._terminal = bytes.fromhex(terminal)
        if self._path.exists():
            self._read()
        self._begin()

    def add(self, record: bytes) -> None:
        """Keep a record and force it to the medium."""
        append_durably(self._file, record + _CHECK.pack(crc32(record)))
        super().add(record)

    def close(self, batch: bytes) -> None:
        """Write the batch file, then begin the next batch; interrupted in between, opening goes on there."""
        write_whole(self._closed(self.number), batch)
        super().close(batch)
        self._file.close()
        self._begin()

    def closed(self) -> list[Path]:
        """List the batch files that wait to be handed in, oldest first."""
        return sorted(self._folder.glob("batch-*.ccb"))

    def shut(self) -> None:
        """Close the file of the open batch."""
        self._file.close()

    def _closed(self, number: int) -> Path:
        return self._folder / f"batch-{number:010d}.ccb"

    def _begin(self) -> None:
        # Rewritten whole: what a loss of power cut off at its end goes away.
        entries = b"".join(record + _CHECK.pack(crc32(record)) for record in self.records)
        head = _HEAD.pack(_MAGIC, self._terminal, self.number, self.first_sequence)
        write_whole(self._path, head + _CHECK.pack(crc32(head)) + entries)
        self._file = self._path.open("ab")

    def _read(self) -> None:
        data = self._path.read_bytes()
        start = _HEAD.size + _CHECK.size
        head = data[: _HEAD.size]
        if len(data) < start or data[_HEAD.size : start] != _CHECK.pack(crc32(head)) or head[:4] != _MAGIC:
            raise OpenBatchDamaged(path=self._path, offset=0)
        _, terminal, self.number, self.first_sequence = _HEAD.unpack(head)
        if terminal != self._terminal:
            problem = f"{self._path} is the open batch of terminal {terminal.hex()}"
            raise TerminalInvalid(terminal=self._terminal.hex(), problem=problem)
        for place in range(start, len(data), _ENTRY):
            entry = data[place : place + _ENTRY]
            record, check = entry[:RECORD_SIZE], entry[RECORD_SIZE:]
            if check != _CHECK.pack(crc32(record)):
                if place + _ENTRY < len(data):
                    raise OpenBatchDamaged(path=self._path, offset=place)
                break
            super().add(record)
        closed = self._closed(self.number)
        if closed.exists():  # the power went between the batch file and the next open batch
            super().close(closed.read_bytes())
