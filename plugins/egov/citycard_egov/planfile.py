"""Read a payment plan: CSV with a line for each payment, as a department makes it. Pure: text in, lines out.

Columns ``amount`` (yuan) and ``id_number`` or ``card`` (20 digits), in any order; others are left alone. A
line that cannot be read is told and kept out.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping

import attrs

from citycard.errors import AmountInvalid, Phrase
from citycard.money import parse_yuan
from citycard_egov.errors import EgovFileInvalid, EgovInvalid
from citycard_egov.office import checked_number

__all__ = ["PaymentLine", "read_plan"]

_CARD = re.compile(r"[0-9]{20}")
_MOST_LINES = 200_000
_MOST_FEN = 10_000_000


@attrs.frozen(kw_only=True)
class PaymentLine:
    """A line of a plan: its number in the file, whom (number or card), how much in fen, or why not."""

    line: int
    id_number: str = attrs.field(default="", repr=False)
    card: str = ""
    amount_fen: int = 0
    bad: str = ""


def read_plan(text: str, *, file: str) -> list[PaymentLine]:
    """Read a plan; a payee that stands in it twice is paid the first line. Raise EgovFileInvalid."""
    rows = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=None), skipinitialspace=True)
    names = [name.strip().lower() for name in rows.fieldnames or ()]
    if "amount" not in names or not {"id_number", "card"} & set(names):
        reason = "its first line names no column amount, or neither id_number nor card"
        raise EgovFileInvalid(file=file, reason=reason)
    rows.fieldnames = names
    found: list[PaymentLine] = []
    first: dict[str, int] = {}
    for line, row in _rows(rows, file):
        if len(found) >= _MOST_LINES:
            raise EgovFileInvalid(
                file=file,
                reason=Phrase("it has more than {most_lines} lines: split it", most_lines=_MOST_LINES),
            )
        made = _line(line, row)
        payee = made.id_number or made.card
        seen = first.setdefault(payee, line) if not made.bad else line
        if seen != line:
            made = PaymentLine(line=line, bad=f"its payee stands in line {seen} already")
        found.append(made)
    if not found:
        raise EgovFileInvalid(file=file, reason="it has no payments")
    return found


def _rows(rows: csv.DictReader[str], file: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    try:
        for row in rows:
            yield (
                rows.line_num,
                {name: (row.get(name) or "").strip() for name in ("id_number", "card", "amount")},
            )
    except csv.Error as wrong:
        raise EgovFileInvalid(
            file=file, reason=Phrase("line {line} is no CSV: {wrong}", line=rows.line_num, wrong=wrong)
        ) from wrong


def _line(line: int, row: Mapping[str, str]) -> PaymentLine:
    try:
        number = checked_number(row["id_number"]) if row["id_number"] else ""
        card = row["card"].replace(" ", "")
        if bool(number) == bool(card):
            return PaymentLine(line=line, bad="expected an id_number or a card, and not both")
        if card and not _CARD.fullmatch(card):
            return PaymentLine(line=line, bad=f"card is {card[:24]!r}: expected 20 digits")
        amount_fen = parse_yuan(row["amount"])
    except (AmountInvalid, EgovInvalid) as wrong:
        return PaymentLine(line=line, bad=str(wrong))
    if not 0 < amount_fen <= _MOST_FEN:
        return PaymentLine(line=line, bad=f"amount is {row['amount'][:20]!r}: expected 0.01 to 100000 yuan")
    return PaymentLine(line=line, id_number=number, card=card, amount_fen=amount_fen)
