"""A file of books that a machine took back: CSV in UTF-8 with the columns ``item`` and ``day``."""

from __future__ import annotations

import csv
import datetime as dt
import io
from pathlib import Path

import attrs

from citycard.errors import CitycardError, Phrase
from citycard_tourism.errors import LoansFileInvalid
from citycard_tourism.library import take_back
from citycard_tourism.office import Office

__all__ = ["BadReturn", "TakenBack", "take_file"]

_COLUMNS = {"item", "day"}
_LARGEST_BYTES = 8 * 1024 * 1024


@attrs.frozen(kw_only=True)
class BadReturn:
    """A line that was not taken, and why."""

    line: int
    reason: str


@attrs.frozen(kw_only=True)
class TakenBack:
    """How many books came back, and the lines that were not taken."""

    taken: int
    bad: tuple[BadReturn, ...]


def take_file(office: Office, venue: str, path: Path) -> TakenBack:
    """Take back what a file says; bad lines are told, the others are taken. Again without harm.

    Raise LoansFileInvalid when it cannot be read as a whole.
    """
    taken, bad = 0, []
    for line, row in _rows(path):
        try:
            day = dt.date.fromisoformat((row["day"] or "").strip())
        except ValueError:
            bad.append(BadReturn(line=line, reason=f"day {(row['day'] or '')[:20]!r}: expected 2018-09-01"))
            continue
        try:
            take_back(office, venue, (row["item"] or "").strip(), day)
            taken += 1
        except CitycardError as refused:
            bad.append(BadReturn(line=line, reason=str(refused)))
    return TakenBack(taken=taken, bad=tuple(bad))


def _rows(path: Path) -> list[tuple[int, dict[str, str | None]]]:
    if path.stat().st_size > _LARGEST_BYTES:
        raise LoansFileInvalid(
            file=path.name,
            line=1,
            reason=Phrase("it is larger than {most_bytes} bytes", most_bytes=_LARGEST_BYTES),
        )
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise LoansFileInvalid(file=path.name, line=1, reason="it is not in UTF-8") from None
    reader = csv.DictReader(io.StringIO(text))
    try:
        found = set(reader.fieldnames or ())
        if not found >= _COLUMNS:
            missing = ", ".join(sorted(_COLUMNS - found))
            raise LoansFileInvalid(
                file=path.name, line=1, reason=Phrase("column {missing} is missing", missing=missing)
            )
        return [(reader.line_num, row) for row in reader]
    except csv.Error as wrong:
        raise LoansFileInvalid(file=path.name, line=reader.line_num, reason=str(wrong)) from None
