"""What a pump or a desk noted just before a command whose end it may never see: one note per card.

Like the journal of debits (docs/terminal.md), for the transactions that a passenger's gate never makes: grey
lock, debit for unlock, unload.
"""

from __future__ import annotations

import datetime as dt
import json
import os
from pathlib import Path

import attrs

from citycard.errors import JournalDamaged

__all__ = ["Note", "Notes"]


@attrs.frozen(kw_only=True)
class Note:
    """One transaction whose end is open. ``counter`` is the card's before it, ``tti`` its type."""

    asn: str
    tti: int
    counter: int
    amount_fen: int
    balance_before_fen: int
    serial: int
    terminal: str
    at: dt.datetime


class Notes:
    """Keep notes by card, in memory, and in a file when there is a ``path``.

    The file is replaced whole and forced to the medium at every change: it holds the few cards whose
    transaction is under way. Raises JournalDamaged for a file that holds anything else.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._notes: dict[str, Note] = {}
        if path is not None and path.exists():
            for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
                note = _read(path, number, line)
                self._notes[note.asn] = note

    def __len__(self) -> int:
        return len(self._notes)

    def note(self, note: Note) -> None:
        """Write a note down, in place of an older one of its card."""
        self._notes[note.asn] = note
        self._keep()

    def find(self, asn: str) -> Note | None:
        """Return the note of a card, or none."""
        return self._notes.get(asn)

    def remove(self, asn: str) -> None:
        """Forget the note of a card, because its end is known; nothing happens when there is none."""
        if self._notes.pop(asn, None) is not None:
            self._keep()

    def _keep(self) -> None:
        if self._path is None:
            return
        fresh = self._path.with_suffix(".new")
        with fresh.open("w", encoding="utf-8") as file:
            for note in self._notes.values():
                file.write(json.dumps({**attrs.asdict(note), "at": note.at.isoformat()}) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(self._path)


def _read(path: Path, number: int, line: str) -> Note:
    try:
        data = json.loads(line)
        return Note(**{**data, "at": dt.datetime.fromisoformat(data["at"])})
    except (ValueError, KeyError, TypeError):
        raise JournalDamaged(path=path, line=number) from None
