"""Files of schools as CSV: rows by column, and one clear word about each line that cannot be used."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Mapping, Sequence

import attrs

from citycard.errors import Phrase
from citycard_campus.errors import FileNotRoll

__all__ = ["BadLine", "day", "rows"]

LARGEST = 16 * 1024 * 1024


@attrs.frozen(kw_only=True)
class BadLine:
    """A line that is left out, and why; the line with the names is 1."""

    line: int
    reason: str


def rows(text: str, needed: Sequence[str], *, file: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Give each line with the values of its columns, stripped; a missing value is empty.

    A byte-order mark and empty lines are ignored. Raise FileNotRoll for what is no such file.
    """
    if len(text) > LARGEST:
        raise FileNotRoll(
            file=file, reason=Phrase("it has more than {most} characters: split it", most=LARGEST)
        )
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=None), skipinitialspace=True)
    try:
        names = [name.strip().lower() for name in reader.fieldnames or ()]
        if missing := [name for name in needed if name not in names]:
            reason = Phrase("its first line names no column {missing}", missing=" and no ".join(missing))
            raise FileNotRoll(file=file, reason=reason)
        reader.fieldnames = names
        for row in reader:
            yield reader.line_num, {name: (row.get(name) or "").strip() for name in needed}
    except csv.Error as wrong:
        raise FileNotRoll(
            file=file, reason=Phrase("line {line} is no CSV: {wrong}", line=reader.line_num, wrong=wrong)
        ) from wrong


def day(text: str, field: str) -> dt.date:
    """Read a day, ``YYYY-MM-DD``; raise ValueError with the field and what was expected."""
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        msg = f"{field} is {text!r}: expected a day such as 2027-07-15"
        raise ValueError(msg) from None
