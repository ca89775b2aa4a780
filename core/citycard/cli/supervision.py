"""``citycard supervision``: how far the card got, by domain, district and partner, against targets."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, csv_options, json_option, opened
from citycard.cli.output import emit, emit_csv, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from collections.abc import Iterable

    from citycard.city.supervision import SupervisionLine, SupervisionReport

__all__ = ["group"]

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(cls=ListedGroup)
def group() -> None:
    """Report adoption and progress for those who supervise the city's card."""


@group.command()
@click.option("--from", "since", type=_DAY, help="The first day [default: the first of that month].")
@click.option("--to", "until", type=_DAY, help="The last day [default: today].")
@click.option("--district", default="", metavar="ID", help="One district; - for partners without one.")
@click.option("--domain", default="", metavar="NAME", help="One plugin; - for what belongs to none.")
@click.option(
    "--partners", type=click.IntRange(1, 1_000_000), default=100, show_default=True, help="So many at most."
)
@city_option
@csv_options
@json_option
def report(
    since: datetime | None,
    until: datetime | None,
    district: str,
    domain: str,
    partners: int,
    folder: Path,
    as_csv: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Report active cards, uses, turnover, partners and terminals of a period, against the one before.

    With --json: an object with city, city_zh, since, until, before_since, before_until, district, domain,
    made_at, run, total, domains, districts, partners, partners_found and targets. A line has id, title,
    title_zh, now, before, partners_registered and terminals_registered; now and before have cards (null
    where 1 to 4 of a part are not told), uses, turnover_fen, partners and terminals.
    """
    from citycard.city.supervision import scope_of, supervise

    city = opened(folder)
    try:
        scope = scope_of(
            city,
            since=since.date() if since else None,
            until=until.date() if until else None,
            district=district,
            domain=domain,
        )
        found = supervise(city, scope, partners=partners)
    finally:
        city.close()
    if as_json:
        emit(found)
    elif as_csv:
        from citycard.city.supervisionfile import supervision_csv

        emit_csv(supervision_csv(found), out)
    else:
        _print(found)


def _print(found: SupervisionReport) -> None:
    for title, lines in (
        ("all", (found.total,)),
        ("domain", found.domains),
        ("district", found.districts),
        ("partner", found.partners),
    ):
        _lines(title, lines)
    if found.targets:
        _targets(found)
    left = found.partners_found - len(found.partners)
    say(
        f"{found.since} to {found.until}, beside {found.before_since} to {found.before_until}"
        + (f"; {left} more partners: --partners {found.partners_found}" if left else "")
    )


def _lines(title: str, lines: Iterable[SupervisionLine]) -> None:
    from citycard.city.targets import FEW

    def cards(number: int | None) -> str:
        return f"<{FEW}" if number is None else str(number)

    table(
        (title, "cards", "before", "uses", "before", "yuan", "before", "partners", "terminals"),
        [
            (
                line.title,
                cards(line.now.cards),
                cards(line.before.cards),
                line.now.uses,
                line.before.uses,
                yuan(line.now.turnover_fen),
                yuan(line.before.turnover_fen),
                _of(line.now.partners, line.partners_registered),
                _of(line.now.terminals, line.terminals_registered),
            )
            for line in lines
        ],
    )


def _of(used: int, registered: int | None) -> str:
    return str(used) if registered is None else f"{used} of {registered}"


def _targets(found: SupervisionReport) -> None:
    rows = []
    for one in found.targets:
        target, progress = one.target, one.progress
        write = yuan if target.measure.value.endswith("_fen") else str
        rows.append(
            (
                f"{one.domain.title}, {one.district.title}",
                target.measure.value.removesuffix("_fen"),
                f"{target.since} to {target.until}",
                "few" if progress.reached is None else write(progress.reached),
                write(progress.due),
                write(target.value),
                "" if progress.percent is None else f"{progress.percent}%",
                progress.standing.value,
            )
        )
    table(("target", "measure", "days", "reached", "due", "target", "", "standing"), rows)
