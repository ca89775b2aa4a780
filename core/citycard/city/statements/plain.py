"""A statement as text for a screen, and as plain values for JSON."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unicodedata import east_asian_width

import attrs

from citycard.city.statements.records import Line, Section, Statement
from citycard.city.statements.words import CLOSING, HEAD, OPENING
from citycard.money import yuan

__all__ = ["as_json", "text_lines"]


def text_lines(statement: Statement) -> Iterator[str]:
    """Give a statement as lines of text, one or two for each entry."""
    yield f"{statement.city.both()} · {statement.title.both()}"
    yield f"{statement.subject} {statement.name}".rstrip()
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


def as_json(statement: Statement, *, limit: int | None = None) -> dict[str, Any]:
    """Give a statement as plain values: sections with ``opening_fen``, ``closing_fen`` and ``lines``.

    With a ``limit`` each section has at most so many lines, its first ones; ``cut`` says whether more are.
    """
    return {
        "kind": statement.kind,
        "subject": statement.subject,
        "name": statement.name,
        "city": statement.city.en,
        "since": statement.period.since.isoformat(),
        "until": statement.period.until.isoformat(),
        "made_at": statement.made_at.isoformat(),
        "sections": [_section(section, limit) for section in statement.sections],
    }


def _section(section: Section, limit: int | None) -> dict[str, Any]:
    lines: list[dict[str, Any]] = []
    cut = False
    for line in section.lines():
        if limit is not None and len(lines) >= limit:
            cut = True
            break
        lines.append(_line(line))
    return {
        "account": section.address,
        "title": section.title.en,
        "title_zh": section.title.zh,
        "opening_fen": section.opening_fen,
        "closing_fen": section.closing_fen,
        "cut": cut,
        "lines": lines,
    }


def _line(line: Line) -> dict[str, Any]:
    plain = attrs.asdict(line, recurse=False)
    plain |= {"booked_at": line.booked_at.isoformat(), "at": line.at.isoformat()}
    plain |= {"what": line.what.en, "what_zh": line.what.zh, "why": line.why.en, "why_zh": line.why.zh}
    return plain
