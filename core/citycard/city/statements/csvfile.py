"""A statement as CSV (RFC 4180), a row at a time, safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence

from citycard.city.statements.records import Line, Section, Statement
from citycard.city.statements.words import CLOSING, OPENING
from citycard.money import yuan

__all__ = ["BOM", "COLUMNS", "csv_lines", "csv_row", "guarded"]

#: The names of the columns, in their order.
COLUMNS = (
    "account",
    "booked_at",
    "at",
    "code",
    "what",
    "what_zh",
    "who",
    "where",
    "why",
    "why_zh",
    "amount",
    "amount_fen",
    "balance",
    "balance_fen",
    "reference",
)

#: The byte order mark, by which spreadsheets know UTF-8.
BOM = "\N{ZERO WIDTH NO-BREAK SPACE}"
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\N{FULLWIDTH EQUALS SIGN}", "\N{FULLWIDTH PLUS SIGN}")
_FULLWIDTH = ("\N{FULLWIDTH HYPHEN-MINUS}", "\N{FULLWIDTH COMMERCIAL AT}")


def csv_lines(statement: Statement, *, bom: bool = False) -> Iterator[str]:
    """Give the rows as text that ends with CR LF, the names of the columns first.

    Each section begins with a row for its opening balance and ends with one for its closing balance.
    ``amount`` and ``balance`` are yuan with two decimals. ``bom`` puts a byte order mark first, by which
    spreadsheets know UTF-8. A text that a spreadsheet would take for a formula gets an apostrophe before it.
    """
    yield (BOM if bom else "") + csv_row(COLUMNS)
    for section in statement.sections:
        yield csv_row(_balance(section, OPENING.en, OPENING.zh, section.opening_fen))
        for line in section.lines():
            yield csv_row(_fields(section, line))
        yield csv_row(_balance(section, CLOSING.en, CLOSING.zh, section.closing_fen))


def guarded(text: str) -> str:
    """Give a text that no spreadsheet takes for a formula."""
    return f"'{text}" if text.startswith((*_FORMULA, *_FULLWIDTH)) else text


def _fields(section: Section, line: Line) -> tuple[str, ...]:
    words = (line.what.en, line.what.zh, line.who, line.where, line.why.en, line.why.zh)
    return (
        guarded(section.address),
        line.booked_at.isoformat(sep=" "),
        line.at.isoformat(sep=" "),
        str(line.code),
        *map(guarded, words),
        yuan(line.amount_fen),
        str(line.amount_fen),
        yuan(line.balance_fen),
        str(line.balance_fen),
        guarded(line.reference),
    )


def _balance(section: Section, words: str, words_zh: str, balance_fen: int) -> tuple[str, ...]:
    amounts = (yuan(balance_fen), str(balance_fen))
    return (guarded(section.address), "", "", "", words, words_zh, "", "", "", "", "", "", *amounts, "")


def csv_row(fields: Sequence[object]) -> str:
    """Give one row of CSV, which ends with CR LF."""
    written = io.StringIO()
    csv.writer(written, lineterminator="\r\n").writerow(fields)
    return written.getvalue()
