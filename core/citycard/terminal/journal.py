"""The terminal's journal of debits and loads whose end it has not seen yet (docs/terminal.md)."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import attrs

from citycard.errors import JournalDamaged
from citycard.files import append_durably, write_whole
from citycard.terminal.record import RecordKind, RecordPlan

__all__ = ["FileJournal", "Journal", "TornDebit"]

MOST_CARDS = 20_000
"""How many cards' counters a terminal remembers: a busy gate's day."""


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
    """Keep notes by card in memory: at most one open debit and one open load each, and counters seen.

    ``cards`` bounds how many cards' counters are remembered; 0 remembers none.
    """

    def __init__(self, cards: int = MOST_CARDS) -> None:
        self._most = cards
        self._notes: dict[tuple[str, bool], TornDebit] = {}
        self._seen: dict[str, int] = {}
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

    def saw(self, asn: str, counter: int) -> None:
        """Remember the offline counter that a card reached here; only the cards seen last are kept."""
        self._seen.pop(asn, None)
        self._seen[asn] = counter
        if len(self._seen) > self._most:
            del self._seen[next(iter(self._seen))]

    def highest(self, asn: str) -> int:
        """Return the highest offline counter that a card had here, 0 for one that is not remembered."""
        return self._seen.get(asn, 0)

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
        self._file = path.open("ab")

    def note(self, torn: TornDebit, *, load: bool = False) -> None:
        """Write the note down and force it to the medium."""
        super().note(torn, load=load)
        self._append(_line(torn, load=load))

    def remove(self, asn: str, *, load: bool = False) -> None:
        """Forget a note, in the file too."""
        if self.find(asn, load=load) is not None:
            super().remove(asn, load=load)
            self._append(json.dumps({"done": asn, "load": load}))

    def saw(self, asn: str, counter: int) -> None:
        """Remember a counter, in the file too; the next note forces it to the medium."""
        super().saw(asn, counter)
        self._file.write(_seen_line(asn, counter))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _append(self, line: str) -> None:
        append_durably(self._file, line.encode() + b"\n")

    def _read(self) -> None:
        lines = self._path.read_text(encoding="utf-8").split("\n")
        for number, line in enumerate(lines[:-1], 1):
            try:
                data = json.loads(line)
                if "seen" in data:
                    super().saw(str(data["seen"]), int(data["counter"]))
                elif "done" in data:
                    self._notes.pop((data["done"], data["load"]), None)
                else:
                    load = data.pop("load")
                    torn = _note(data)
                    self._notes[torn.asn, load] = torn
            except (ValueError, KeyError, TypeError, AttributeError):
                raise JournalDamaged(path=self._path, line=number) from None

    def _rewrite(self) -> None:
        notes = (f"{_line(torn, load=load)}\n".encode() for (_, load), torn in self._notes.items())
        seen = (_seen_line(asn, counter) for asn, counter in self._seen.items())
        write_whole(self._path, b"".join([*seen, *notes]))


def _seen_line(asn: str, counter: int) -> bytes:
    return json.dumps({"seen": asn, "counter": counter}).encode() + b"\n"


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
