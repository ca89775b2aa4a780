"""The terminal's journal of debits and loads whose end it has not seen yet (docs/terminal.md)."""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path
from typing import Any

import attrs

from citycard.errors import JournalDamaged
from citycard.terminal.record import RecordKind, RecordPlan

__all__ = ["FileJournal", "Journal", "TornDebit"]


@attrs.frozen(kw_only=True)
class TornDebit:
    """A debit or load noted just before the command that may change the card; its end is not known yet.

    ``counter`` is the card's counter before it: offline for debits, online for loads. ``serial`` is the SAM's
    number, ``plan`` what the record will say. Enough to finish the work at any later sight of the card.
    """

    asn: str
    issuer: str
    card_kind: int
    counter: int
    balance_before_fen: int
    amount_fen: int
    tti: int
    serial: int
    key_version: int
    algorithm: int
    terminal: str
    at: dt.datetime
    plan: RecordPlan


class Journal:
    """Keep notes by card in memory: at most one open debit and one open load each."""

    def __init__(self) -> None:
        self._notes: dict[tuple[str, bool], TornDebit] = {}
        self.armed: int | None = None
        """The serial of the purchase that the SAM still holds open, in this life of the terminal."""

    def __len__(self) -> int:
        return len(self._notes)

    def note(self, torn: TornDebit, *, load: bool = False) -> None:
        """Write down what is about to be sent to the card."""
        self._notes[torn.asn, load] = torn

    def find(self, asn: str, *, load: bool = False) -> TornDebit | None:
        """Return the open note of a card, or None."""
        return self._notes.get((asn, load))

    def remove(self, asn: str, *, load: bool = False) -> None:
        """Forget a note, because its end is known and recorded; nothing happens when there is none."""
        self._notes.pop((asn, load), None)

    def open_debits(self) -> tuple[TornDebit, ...]:
        """Return the debits whose end is not known, oldest first."""
        return tuple(torn for (_, load), torn in self._notes.items() if not load)


class FileJournal(Journal):
    """Keep notes in a file too, a line each, so that they outlive the terminal's own loss of power.

    A last line that was cut off in writing is dropped: its command was never sent. Any other bad line raises
    JournalDamaged.
    """

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path
        if path.exists():
            self._read()
        self._rewrite()
        self._file = path.open("a", encoding="utf-8")

    def note(self, torn: TornDebit, *, load: bool = False) -> None:
        """Write the note down and force it to the medium."""
        super().note(torn, load=load)
        self._append(_line(torn, load=load))

    def remove(self, asn: str, *, load: bool = False) -> None:
        """Forget a note, in the file too."""
        if self.find(asn, load=load) is not None:
            super().remove(asn, load=load)
            self._append(json.dumps({"done": asn, "load": load}))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, line: str) -> None:
        self._file.write(line + "\n")
        self._file.flush()
        os.fsync(self._file.fileno())

    def _read(self) -> None:
        lines = self._path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                data = json.loads(line)
                if "done" in data:
                    self._notes.pop((data["done"], data["load"]), None)
                else:
                    load = data.pop("load")
                    torn = _note(data)
                    self._notes[torn.asn, load] = torn
            except (ValueError, KeyError, TypeError, AttributeError):
                raise JournalDamaged(path=self._path, line=number) from None

    def _rewrite(self) -> None:
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            file.writelines(_line(torn, load=load) + "\n" for (_, load), torn in self._notes.items())
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _line(torn: TornDebit, *, load: bool) -> str:
    data = attrs.asdict(torn)
    data["at"] = torn.at.isoformat()
    data["plan"]["facts"] = torn.plan.facts.hex()
    return json.dumps({**data, "load": load})


def _note(data: dict[str, Any]) -> TornDebit:
    plan = data.pop("plan")
    plan["facts"] = bytes.fromhex(plan["facts"])
    plan["kind"] = RecordKind(plan["kind"])
    at = dt.datetime.fromisoformat(data.pop("at"))
    return TornDebit(at=at, plan=RecordPlan(**plan), **data)
