"""A statement as text for a screen, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from unicodedata import east_asian_width

import attrs

from citycard.city.statements.records import Line, Section, Statement
from citycard.city.statements.words import CLOSING, HEAD, OPENING
from citycard.money import yuan

__all__ = ["PlainLine", "PlainSection", "PlainStatement", "plain_statement", "text_lines"]


@attrs.frozen(kw_only=True)
class PlainLine:
    """One line of a statement in both languages; what came in is positive. Times are local."""

    booked_at: datetime
    at: datetime
    code: int
    what: str
    what_zh: str
    who: str
    where: str
    why: str
    why_zh: str
    amount_fen: int
    balance_fen: int
    reference: str


@attrs.frozen(kw_only=True)
class PlainSection:
    """One account of a statement; ``cut`` says that there are more lines than these."""

    account: str
    title: str
    title_zh: str
    opening_fen: int
    closing_fen: int
    cut: bool
    lines: tuple[PlainLine, ...]


@attrs.frozen(kw_only=True)
class PlainStatement:
    """A statement of a card or a partner as plain values; the days are both included."""

    kind: str
    subject: str
    name: str
    name_zh: str
    city: str
    since: date
    until: date
    made_at: datetime
    sections: tuple[PlainSection, ...]


def text_lines(statement: Statement) -> Iterator[str]:
    """Give a statement as lines of text, one or two for each entry."""
    yield f"{statement.city.both()} · {statement.title.both()}"
    yield f"{statement.subject} {statement.name.both()}".rstrip()
    yield f"{statement.period.since} – {statement.period.until}"
    for section in statement.sections:
        yield ""
        yield section.title.both()
        yield f"{_padded(OPENING.both())}{yuan(section.opening_fen):>13}"
        empty = True
        for line in section.lines():
            empty = False
            amounts = f"{yuan(line.amount_fen):>13} {yuan(line.balance_fen):>13}"
            yield f"{line.at:%Y-%m-%d %H:%M}  {line.what.en:<40}{amounts}"
            told = " · ".join(filter(None, (line.who, line.where, line.why.en)))
            if told:
                yield f"                  {told}"
        if empty:
            yield HEAD["nothing"].both()
        yield f"{_padded(CLOSING.both())}{yuan(section.closing_fen):>13}"


def _padded(words: str) -> str:
    wide = sum(east_asian_width(letter) in "WF" for letter in words)
    return words + " " * (72 - len(words) - wide)


def plain_statement(statement: Statement, *, limit: int | None = None) -> PlainStatement:
    """Read a statement as plain values, every line of it.

    With a ``limit`` each section has at most so many lines, its first ones; ``cut`` says whether more are.
    """
    return PlainStatement(
        kind=statement.kind,
        subject=statement.subject,
        name=statement.name.en,
        name_zh=statement.name.zh,
        city=statement.city.en,
        since=statement.period.since,
        until=statement.period.until,
        made_at=statement.made_at,
        sections=tuple(_section(section, limit) for section in statement.sections),
    )


def _section(section: Section, limit: int | None) -> PlainSection:
    found = list(islice(section.lines(), None if limit is None else limit + 1))
    shown = found if limit is None else found[:limit]
    return PlainSection(
        account=section.address,
        title=section.title.en,
        title_zh=section.title.zh,
        opening_fen=section.opening_fen,
        closing_fen=section.closing_fen,
        cut=len(shown) < len(found),
        lines=tuple(_line(line) for line in shown),
    )


def _line(line: Line) -> PlainLine:
    return PlainLine(
        booked_at=line.booked_at,
        at=line.at,
        code=line.code,
        what=line.what.en,
        what_zh=line.what.zh,
        who=line.who,
        where=line.where,
        why=line.why.en,
        why_zh=line.why.zh,
        amount_fen=line.amount_fen,
        balance_fen=line.balance_fen,
        reference=line.reference,
    )
