"""The commands of communities: take over a file of units, and write what is owed and who opened doors."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import city_option, json_option, opened

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_community.settings import CommunitySettings

__all__ = ["fees", "openings", "units"]

_DAY = click.DateTime(formats=["%Y-%m-%d"])


@click.command("units")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@city_option
@json_option
def units(file: Path, folder: Path, as_json: bool) -> None:
    """Take over a CSV FILE of units: community, building, room, area_m2, owner's card; all or none.

    With --json: an object with how many lines were read and how many units are new or changed.
    """
    from citycard.cli.output import emit
    from citycard_community.units import keep_units, read_units, text_of

    with _city(folder) as (city, settings):
        given = read_units(text_of(file), file=file.name)
        changed = keep_units(city, settings, given)
    if as_json:
        emit({"lines": len(given), "changed": changed})
    else:
        click.echo(f"{len(given)} units read, {changed} new or changed")


@click.command("fees")
@click.argument("community")
@city_option
@json_option
def fees(community: str, folder: Path, as_json: bool) -> None:
    """Print the property fees that a COMMUNITY is owed today, the oldest first.

    With --json: an object with the bills and their sum in fen (docs/community.md).
    """
    from citycard.cli.output import emit, table
    from citycard.money import yuan
    from citycard.store import reading
    from citycard_community.billing import open_bills
    from citycard_community.home import bill_shown

    with _city(folder) as (city, settings):
        settings.community(community)
        with reading(city.engine) as conn:
            found = open_bills(conn, settings, city.now_local().date(), community)
    bills = [bill_shown(one) for one in found]
    if as_json:
        emit({"community": community, "owed_fen": sum(one.owed_fen for one in bills), "bills": bills})
        return
    table(
        ("BILL", "MONTH", "UNIT", "DUE", "LATE", "OWED"),
        [
            (one.bill, f"{one.month:%Y-%m}", one.place, one.due_on, yuan(one.late_fen), yuan(one.owed_fen))
            for one in bills
        ],
    )


@click.command("openings")
@click.argument("community")
@click.option("--door", default="", help="The id of a door (default: all of them).")
@click.option("--since", type=_DAY, default=None, help="The first day (default: a week before the last).")
@click.option("--until", type=_DAY, default=None, help="The last day (default: today).")
@city_option
@json_option
def openings(
    community: str,
    door: str,
    since: dt.datetime | None,
    until: dt.datetime | None,
    folder: Path,
    as_json: bool,
) -> None:
    """Print who opened the doors of a COMMUNITY, the newest first, as far as records were cleared.

    With --json: a list of openings: record, moment, door, card and kind of right.
    """
    from citycard.cli.output import emit, table
    from citycard.clock import first_and_last
    from citycard_community.openings import read_openings

    with _city(folder) as (city, settings):
        place = settings.community(community)
        doors = [one for one in place.doors if door in {"", one.id}]
        if not doors:
            raise click.BadParameter(f"{community} has no door {door!r}", param_hint="--door")
        days = (each and each.date() for each in (since, until))
        first, last = first_and_last(*days, today=city.now_local().date(), back=dt.timedelta(days=7))
        found = read_openings(city, place, doors, first, last)
    if as_json:
        emit(list(found))
        return
    table(("AT", "DOOR", "CARD", "RIGHT"), [(one.at, one.door, one.card, one.kind) for one in found])


@contextmanager
def _city(folder: Path) -> Iterator[tuple[City, CommunitySettings]]:
    from citycard_community.running import settings_of

    city = opened(folder)
    try:
        yield city, settings_of(city)
    finally:
        city.close()
