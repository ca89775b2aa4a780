"""Notes outlive the power of a pump, and a damaged file says where it is damaged."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.errors import JournalDamaged
from citycard.terminal.notes import Note, Notes

NOTE = Note(
    asn="03105170070104791381",
    tti=0x94,
    counter=7,
    amount_fen=100,
    balance_before_fen=900,
    serial=3,
    terminal="300089000340",
    at=dt.datetime.fromisoformat("2026-03-02T08:15:30"),
)


def test_notes_are_there_again_after_a_restart(tmp_path):
    path = tmp_path / "notes"
    notes = Notes(path)
    other = attrs.evolve(NOTE, asn="1" * 20)
    notes.note(attrs.evolve(NOTE, amount_fen=1))
    notes.note(NOTE)
    notes.note(other)
    again = Notes(path)
    assert (again.find(NOTE.asn), again.find(other.asn), len(again)) == (NOTE, other, 2)
    again.remove(NOTE.asn)
    again.remove(NOTE.asn)
    assert (Notes(path).find(NOTE.asn), len(Notes(path))) == (None, 1)


@pytest.mark.parametrize("line", ["{", "[]", "{}", '{"at": "never"}'])
def test_a_damaged_file_is_refused_with_its_line(tmp_path, line):
    path = tmp_path / "notes"
    Notes(path).note(NOTE)
    path.write_text(path.read_text() + line + "\n")
    with pytest.raises(JournalDamaged, match="2"):
        Notes(path)
