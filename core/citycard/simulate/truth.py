"""What is true of a simulation: every fault, and every record and file that must not end in order."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import attrs

from citycard.errors import TruthMissing
from citycard.files import write_whole

__all__ = ["TRUTH_NAME", "Delivery", "Fault", "FileTruth", "MissingTruth", "RecordTruth", "Truth"]

TRUTH_NAME = "truth.json"


@attrs.frozen
class Fault:
    """A fault by its number: its kind, such as ``tac-wrong``, and the code by which it must be found."""

    number: int
    kind: str
    code: str


@attrs.frozen
class RecordTruth:
    """A record (terminal, batch and line) that must end with a code, and the fault that is the reason."""

    terminal: str
    batch: int
    line: int
    code: str
    fault: int


@attrs.frozen
class FileTruth:
    """A file of a delivery, by its name, that must end with a code, and the fault that is the reason."""

    delivery: str
    name: str
    code: str
    fault: int


@attrs.frozen
class MissingTruth:
    """A batch that must be missing (F05), and the fault that is the reason."""

    terminal: str
    batch: int
    fault: int


def _strings(strings: Iterable[str]) -> tuple[str, ...]:
    return tuple(strings)


@attrs.frozen
class Delivery:
    """A folder of batch files, to be received and cleared as a whole, in the order of the truth.

    Between receiving and clearing it the terminals ``revoked`` are revoked, and the gaps of the cards
    ``rolled_back`` are written off.
    """

    folder: str
    files: int
    records: int
    revoked: tuple[str, ...] = attrs.field(default=(), converter=_strings)
    rolled_back: tuple[str, ...] = attrs.field(default=(), converter=_strings)


@attrs.frozen(kw_only=True)
class Truth:
    """The truth of a simulation. Whatever is not named here must end in order.

    ``first_terminal`` and the ``terminals`` after it are the simulated ones, and those that habits ``named``.
    """

    plan: Mapping[str, Any]
    first_terminal: str
    terminals: int
    named: tuple[str, ...] = ()
    deliveries: tuple[Delivery, ...]
    faults: tuple[Fault, ...]
    records: tuple[RecordTruth, ...]
    files: tuple[FileTruth, ...]
    missing: tuple[MissingTruth, ...]

    def simulated(self, terminal: str) -> bool:
        """Say whether a terminal is one of the simulation's."""
        return 0 <= int(terminal) - int(self.first_terminal) < self.terminals or terminal in self.named

    def write(self, folder: Path) -> Path:
        """Write the truth into a folder as ``truth.json``, and give its path."""
        document = {
            field.name: [attrs.astuple(one) for one in value] if field.name in _ROWS else value
            for field in attrs.fields(Truth)
            for value in [getattr(self, field.name)]
        }
        text = ",\n".join(f"{json.dumps(name)}: {_lines(value)}" for name, value in document.items())
        write_whole(folder / TRUTH_NAME, f"{{\n{text}\n}}\n".encode())
        return folder / TRUTH_NAME

    @classmethod
    def read(cls, folder: Path) -> Truth:
        """Read the truth of a folder; raise TruthMissing."""
        try:
            document = json.loads((folder / TRUTH_NAME).read_text(encoding="utf-8"))
            rows: dict[str, Any] = {
                name: tuple(kind(*row) for row in document.pop(name)) for name, kind in _ROWS.items()
            }
            named = tuple(document.pop("named", ()))
            return cls(**document, **rows, named=named)
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TruthMissing(path=folder / TRUTH_NAME) from error


_ROWS: Mapping[str, Any] = {
    "deliveries": Delivery,
    "faults": Fault,
    "records": RecordTruth,
    "files": FileTruth,
    "missing": MissingTruth,
}


def _lines(value: Any) -> str:
    """Write a list with one row a line, so that two truths can be compared by eye."""
    if not isinstance(value, list):
        return json.dumps(value, default=str)
    return "[\n" + ",\n".join(json.dumps(row) for row in value) + "\n]"
