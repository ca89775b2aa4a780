"""A biller's file of bills: CSV in UTF-8, one bill a line, closed by a trailer. Pure: bytes in, lines out.

The first line names the columns in any order: ``bill``, ``household``, ``amount`` and ``due`` are needed,
``action`` (``bill`` or ``withdraw``), ``name`` and ``period`` may be there, others are left alone. The last
line is ``end,<lines>,<sum>``: how many lines stand between, and the sum of their amounts in the currency of
the bills. So a file that was cut off on its way is seen and nothing of it is taken.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Iterator, Sequence

import attrs

from citycard import parse_yuan, yuan
from citycard.errors import AmountInvalid, Phrase
from citycard_utilities.errors import BillFileInvalid

__all__ = ["BadBill", "BillFile", "BillLine", "masked_name", "read_bills"]

_NEEDED = ("bill", "household", "amount", "due")
_COLUMNS = (*_NEEDED, "action", "name", "period")
_NUMBER = re.compile(r"[0-9A-Z][0-9A-Z./-]{0,19}")
_HOUSEHOLD = re.compile(r"[0-9A-Z][0-9A-Z-]{0,15}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_END, _TRAILER = "end", 3
_ACTIONS = ("", "bill", "withdraw")
_MOST = 100_000_000_00
_PERIOD_MOST = 20
_AMOUNT = "an amount with at most two decimals, more than 0"
_MOST_BAD = 1000


@attrs.frozen
class BillLine:
    """A line that can be read; ``minor`` is the amount in hundredths of its currency."""

    line: int
    number: str
    household: str
    minor: int
    due: dt.date
    withdrawn: bool
    holder: str
    period: str


@attrs.frozen(kw_only=True)
class BadBill:
    """A line that is not taken, and why; the first line of the file is 1."""

    line: int
    field: str
    text: str
    expected: str


@attrs.frozen(kw_only=True)
class BillFile:
    """What stands in a file: its lines, those that cannot be read (all counted, the first 1000 told)."""

    lines: tuple[BillLine, ...]
    bad: tuple[BadBill, ...]
    bad_count: int
    declared: int


def masked_name(name: str) -> str:
    """Keep of a holder's name what its owner knows it by: 王小明 is 王**, John Smith J*********."""
    name = name.strip()[:20]
    return name[:1] + "*" * (len(name) - 1)


def read_bills(data: bytes, *, file: str) -> BillFile:
    """Read a file of bills; raise BillFileInvalid for one that is cut off, or none at all.

    A bill that stands there twice counts once, its second line is bad.
    """
    rows = list(_rows(data, file))
    if not rows:
        raise BillFileInvalid(file=file, line=1, reason="it is empty: expected the names of the columns")
    first, body, end = rows[0], rows[1:-1], rows[-1]
    places = _places(first[1], file)
    count, minor = _trailer(end, len(rows), file)
    if count != len(body):
        reason = Phrase(
            "the trailer counts {count} lines and there are {lines}: fetch the whole file",
            count=count,
            lines=len(body),
        )
        raise BillFileInvalid(file=file, line=end[0], reason=reason)
    lines, bad, known, sum_minor, whole = _read(body, places)
    if whole and sum_minor != minor:
        reason = Phrase(
            "the trailer says {trailer} and the amounts are {sum} together",
            trailer=yuan(minor),
            sum=yuan(sum_minor),
        )
        raise BillFileInvalid(file=file, line=end[0], reason=reason)
    return BillFile(lines=tuple(lines), bad=tuple(bad[:_MOST_BAD]), bad_count=len(bad), declared=known)


def _rows(data: bytes, file: str) -> Iterator[tuple[int, list[str]]]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as wrong:
        line = data[: wrong.start].count(b"\n") + 1
        raise BillFileInvalid(file=file, line=line, reason="it is not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if row and any(row):
                yield reader.line_num, row
    except csv.Error as wrong:
        raise BillFileInvalid(
            file=file, line=reader.line_num, reason=Phrase("it is no CSV: {wrong}", wrong=wrong)
        ) from None


def _places(names: Sequence[str], file: str) -> dict[str, int]:
    told = [name.strip().lower() for name in names]
    if missing := [name for name in _NEEDED if name not in told]:
        reason = Phrase("no column is named {missing}", missing=" and none ".join(missing))
        raise BillFileInvalid(file=file, line=1, reason=reason)
    if twice := [name for name in _COLUMNS if told.count(name) > 1]:
        raise BillFileInvalid(
            file=file, line=1, reason=Phrase("two columns are named {twice}", twice=twice[0])
        )
    return {name: told.index(name) for name in _COLUMNS if name in told}


def _trailer(last: tuple[int, list[str]], rows: int, file: str) -> tuple[int, int]:
    line, row = last
    expected = "expected the trailer end,<lines>,<sum> at the end: the file was cut off, or it has none"
    if rows == 1 or len(row) < _TRAILER or row[0].strip().lower() != _END or any(row[_TRAILER:]):
        raise BillFileInvalid(file=file, line=line, reason=expected)
    try:
        return int(row[1]), parse_yuan(row[2].strip())
    except (ValueError, AmountInvalid):
        raise BillFileInvalid(file=file, line=line, reason=expected) from None


def _read(
    body: Sequence[tuple[int, list[str]]], places: dict[str, int]
) -> tuple[list[BillLine], list[BadBill], int, int, bool]:
    lines: list[BillLine] = []
    bad: list[BadBill] = []
    first: dict[str, int] = {}
    total, whole = 0, True
    for line, row in body:
        fields = {name: row[place].strip() if place < len(row) else "" for name, place in places.items()}
        try:
            minor = parse_yuan(fields["amount"])
            total += minor
        except AmountInvalid:
            # What cannot be read cannot be added: then the trailer's sum says nothing.
            minor, whole = -1, False
        found = _line(line, fields, minor)
        if isinstance(found, BillLine) and found.number in first:
            expected = f"another number: line {first[found.number]} has it already"
            found = BadBill(line=line, field="bill", text=found.number, expected=expected)
        if isinstance(found, BillLine):
            first[found.number] = line
            lines.append(found)
        else:
            bad.append(found)
    return lines, bad, len(body), total, whole


def _line(line: int, fields: dict[str, str], minor: int) -> BillLine | BadBill:
    action, period = fields.get("action", "").lower(), fields.get("period", "")
    withdrawn, due = action == "withdraw", _day(fields["due"])
    checks = (
        ("bill", _NUMBER.fullmatch(fields["bill"]), "1 to 20 of 0-9 A-Z . / -"),
        ("household", _HOUSEHOLD.fullmatch(fields["household"]), "1 to 16 of 0-9 A-Z -"),
        ("action", action in _ACTIONS, "bill or withdraw"),
        ("amount", 0 < minor <= _MOST or (withdrawn and not minor), _AMOUNT),
        ("due", due, "a day such as 2026-12-15"),
        (
            "period",
            len(period) <= _PERIOD_MOST and period.isprintable(),
            f"at most {_PERIOD_MOST} characters",
        ),
    )
    for field, fine, expected in checks:
        if not fine:
            return BadBill(line=line, field=field, text=fields.get(field, "")[:40], expected=expected)
    assert due is not None
    holder = masked_name(fields.get("name", ""))
    return BillLine(line, fields["bill"], fields["household"], minor, due, withdrawn, holder, period)


def _day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text) if _DAY.fullmatch(text) else None
    except ValueError:
        return None
