"""What a command says: its answer on stdout, everything else on stderr."""

from __future__ import annotations

import json
import shlex
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

import attrs
import click

__all__ = [
    "as_document",
    "counting",
    "emit",
    "emit_csv",
    "options_of",
    "pairs",
    "progress",
    "say",
    "table",
]

Item = TypeVar("Item")


def emit(answer: object) -> None:
    """Print one JSON document on stdout: records become objects, moments ISO 8601, bytes hex."""
    click.echo(as_document(answer))


def emit_csv(lines: Iterable[str], out: Path | None = None) -> None:
    """Print lines of CSV, which have their ends, on stdout as UTF-8, or write them into a new file."""
    if out is None:
        for line in lines:
            sys.stdout.buffer.write(line.encode())
        sys.stdout.buffer.flush()
        return
    with out.open("wb") as file:
        file.writelines(line.encode() for line in lines)
    say(f"{out} is written")


def as_document(answer: object) -> str:
    """Give the JSON document that ``emit`` prints."""
    return json.dumps(answer, default=_plain, ensure_ascii=False, indent=2)


def _plain(value: object) -> Any:
    kind: type[Any] = type(value)
    if attrs.has(kind):
        return {field.name: getattr(value, field.name) for field in attrs.fields(kind)}
    if isinstance(value, (datetime, date)):
        return value.isoformat()
    if isinstance(value, Enum):
        return value.name.lower()
    if isinstance(value, bytes):
        return value.hex().upper()
    if isinstance(value, (UUID, Path)):
        return str(value)
    if isinstance(value, (set, frozenset)):
        return sorted(value)
    raise TypeError(type(value).__name__)


def say(words: str) -> None:
    """Tell the person at the keyboard something that is not the answer."""
    click.echo(words, err=True)


def options_of(given: Mapping[str, str | None]) -> str:
    """Write options as they are typed, without those that were not given."""
    return shlex.join(part for name, value in given.items() if value for part in (name, value))


def pairs(rows: Iterable[tuple[str, object]]) -> None:
    """Print a name and its value a line on stdout, the values below one another."""
    lines = list(rows)
    width = max((_width(name) for name, _ in lines), default=0)
    for name, value in lines:
        click.echo(f"{name}{' ' * (width - _width(name))}  {value}".rstrip())


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print aligned columns on stdout, numbers to the right; wide characters count as two."""
    lines = [[str(cell) for cell in row] for row in rows]
    numeric = [
        bool(lines) and all(row[place].replace(".", "").lstrip("-").isdigit() for row in lines)
        for place in range(len(head))
    ]
    widths = [max(_width(row[place]) for row in [list(head), *lines]) for place in range(len(head))]
    for row in [list(head), *lines]:
        cells = [
            " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
            for cell, width, right in zip(row, widths, numeric, strict=True)
        ]
        click.echo("  ".join(cells).rstrip())


def _width(text: str) -> int:
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(letter) in "WF" else 1 for letter in text)


def progress(items: Sequence[Item], label: str, *, shown: bool | None = None) -> Iterator[Item]:
    """Go through items with a bar on stderr, when stderr is a terminal or ``shown`` says so."""
    if not (sys.stderr.isatty() if shown is None else shown):
        yield from items
        return
    with click.progressbar(items, label=label, file=sys.stderr) as bar:
        yield from bar


@contextmanager
def counting(label: str, *, shown: bool | None = None) -> Iterator[Callable[[int, int], None]]:
    """Give what is told how many are done, and of how many, and shows it on stderr.

    A bar when stderr is a terminal; otherwise, and only when ``shown`` says so, a line each time.
    """
    if not sys.stderr.isatty():
        yield lambda done, of: say(f"{label}: {done} of {of}") if shown else None
        return
    with click.progressbar(length=0, label=label, file=sys.stderr, hidden=shown is False) as bar:

        def told(done: int, of: int) -> None:
            bar.length = of
            bar.update(done - bar.pos)

        yield told
