"""``citycard statement``: all money of a card or a partner in a period."""

from __future__ import annotations

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import NewFile, city_option, json_option, opened
from citycard.cli.output import as_document, say

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.statements import Statement

__all__ = ["group"]

_FORMATS = ("text", "csv", "pdf", "json")


@click.group(cls=ListedGroup)
def group() -> None:
    """Write statements of cards and partners."""


def _options(function: Callable[..., Any]) -> Callable[..., Any]:
    day = click.DateTime(["%Y-%m-%d"])
    decorators: tuple[Callable[..., Any], ...] = (
        json_option,
        city_option,
        click.option("--csv", "as_csv", is_flag=True, help="As --format csv."),
        click.option("--bom", is_flag=True, help="With csv: a byte order mark first, for spreadsheets."),
        click.option("--out", type=NewFile(), help="Write into this new file [default: stdout]."),
        click.option("--format", "kind", type=click.Choice(_FORMATS), default="text", show_default=True),
        click.option("--to", "until", type=day, help="The last day [default: today]."),
        click.option("--from", "since", type=day, help="The first day [default: the first of that month]."),
    )
    for decorate in decorators:
        function = decorate(function)
    return function


@group.command()
@click.argument("asn", type=CardNumber())
@_options
def card(asn: str, folder: Path, **choices: Any) -> None:
    """Write the statement of card ASN: its purse, its deposit, and what is owed for it.

    With --json, as with --format json: an object with kind, subject, name, name_zh, city, since, until,
    made_at and sections, each with account, title, opening_fen, closing_fen and lines.
    """
    from citycard.city.statements import card_statement

    _write(folder, lambda city, period: card_statement(city, asn, period), **choices)


@group.command()
@click.argument("partner", metavar="ID")
@_options
def partner(partner: str, folder: Path, **choices: Any) -> None:
    """Write the statement of partner ID: everything in what it is owed.

    With --json, as with --format json: the object of ``statement card``.
    """
    from citycard.city.statements import partner_statement

    _write(folder, lambda city, period: partner_statement(city, partner, period), **choices)


def _write(
    folder: Path,
    make: Callable[[City, Any], Statement],
    *,
    since: datetime | None,
    until: datetime | None,
    kind: str,
    out: Path | None,
    bom: bool,
    as_csv: bool,
    as_json: bool,
) -> None:
    from citycard.city.statements import Period
    from citycard.clock import first_and_last

    if as_csv and as_json:
        raise click.UsageError("--csv or --json: one answer at a time")
    kind = "json" if as_json else "csv" if as_csv else kind
    if kind == "pdf" and out is None and sys.stdout.isatty():
        raise click.UsageError("a PDF is not for the screen: say where to with --out")
    city = opened(folder)
    try:
        days = (each and each.date() for each in (since, until))
        first, last = first_and_last(*days, today=city.now_local().date())
        _emit(make(city, Period(since=first, until=last)), kind, out, bom=bom)
    finally:
        city.close()


def _emit(statement: Statement, kind: str, out: Path | None, *, bom: bool) -> None:
    if out is None:
        _into(sys.stdout.buffer, statement, kind, bom=bom)
        return
    with out.open("wb") as file:
        _into(file, statement, kind, bom=bom)
    say(f"{out} is written")


def _into(file: IO[bytes], statement: Statement, kind: str, *, bom: bool) -> None:
    from citycard.city.statements import csv_lines, plain_statement, text_lines, write_pdf

    if kind == "pdf":
        write_pdf(statement, file)
    elif kind == "csv":
        file.writelines(line.encode() for line in csv_lines(statement, bom=bom))
    elif kind == "json":
        file.write(f"{as_document(plain_statement(statement))}\n".encode())
    else:
        file.writelines(f"{line}\n".encode() for line in text_lines(statement))
