"""The file that a biller gets after each settlement: what was paid, bill by bill, with totals and check sums.

CSV in UTF-8, lines end with LF. ``H`` is the head, each ``D`` a line, ``T`` the totals, and ``E`` closes the
file with the number of lines, their sum, and the SHA-256 of all that stands before it. ``read_dayfile`` is
what a biller does with it: every count, sum and check sum is held against the lines.
"""

from __future__ import annotations

import csv
import datetime as dt
import hashlib
import io
from collections.abc import Sequence

import attrs

from citycard import parse_yuan, yuan
from citycard.errors import AmountInvalid, Phrase
from citycard_utilities.errors import BillFileInvalid
from citycard_utilities.settlement import Item, Settlement

__all__ = ["DayFile", "read_dayfile", "write_dayfile"]

_FORMAT = "citycard-biller-1"
_HEAD, _LINE, _TOTAL, _END = "H", "D", "T", "E"
_KINDS = ("card", "account", "mandate", "prepaid", "back", "other")
_BALANCES = ("opening", "fee", "paid", "closing")
_WIDTHS = {_HEAD: 7, _LINE: 10, _TOTAL: 4, _END: 4}


@attrs.frozen(kw_only=True)
class DayFile:
    """What stands in a biller's file, all of it checked: from opening to closing, in fen."""

    biller: str
    run: int
    items: tuple[Item, ...]
    opening_fen: int
    fee_fen: int
    paid_fen: int
    closing_fen: int
    sha256: str


def write_dayfile(settled: Settlement) -> bytes:
    """Write the file of a settlement; the same settlement gives the same bytes."""
    rows: list[Sequence[object]] = [
        (
            _HEAD,
            _FORMAT,
            settled.biller,
            settled.run,
            settled.day.isoformat(),
            settled.end_to_end,
            settled.account_no,
        )
    ]
    rows += [
        (
            _LINE,
            item.what,
            item.reference,
            item.bill,
            item.household,
            item.at.isoformat(),
            yuan(item.amount_fen),
            yuan(item.applied_fen),
            yuan(item.late_fen),
            yuan(item.over_fen),
        )
        for item in settled.items
    ]
    for kind in _KINDS:
        count = sum(item.what == kind for item in settled.items)
        rows.append((_TOTAL, kind, count, yuan(settled.total_fen(kind))))
    for name in _BALANCES:
        rows.append((_TOTAL, name, "", yuan(getattr(settled, f"{name}_fen"))))
    body = _written(rows)
    digest = hashlib.sha256(body).hexdigest()
    return body + _written([(_END, len(settled.items), yuan(settled.sum_fen), digest)])


def read_dayfile(data: bytes, *, file: str) -> DayFile:
    """Read and check a file; raise BillFileInvalid with the line that does not agree."""
    try:
        rows = list(csv.reader(io.StringIO(data.decode("utf-8"), newline=""), strict=True))
    except (UnicodeDecodeError, csv.Error) as bad:
        raise BillFileInvalid(
            file=file, line=1, reason=Phrase("it is no CSV in UTF-8: {bad}", bad=bad)
        ) from None
    line, reason = _form(rows) or _sealed(rows, data) or (0, "")
    if line:
        raise BillFileInvalid(file=file, line=line, reason=reason)
    try:
        read, totals = _read(rows)
    except (ValueError, AmountInvalid, KeyError) as bad:
        raise BillFileInvalid(
            file=file, line=len(rows), reason=Phrase("it cannot be read: {bad}", bad=bad)
        ) from None
    reason = _disagrees(read, rows[-1], totals)
    if reason:
        raise BillFileInvalid(file=file, line=len(rows), reason=reason)
    return read


def _form(rows: Sequence[Sequence[str]]) -> tuple[int, str] | None:
    if not rows or list(rows[0][:2]) != [_HEAD, _FORMAT]:
        return 1, f"expected H,{_FORMAT}"
    for line, row in enumerate(rows, 1):
        if not row or _WIDTHS.get(row[0]) != len(row):
            return line, "expected a line H, D, T or E with all its fields"
    return None


def _sealed(rows: Sequence[Sequence[str]], data: bytes) -> tuple[int, str] | None:
    if rows[-1][0] != _END:
        return len(rows), "the line E is missing: the file was cut off"
    if rows[-1][3] != _digest(data):
        return len(rows), "the check sum is not that of the lines before: fetch the file again"
    return None


def _digest(data: bytes) -> str:
    """Give the check sum of all lines but the last."""
    return hashlib.sha256(data[: data.rstrip(b"\n").rindex(b"\n") + 1]).hexdigest()


def _read(rows: Sequence[Sequence[str]]) -> tuple[DayFile, dict[str, tuple[str, int]]]:
    totals = {row[1]: (row[2], parse_yuan(row[3])) for row in rows if row[0] == _TOTAL}
    read = DayFile(
        biller=rows[0][2],
        run=int(rows[0][3]),
        items=tuple(_item(row) for row in rows if row[0] == _LINE),
        sha256=rows[-1][3],
        **{f"{name}_fen": totals[name][1] for name in _BALANCES},
    )
    return read, totals


def _disagrees(read: DayFile, end: Sequence[str], totals: dict[str, tuple[str, int]]) -> str:
    sum_fen = sum(item.amount_fen for item in read.items)
    if list(end[1:3]) != [str(len(read.items)), yuan(sum_fen)]:
        return "the line E does not count or sum the lines D"
    for kind in _KINDS:
        mine = [item.amount_fen for item in read.items if item.what == kind]
        if totals.get(kind) != (str(len(mine)), sum(mine)):
            return Phrase("the total of {kind} does not count or sum its lines", kind=kind)
    if read.opening_fen + sum_fen - read.fee_fen - read.paid_fen != read.closing_fen:
        return "opening, lines, fee and what was paid do not lead to the closing balance"
    return ""


def _item(row: Sequence[str]) -> Item:
    amount_fen, applied_fen, late_fen, over_fen = map(parse_yuan, row[6:])
    return Item(
        what=row[1],
        reference=row[2],
        bill=row[3],
        household=row[4],
        at=dt.datetime.fromisoformat(row[5]),
        amount_fen=amount_fen,
        applied_fen=applied_fen,
        late_fen=late_fen,
        over_fen=over_fen,
    )


def _written(rows: Sequence[Sequence[object]]) -> bytes:
    written = io.StringIO()
    csv.writer(written, lineterminator="\n").writerows(rows)
    return written.getvalue().encode()
