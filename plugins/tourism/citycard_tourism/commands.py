"""What an operator does with files and reports: ``citycard tourism``."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import city_option, csv_options, json_option, opened
from citycard.cli.output import emit, emit_csv, say, table

if TYPE_CHECKING:
    from citycard_tourism.office import Office

__all__ = ["returns", "setup", "slots", "visits"]

_DAY = click.DateTime(["%Y-%m-%d"])
_MOMENT = click.DateTime(["%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"])
_FOUND_SOMETHING = 1


@click.command("setup")
@city_option
@json_option
def setup(folder: Path, as_json: bool) -> None:
    """Make the points schemes that city.toml declares; again without harm.

    With --json: an object with added, how many schemes are new.
    """
    from citycard_tourism.loyalty import open_schemes

    with _office(folder) as office:
        added = open_schemes(office)
    if as_json:
        emit({"added": added})
    else:
        click.echo(f"{added} points schemes are new")


@click.command("slots")
@click.argument("show")
@click.option("--day", type=_DAY, default=None, help="The day (default: today).")
@click.option("--starts", type=_MOMENT, default=None, help="Set the places of the slot that begins then …")
@click.option("--capacity", type=click.IntRange(0, 1_000_000), default=None, help="… to so many.")
@city_option
@json_option
def slots(
    show: str,
    day: dt.datetime | None,
    starts: dt.datetime | None,
    capacity: int | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Show the slots of SHOW on a day, or set how many places one has.

    With --json: an array of objects with show, starts, ends, capacity and taken.
    """
    from citycard.store import reading, writing
    from citycard_tourism.slots import check_slot, set_capacity, slots_of

    if (starts is None) != (capacity is None):
        raise click.UsageError("--starts and --capacity belong together")
    with _office(folder) as office:
        wanted = office.settings.show(show)
        if starts is not None and capacity is not None:
            check_slot(wanted, starts, office.now)
            with writing(office.engine) as conn:
                found = [set_capacity(conn, wanted, starts, capacity)]
        else:
            with reading(office.engine) as conn:
                found = slots_of(conn, wanted, day.date() if day else office.now.date())
    if as_json:
        emit(found)
    else:
        rows = [(f"{one.starts:%Y-%m-%d %H:%M}", one.taken, one.capacity, one.left) for one in found]
        table(("STARTS", "SOLD", "PLACES", "LEFT"), rows)


@click.command("visits")
@click.option("--since", type=_DAY, default=None, help="First day (default: thirty days ago).")
@click.option("--until", type=_DAY, default=None, help="Last day (default: today).")
@click.option("--venue", default=None, help="Only this venue.")
@city_option
@csv_options
@json_option
def visits(
    since: dt.datetime | None,
    until: dt.datetime | None,
    venue: str | None,
    folder: Path,
    as_csv: bool,
    out: Path | None,
    as_json: bool,
) -> None:
    """Count visits by venue and by what let people in.

    With --json: an array of objects with venue, right, name, visits and people.
    """
    from citycard.city.statements.csvfile import csv_row
    from citycard.clock import first_and_last
    from citycard.store import reading
    from citycard_tourism.visits import visits_between

    with _office(folder) as office:
        days = (each and each.date() for each in (since, until))
        first, last = first_and_last(*days, today=office.now.date(), back=dt.timedelta(days=29))
        with reading(office.engine) as conn:
            found = visits_between(conn, office.settings, first, last, venue)
    rows = [(one.venue, one.right, one.name, one.visits, one.people) for one in found]
    if as_json:
        emit(found)
    elif as_csv:
        emit_csv(map(csv_row, [("venue", "right", "name", "visits", "people"), *rows]), out)
    else:
        table(("VENUE", "RIGHT", "NAME", "VISITS", "PEOPLE"), rows)


@click.command("returns")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--library", required=True, help="The venue at which the machine stands.")
@city_option
@json_option
def returns(file: Path, library: str, folder: Path, as_json: bool) -> None:
    """Take in a FILE of books that a machine took back: CSV with the columns item and day.

    Bad lines are told and the others are taken; exit code 1 when there was one. With --json: an object with
    taken, and bad: an array of objects with line and reason.
    """
    from citycard_tourism.bookfile import take_file

    with _office(folder) as office:
        office.settings.library(library)
        done = take_file(office, library, file)
    if as_json:
        emit(done)
    else:
        click.echo(f"{done.taken} books are back")
        for one in done.bad:
            say(f"{file}, line {one.line}: {one.reason}")
    if done.bad:
        raise SystemExit(_FOUND_SOMETHING)


@contextmanager
def _office(folder: Path) -> Iterator[Office]:
    from citycard.kernel.settings import structure
    from citycard_tourism.errors import TourismOff
    from citycard_tourism.office import Office
    from citycard_tourism.settings import TourismSettings

    city = opened(folder)
    try:
        if not city.plugins.enabled("tourism"):
            reason = " ".join(city.plugins.report("tourism").reason.split())
            raise TourismOff(folder=city.folder, reason=reason or "it is switched off")
        section = city.config.plugins.get("tourism", {})
        yield Office(city, structure(TourismSettings, section, where="city.toml: plugins.tourism"))
    finally:
        city.close()
