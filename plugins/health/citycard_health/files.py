"""Files that offices send: CSV with named columns, read whole or refused with the line and the field."""

from __future__ import annotations

import csv
import datetime as dt
import io
import re
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

import attrs

from citycard.errors import CitycardError, Phrase
from citycard.money import parse_yuan
from citycard_health.errors import FileInvalid

__all__ = ["MOST_BYTES", "Row", "read_rows"]

MOST_BYTES = 8 * 1024 * 1024
_LONGEST_FIELD = 200
_TIME = re.compile(r"[0-9]{2}:[0-9]{2}")
_ASN = re.compile(r"[0-9]{20}")

Value = TypeVar("Value")


@attrs.frozen
class Row:
    """One line of a file; each reader of a field raises FileInvalid with the line and the field."""

    file: str
    number: int
    values: dict[str, str]

    def refuse(self, field: str, reason: str) -> FileInvalid:
        """Make the error that says what is wrong with a field of this line."""
        return FileInvalid(file=self.file, line=self.number, field=field, reason=reason)

    def text(self, field: str, *, longest: int = 60, empty: bool = False) -> str:
        """Read words."""
        value = self.values[field]
        if (not value and not empty) or len(value) > longest or (value and not value.isprintable()):
            raise self.refuse(
                field, Phrase("{value!r} is not 1 to {longest} characters", value=value[:40], longest=longest)
            )
        return value

    def one_of(self, field: str, known: Sequence[str]) -> str:
        """Read one of the words that the city knows."""
        value = self.values[field]
        if value not in known:
            raise self.refuse(
                field,
                Phrase(
                    "{value!r} is unknown; there are {known}",
                    value=value[:40],
                    known=", ".join(known) or "none",
                ),
            )
        return value

    def whole(self, field: str, least: int, most: int) -> int:
        """Read a whole number within bounds."""
        value = self.values[field]
        if not (value.isascii() and value.isdecimal() and len(value) < 10 and least <= int(value) <= most):  # noqa: PLR2004
            raise self.refuse(
                field,
                Phrase(
                    "{value!r} is no whole number from {least} to {most}",
                    value=value[:40],
                    least=least,
                    most=most,
                ),
            )
        return int(value)

    def day(self, field: str) -> dt.date:
        """Read a day, YYYY-MM-DD."""
        return self._parsed(field, dt.date.fromisoformat, "a day as 2026-03-02")

    def time(self, field: str) -> dt.time:
        """Read a time of day, HH:MM."""
        return self._parsed(field, _time, "a time as 08:30")

    def card(self, field: str) -> str:
        """Read the 20 digits of a card."""
        value = self.values[field]
        if not _ASN.fullmatch(value):
            raise self.refuse(field, Phrase("{value!r} is not the 20 digits of a card", value=value[:40]))
        return value

    def yuan(self, field: str) -> int:
        """Read an amount in yuan into fen, more than zero."""
        try:
            amount_fen = parse_yuan(self.values[field])
        except CitycardError:
            amount_fen = 0
        if not 0 < amount_fen < 10**11:
            raise self.refuse(
                field, Phrase("{value!r} is no amount in yuan, such as 12.50", value=self.values[field][:40])
            )
        return amount_fen

    def _parsed(self, field: str, parse: Callable[[str], Value], expected: str) -> Value:
        try:
            return parse(self.values[field])
        except ValueError:
            raise self.refuse(
                field, Phrase("{value!r} is not {expected}", value=self.values[field][:40], expected=expected)
            ) from None


def _time(text: str) -> dt.time:
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return dt.time.fromisoformat(text)


def read_rows(data: bytes, columns: Sequence[str], *, file: str) -> Iterator[Row]:
    """Read the lines of a CSV file in UTF-8 with exactly these columns, in any order; raise FileInvalid."""
    if len(data) > MOST_BYTES:
        raise FileInvalid(
            file=file,
            line=1,
            field="file",
            reason=Phrase("it has more than {most_bytes} bytes", most_bytes=MOST_BYTES),
        )
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise FileInvalid(file=file, line=1, field="file", reason="it is not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = next(reader, [])
        if sorted(head) != sorted(columns):
            reason = Phrase("the first line has to be {columns}", columns=",".join(columns))
            raise FileInvalid(file=file, line=1, field="columns", reason=reason)
        for cells in reader:
            if not cells:
                continue
            if len(cells) != len(head) or any(len(cell) > _LONGEST_FIELD for cell in cells):
                reason = Phrase(
                    "expected {count} fields of at most {longest_field} characters",
                    count=len(head),
                    longest_field=_LONGEST_FIELD,
                )
                raise FileInvalid(file=file, line=reader.line_num, field="line", reason=reason)
            yield Row(
                file, reader.line_num, {name: cell.strip() for name, cell in zip(head, cells, strict=True)}
            )
    except csv.Error as wrong:
        raise FileInvalid(file=file, line=reader.line_num, field="line", reason=str(wrong)) from None
