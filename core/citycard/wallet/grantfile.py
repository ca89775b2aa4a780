"""A file of grants: one line for each account, as a social office exports it. Pure: text in, lines out.

The first line names the columns; ``card`` (the number of a card or an account, 20 digits) and ``amount``
(yuan) are needed, in any order, and others are left alone. A line that cannot be read is told and kept out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import attrs

from citycard.errors import AmountInvalid, GrantFileInvalid, Phrase
from citycard.money import parse_yuan

__all__ = ["BadLine", "GrantLine", "read_grants"]

_NUMBER = re.compile(r"[0-9]{20}")
_NEEDED = ("card", "amount")


@attrs.frozen(kw_only=True)
class GrantLine:
    """A line that can be read: its number in the file (the first after the names is 2), whose, how much."""

    line: int
    number: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class BadLine:
    """A line that cannot be granted, and why."""

    line: int
    reason: str


def read_grants(text: str, *, file: str) -> tuple[list[GrantLine], list[BadLine]]:
    """Read a CSV file; an account that stands in it twice is granted its first line. Raise GrantFileInvalid.

    A byte-order mark is ignored, and so are empty lines.
    """
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=None), skipinitialspace=True)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    if missing := [name for name in _NEEDED if name not in names]:
        raise GrantFileInvalid(
            file=file,
            reason=Phrase("its first line names no column {missing}", missing=" and no ".join(missing)),
        )
    reader.fieldnames = names
    good: list[GrantLine] = []
    bad: list[BadLine] = []
    first: dict[str, int] = {}
    for line, row in _rows(reader, file):
        try:
            found = _line(line, row)
        except (AmountInvalid, ValueError) as wrong:
            bad.append(BadLine(line=line, reason=str(wrong)))
            continue
        seen = first.setdefault(found.number, line)
        if seen != line:
            bad.append(BadLine(line=line, reason=f"{found.number} stands in line {seen} already"))
        else:
            good.append(found)
    return good, bad


def _rows(reader: csv.DictReader[str], file: str) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        for row in reader:
            yield reader.line_num, {key: (row.get(key) or "").strip() for key in _NEEDED}
    except csv.Error as wrong:
        raise GrantFileInvalid(
            file=file, reason=Phrase("line {line} is no CSV: {wrong}", line=reader.line_num, wrong=wrong)
        ) from wrong


def _line(line: int, row: dict[str, str]) -> GrantLine:
    number = row["card"].replace(" ", "")
    if not _NUMBER.fullmatch(number):
        msg = f"card is {row['card']!r}: expected 20 digits"
        raise ValueError(msg)
    amount_fen = parse_yuan(row["amount"])
    if amount_fen <= 0:
        msg = f"amount is {row['amount']!r}: expected more than 0 yuan"
        raise ValueError(msg)
    return GrantLine(line=line, number=number, amount_fen=amount_fen)
