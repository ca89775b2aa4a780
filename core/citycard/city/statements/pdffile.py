"""A statement as PDF: bilingual, numbered pages, the head of the table on each of them."""

from __future__ import annotations

from typing import IO

from citycard.city.statements.records import Line, Said, Section, Statement
from citycard.city.statements.sheet import FAINT, INK, SOFT, Sheet
from citycard.city.statements.words import CLOSING, HEAD, OPENING
from citycard.money import yuan

__all__ = ["write_pdf"]

_TIME, _WHAT, _AMOUNT, _BALANCE = 40.0, 128.0, 468.0, 555.0
_WORDS_WIDTH = 285.0
_ROW, _SMALL = 9.5, 7.5
_LEADING = 10.0


def write_pdf(statement: Statement, file: IO[bytes]) -> None:
    """Write a statement as PDF into an open file; the same statement gives the same bytes.

    A line is drawn when it is read, so that of a large statement only the finished pages are in memory.
    Letters come from Helvetica and, where that has none, from a Chinese font (``sheet``).
    """
    days = f"{statement.period.since} – {statement.period.until}"
    sheet = Sheet(
        file,
        title=f"{statement.title.en} {statement.subject}",
        author=statement.city.both(),
        foot=f"{statement.city.both()} · {statement.subject} · {days}",
    )
    _head(sheet, statement)
    for section in statement.sections:
        _section(sheet, section)
    sheet.end()


def _head(sheet: Sheet, statement: Statement) -> None:
    sheet.text(_TIME, statement.city.both(), 11, color=SOFT)
    sheet.down(24)
    sheet.text(_TIME, statement.title.both(), 18, bold=True)
    sheet.down(22)
    number = statement.subject if statement.kind != "card" else _grouped(statement.subject)
    sheet.text(_TIME, number, 12, bold=True)
    sheet.down(15)
    for line in sheet.wrapped(statement.name.both(), 10, _BALANCE - _TIME):
        sheet.text(_TIME, line, 10)
        sheet.down(13)
    days = f"{HEAD['period'].both()}: {statement.period.since} – {statement.period.until}"
    sheet.text(_TIME, days, 9, color=SOFT)
    made = f"{HEAD['made'].both()}: {statement.made_at:%Y-%m-%d %H:%M}"
    sheet.text(_BALANCE, made, 9, color=SOFT, right=True)
    sheet.down(26)


def _section(sheet: Sheet, section: Section) -> None:
    sheet.keep(110)
    _columns(sheet, section)
    sheet.repeat(lambda: _columns(sheet, section))
    _total(sheet, OPENING, section.opening_fen)
    empty = True
    for line in section.lines():
        empty = False
        _line(sheet, line)
    if empty:
        sheet.keep(18)
        sheet.text(_WHAT, HEAD["nothing"].both(), _ROW, color=SOFT)
        sheet.down(18)
    _total(sheet, CLOSING, section.closing_fen)
    sheet.repeat(None)
    sheet.down(20)


def _columns(sheet: Sheet, section: Section) -> None:
    sheet.text(_TIME, section.title.both(), 12, bold=True)
    sheet.down(17)
    sheet.text(_TIME, HEAD["time"].both(), _SMALL, color=SOFT)
    sheet.text(_WHAT, HEAD["what"].both(), _SMALL, color=SOFT)
    sheet.text(_AMOUNT, HEAD["amount"].both(), _SMALL, color=SOFT, right=True)
    sheet.text(_BALANCE, HEAD["balance"].both(), _SMALL, color=SOFT, right=True)
    sheet.rule(_TIME, _BALANCE, below=5, color=INK)
    sheet.down(18)


def _total(sheet: Sheet, words: Said, balance_fen: int) -> None:
    sheet.keep(18)
    sheet.text(_WHAT, words.both(), _ROW, bold=True)
    sheet.text(_BALANCE, _written(balance_fen), _ROW, bold=True, right=True)
    sheet.rule(_TIME, _BALANCE, below=5, color=FAINT)
    sheet.down(18)


def _line(sheet: Sheet, line: Line) -> None:
    told = " · ".join(filter(None, (line.who, line.where, line.why.both())))
    small = sheet.wrapped(told, _SMALL, _WORDS_WIDTH)
    booked = "" if line.booked_at.date() == line.at.date() else f"{line.booked_at:%Y-%m-%d}"
    tall = 13 + _LEADING * max(len(small), bool(booked)) + 4
    sheet.keep(tall)
    sheet.text(_TIME, f"{line.at:%Y-%m-%d %H:%M}", _ROW)
    sheet.text(_WHAT, line.what.both(), _ROW)
    sheet.text(_AMOUNT, _written(line.amount_fen, signed=True), _ROW, right=True)
    sheet.text(_BALANCE, _written(line.balance_fen), _ROW, right=True)
    sheet.down(11.5)
    if booked:
        sheet.text(_TIME, f"{HEAD['booked'].both()} {booked}", _SMALL, color=SOFT)
    for words in small or ([""] if booked else []):
        sheet.text(_WHAT, words, _SMALL, color=SOFT)
        sheet.down(_LEADING)
    sheet.rule(_TIME, _BALANCE, below=-4.5, color=FAINT)
    sheet.down(5.5)


def _written(amount_fen: int, *, signed: bool = False) -> str:
    whole, _, fen = yuan(abs(amount_fen)).partition(".")
    sign = "-" if amount_fen < 0 else "+" if signed else ""
    return f"{sign}{int(whole):,}.{fen}"


def _grouped(number: str) -> str:
    return " ".join(number[place : place + 4] for place in range(0, len(number), 4))
