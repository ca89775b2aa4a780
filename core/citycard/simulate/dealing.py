"""Deal signed records into batch files, damage those of terminals in trouble, and write down what is true."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Self

import attrs
import numpy as np
import numpy.typing as npt

from citycard.clearing.columns import whole
from citycard.clearing.verdicts import CODES
from citycard.simulate.columns import Ints, Rows
from citycard.simulate.ground import Ground
from citycard.simulate.kinds import TerminalFault
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.signing import Signer
from citycard.simulate.truth import FileTruth, MissingTruth, RecordTruth
from citycard.simulate.world import World
from citycard.terminal.batch import write_batch
from citycard.terminal.record import RECORD_SIZE
from citycard.terminal.sam import SoftSam

__all__ = ["Dealer", "Dealt", "folder_name"]

_KINDS: Final = {kind.number: kind for kind in TerminalFault}
# Which byte of a file is changed: of the signature, of the first record, of the total, of the version.
_DAMAGE: Final = {
    TerminalFault.FILE_UNSIGNED: -1,
    TerminalFault.FILE_CHANGED: 45,
    TerminalFault.TOTAL_WRONG: -49,
    TerminalFault.VERSION_UNKNOWN: 5,
}
_TWICE: Final = frozenset({TerminalFault.FILE_TWICE, TerminalFault.NUMBER_TWICE})
_CLOSED: Final = dt.time(3)


def folder_name(delivery: int) -> str:
    """Name the folder of a delivery, counted from 0."""
    return f"{delivery + 1:03d}"


@attrs.frozen
class _Batch:
    """The rows from ``begin`` to before ``end`` of a part, and their file, unless it is ``gone``."""

    begin: int
    end: int
    terminal: int
    delivery: int
    number: int
    sequence: int
    gone: bool


@attrs.define
class Dealt:
    """What is true of some batch files; ``written`` has the files and the records of each delivery."""

    written: npt.NDArray[np.int64]
    records: list[RecordTruth] = attrs.field(factory=list)
    files: list[FileTruth] = attrs.field(factory=list)
    missing: list[MissingTruth] = attrs.field(factory=list)

    @classmethod
    def none(cls, plan: SimulationPlan) -> Self:
        """Give what is true of no files."""
        return cls(np.zeros((plan.days + 1, 2), dtype=np.int64))

    def add(self, other: Self) -> None:
        """Add what is true of other files."""
        self.written += other.written
        self.records += other.records
        self.files += other.files
        self.missing += other.missing


class Dealer:
    """Write batch files into one folder a delivery; ``dealt`` says what is true of them."""

    def __init__(self, world: World, signer: Signer, folder: Path) -> None:
        self._world, self._signer, self._folder = world, signer, folder
        self.dealt = Dealt.none(world.plan)
        self._refused: tuple[int, MissingTruth | None] = (-1, None)
        for delivery in range(world.plan.days + 1):
            (folder / folder_name(delivery)).mkdir(parents=True, exist_ok=True)

    def deal(self, rows: Rows) -> None:
        """Sign and write one part: all records of some terminals."""
        order = np.lexsort((rows["copy"], rows["tag"], rows["second"], rows["delivery"], rows["terminal"]))
        rows = rows[order]
        self._signer.sign(rows)
        raw = whole(rows["record"]).tobytes()
        numbers, lines = (np.zeros(len(rows), dtype=np.int64) for _ in range(2))
        sam = None
        for batch in self._batches(rows):
            if sam is None or sam.terminal != self._world.terminal(batch.terminal):
                sam = self._signer.sam(batch.terminal)
            numbers[batch.begin : batch.end] = batch.number
            lines[batch.begin : batch.end] = np.arange(1, batch.end - batch.begin + 1)
            places = range(batch.begin * RECORD_SIZE, batch.end * RECORD_SIZE, RECORD_SIZE)
            self._write(batch, [raw[at : at + RECORD_SIZE] for at in places], sam)
        self._note(rows, numbers, lines)

    def _batches(self, rows: Rows) -> Iterator[_Batch]:
        """Cut the rows of a part into batches, each terminal's numbered from 1."""
        ground, delivery = self._world.ground, rows["delivery"].astype(np.int64)
        terminal, days = rows["terminal"].astype(np.int64), rows["day"].astype(np.int64)
        missing = ground.kind[terminal] == TerminalFault.FILE_MISSING.number
        at_noon = missing & (ground.day[terminal] == delivery)
        gone = at_noon & Ground.before_noon(days, rows["second"].astype(np.int64))
        keys = (terminal * (self._world.plan.days + 1) + delivery) * 2 + (at_noon & ~gone)
        begins = np.flatnonzero(np.diff(keys, prepend=-1)).tolist()
        of, number, sequence = -1, 1, 1
        for begin, end in zip(begins, [*begins[1:], len(rows)], strict=False):
            if terminal[begin] != of:
                of, number, sequence = int(terminal[begin]), 1, 1
            batch = _Batch(begin, end, of, int(delivery[begin]), number, sequence, bool(gone[begin]))
            yield batch
            number, sequence = number + 1, sequence + end - begin
            if batch.gone and (end == len(rows) or keys[end] != keys[begin] + 1):
                # Nobody tapped after noon: the empty batch that says so is what shows that one is missing.
                yield attrs.evolve(batch, begin=end, number=number, sequence=sequence, gone=False)
                number += 1

    def _write(self, batch: _Batch, records: list[bytes], sam: SoftSam) -> None:
        ground = self._world.ground
        kind, fault = _KINDS.get(int(ground.kind[batch.terminal])), int(ground.fault[batch.terminal])
        terminal, hole = self._refused
        if terminal == batch.terminal and hole is not None:
            # A number that was refused is missed as soon as a later one is accepted.
            self.dealt.missing.append(hole)
            self._refused = (-1, None)
        if batch.gone:
            self.dealt.missing.append(MissingTruth(sam.terminal, batch.number, fault))
            return
        data = self._signed(batch, records, sam)
        name = f"{sam.terminal}-{batch.number:06d}"
        self.dealt.written[batch.delivery, 1] += len(records)
        if kind is TerminalFault.UNREGISTERED:
            self._save(batch, f"{name}.ccb", data, kind, fault)
        elif batch.delivery != ground.day[batch.terminal] or kind not in _DAMAGE.keys() | _TWICE:
            self._save(batch, f"{name}.ccb", data)
        elif kind in _DAMAGE:
            spoiled = bytearray(data)
            spoiled[_DAMAGE[kind]] ^= 3
            self._save(batch, f"{name}.ccb", bytes(spoiled), kind, fault)
            self._refused = (batch.terminal, MissingTruth(sam.terminal, batch.number, fault))
        else:
            other = kind is TerminalFault.NUMBER_TWICE
            self._save(batch, f"{name}.ccb", data)
            again = self._signed(batch, records[:-1], sam) if other else data
            self._save(batch, f"{name}.repeated.ccb", again, kind, fault)

    def _signed(self, batch: _Batch, records: list[bytes], sam: SoftSam) -> bytes:
        day = self._world.plan.start + dt.timedelta(days=batch.delivery)
        closed = dt.datetime.combine(day + dt.timedelta(days=1), _CLOSED)
        return write_batch(sam.terminal, batch.number, batch.sequence, records, sam, closed, day)

    def _save(
        self, batch: _Batch, name: str, data: bytes, kind: TerminalFault | None = None, fault: int = 0
    ) -> None:
        folder = folder_name(batch.delivery)
        (self._folder / folder / name).write_bytes(data)
        self.dealt.written[batch.delivery, 0] += 1
        if kind is not None:
            self.dealt.files.append(FileTruth(folder, name, kind.code.name, fault))

    def _note(self, rows: Rows, numbers: Ints, lines: Ints) -> None:
        """Write down the records of a part that must not end in order."""
        for place in np.flatnonzero(rows["code"]).tolist():
            row = rows[place]
            self.dealt.records.append(
                RecordTruth(
                    terminal=self._world.terminal(int(row["terminal"])),
                    batch=int(numbers[place]),
                    line=int(lines[place]),
                    code=CODES[row["code"]].name,
                    fault=int(row["fault"]),
                )
            )
