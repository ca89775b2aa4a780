"""``citycard job``: personalisation jobs, which make many cards of one product."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city import City
    from citycard.city.personalising import JobWorker
    from citycard.registry import JobCount, PersonalisationJob

__all__ = ["group"]

_LOOK_S = 0.5


@click.group(cls=ListedGroup)
def group() -> None:
    """Make many cards of a product: open a job, run it, look at it."""


@group.command("open")
@click.argument("product")
@click.argument("cards", type=click.IntRange(min=1))
@click.option("--range", "numbers", required=True, help="The number range to take numbers from.")
@click.option("--lot", required=True, help="The lot of blank cards.")
@click.option("--at", "place", default="store", show_default=True, help="Where the blank cards lie.")
@click.option("--first-day", type=click.DateTime(["%Y-%m-%d"]), help="The cards' first day (default: today).")
@actor_option
@city_option
@json_option
def open_(
    product: str,
    cards: int,
    numbers: str,
    lot: str,
    place: str,
    first_day: Any,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Open a job of CARDS cards of PRODUCT; ``job run`` makes them.

    With --json: the job, as in ``show``.
    """
    from citycard.city.personalising import open_job

    city = opened(folder)
    on = None if first_day is None else first_day.date()
    job = open_job(city, product, cards, numbers=numbers, lot=lot, place=place, on=on, actor=actor)
    _show(city, job.number, as_json=as_json)


@group.command("run")
@click.argument("number", type=int)
@click.option("--out", type=click.Path(path_type=Path), help="Write card images into this folder.")
@click.option("--reader", metavar="NAME", help="Make the cards that are put into this reader.")
@city_option
@json_option
def run(number: int, out: Path | None, reader: str | None, folder: Path, as_json: bool) -> None:
    """Make the rest of job NUMBER; broken off at any point, the same call goes on.

    Any number of these may run at the same time. Exit 1 when cards were spoiled. With --json: the job, as in
    ``show``.
    """
    from citycard.city.personalising import JobWorker

    if (out is None) == (reader is None):
        raise click.UsageError("where do the cards go? name a folder with --out, or a reader with --reader")
    city = opened(folder)
    worker = JobWorker(city, number)
    if out is not None:
        _make_images(worker, out)
    else:
        _make_cards(worker, str(reader))
    if _show(city, number, as_json=as_json).spoiled:
        raise click.exceptions.Exit(1)


@group.command("show")
@click.argument("number", type=int)
@city_option
@json_option
def show(number: int, folder: Path, as_json: bool) -> None:
    """Report on job NUMBER: cards made, spoiled and why, missing.

    With --json: an object with number, product, version, range, lot, place, wanted, made, spoiled, in_hand,
    missing, opened_at, finished_at, by, and spoiled_numbers (asn, step, status_word, at).
    """
    _show(opened(folder), number, as_json=as_json)


@group.command("list")
@city_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List the jobs, oldest first.

    With --json: an array of objects as ``show`` prints them, without spoiled_numbers.
    """
    from citycard import registry
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        rows = [_row(conn, job) for job in registry.personalisation_jobs(conn)]
    city.close()
    if as_json:
        emit(rows)
        return
    head = ("number", "product", "range", "wanted", "made", "spoiled", "missing")
    table(head, [[row[name] for name in head] for row in rows])


def _make_images(worker: JobWorker, out: Path) -> None:
    import sys

    if not sys.stderr.isatty():
        worker.make_images(out)
        return
    with click.progressbar(
        length=worker.job.wanted, label=f"job {worker.job.number}", file=sys.stderr
    ) as bar:

        def shown(count: JobCount) -> None:
            bar.update(count.made - bar.pos)

        worker.make_images(out, shown)


def _make_cards(worker: JobWorker, name: str) -> None:
    from contextlib import suppress

    from citycard.errors import BlankUnfit, CardRemoved, NoCardInReader, PersonalisationFailed
    from citycard.pcsc import PcscReader

    with PcscReader(name) as reader:
        # A reader that is not there is said before anybody is asked for a card.
        with suppress(NoCardInReader):
            reader.wait_for_card(_LOOK_S)
        while click.confirm("Put in a blank card. Make it?", default=True, err=True):
            try:
                asn = worker.make_card(reader)
            except (BlankUnfit, CardRemoved, PersonalisationFailed) as error:
                say(f"citycard job run: {error}")
                continue
            if asn is None:
                return
            say(f"card {asn} is made")
            if not worker.count().missing:
                return


def _show(city: City, number: int, *, as_json: bool) -> JobCount:
    from citycard import registry
    from citycard.store import reading

    with reading(city.engine) as conn:
        job = registry.find_personalisation_job(conn, number)
        count, spoiled = registry.count_job(conn, job), registry.spoiled_numbers(conn, job)
        row = _row(conn, job)
    city.close()
    if as_json:
        emit(row | {"spoiled_numbers": spoiled})
    else:
        table(("", "job"), [(name, "" if value is None else value) for name, value in row.items()])
        if spoiled:
            table(
                ("spoiled number", "step", "status"),
                [(one.asn, one.step, one.status_word) for one in spoiled],
            )
    return count


def _row(conn: Connection, job: PersonalisationJob) -> dict[str, Any]:
    from citycard import registry

    count = registry.count_job(conn, job)
    return {
        "number": job.number,
        "product": job.product,
        "version": job.product_version,
        "range": job.range,
        "lot": job.lot,
        "place": job.place,
        "wanted": job.wanted,
        "made": count.made,
        "spoiled": count.spoiled,
        "in_hand": count.in_hand,
        "missing": count.missing,
        "opened_at": job.opened_at,
        "finished_at": job.finished_at,
        "by": job.actor,
    }
