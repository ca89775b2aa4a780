"""``citycard subsidy``: programmes with a purpose, a budget and an end, and what was granted of them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
import click

from citycard.cli.amount import amount_of
from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, id_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.wallet import ProgrammeReport

__all__ = ["group"]

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group(cls=ListedGroup)
def group() -> None:
    """Subsidy programmes: fund, grant, report."""


@group.command()
@click.argument("programme", metavar="ID")
@click.option("--title", required=True, help="Its name.")
@click.option("--title-zh", default="", help="Its Chinese name.")
@click.option("--funder", required=True, help="Who pays for it.")
@click.option(
    "--partner", "partners", multiple=True, metavar="ID", help="A partner at which it can be spent."
)
@click.option("--kind", "kinds", multiple=True, help="A kind of partner at which it can be spent.")
@click.option("--from", "starts_on", type=_DAY, required=True, help="Its first day.")
@click.option("--until", "ends_on", type=_DAY, required=True, help="Its last day.")
@city_option
@json_option
def add(
    programme: str,
    title: str,
    title_zh: str,
    funder: str,
    partners: tuple[str, ...],
    kinds: tuple[str, ...],
    starts_on: datetime,
    ends_on: datetime,
    folder: Path,
    as_json: bool,
) -> None:
    """Make programme ID; again without harm, and refused when it is there otherwise.

    With --json: an object with added, and the fields of the programme: id, title, title_zh, funder, partners,
    partner_kinds, starts_on and ends_on.
    """
    from citycard.city.accounts import make_programme
    from citycard.wallet import Programme

    wanted = Programme(
        id=programme,
        title=title,
        title_zh=title_zh,
        funder=funder,
        partners=partners,
        partner_kinds=kinds,
        starts_on=starts_on.date(),
        ends_on=ends_on.date(),
    )
    added = make_programme(opened(folder), wanted)
    if as_json:
        emit({"added": added} | attrs.asdict(wanted))
        return
    click.echo(f"programme {programme} is {'there now' if added else 'there already'}: {title}")


@group.command()
@click.argument("programme", metavar="ID")
@click.argument("amount", metavar="YUAN")
@id_option
@actor_option
@city_option
@json_option
def fund(programme: str, amount: str, identity: UUID, actor: str, folder: Path, as_json: bool) -> None:
    """Put so many YUAN of the funder, paid in at the desk, into the budget of programme ID.

    What comes by bank is expected: ``bank expect REFERENCE --kind subsidy --for ID``.

    With --json: the report, as in ``report``.
    """
    from citycard.wallet import fund_programme

    city = opened(folder)
    _tell(fund_programme(city.wallet, identity, programme, amount_of(amount), actor=actor), as_json)


@group.command()
@click.argument("programme", metavar="ID")
@click.argument("number", type=CardNumber())
@click.argument("amount", metavar="YUAN")
@id_option
@actor_option
@city_option
@json_option
def grant(
    programme: str, number: str, amount: str, identity: UUID, actor: str, folder: Path, as_json: bool
) -> None:
    """Grant so many YUAN of programme ID to the account with this NUMBER, or of the card with it.

    With --json: the report, as in ``report``.
    """
    from citycard.store import reading
    from citycard.wallet import Accounts, grant, report_programme

    city = opened(folder)
    account = Accounts(city.wallet).find(number)
    grant(city.wallet, identity, programme, account.number, amount_of(amount), actor=actor)
    with reading(city.engine) as conn:
        report = report_programme(conn, city.ledger, programme)
    _tell(report, as_json)


@group.command("grant-file")
@click.argument("programme", metavar="ID")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--batch", required=True, help="The occasion, such as 2026-11: one grant for each account.")
@click.option("--open", "open_missing", is_flag=True, help="Open accounts for cards that have none.")
@actor_option
@city_option
@json_option
def grant_file(
    programme: str, file: Path, batch: str, open_missing: bool, actor: str, folder: Path, as_json: bool
) -> int:
    """Grant what a CSV FILE says, with the columns card and amount (yuan); again without harm.

    Leaves with 1 when a line is bad; the others are granted all the same.

    With --json: an object with programme, batch, granted, granted_fen, repeated (granted before) and bad
    (line, reason).
    """
    from citycard.city.accounts import grant_file as grant_all

    text = file.read_text(encoding="utf-8-sig")
    city = opened(folder)
    done = grant_all(city, programme, batch, text, file=file.name, open_missing=open_missing, actor=actor)
    if as_json:
        emit(done)
    else:
        if done.bad:
            table(("line", "not granted because"), [(one.line, one.reason) for one in done.bad])
        say(f"{done.granted} granted, {yuan(done.granted_fen)} yuan, {done.repeated} were granted before")
    return 1 if done.bad else 0


@group.command("list")
@city_option
@json_option
def list_(folder: Path, as_json: bool) -> None:
    """List the programmes with where their money is.

    With --json: an array of the objects of ``report``.
    """
    from citycard.store import reading
    from citycard.wallet import programmes_by_id, report_programme

    city = opened(folder)
    with reading(city.engine) as conn:
        found = [report_programme(conn, city.ledger, name) for name in programmes_by_id(conn)]
    if as_json:
        emit([_plain(one) for one in found])
        return
    table(
        ("programme", "until", "budget", "left", "spent", "lapsed", "held"),
        [
            (
                one.programme.id,
                one.programme.ends_on,
                *map(yuan, (one.budget_fen, one.left_fen, one.spent_fen, one.lapsed_fen, one.held_fen)),
            )
            for one in found
        ],
    )


@group.command()
@click.argument("programme", metavar="ID")
@city_option
@json_option
def report(programme: str, folder: Path, as_json: bool) -> int:
    """Say where the money of programme ID is; leaves with 1 when book and ledger differ.

    With --json: an object with programme, budget_fen, granted_fen, left_fen, spent_fen, lapsed_fen, held_fen,
    fund_fen, accounts and difference_fen (0).
    """
    from citycard.store import reading
    from citycard.wallet import report_programme

    city = opened(folder)
    with reading(city.engine) as conn:
        found = report_programme(conn, city.ledger, programme)
    _tell(found, as_json)
    return 1 if found.difference_fen else 0


@group.command()
@city_option
@json_option
def lapse(folder: Path, as_json: bool) -> None:
    """Take back the subsidies and points whose time is over, as the server does every hour.

    With --json: an object with subsidies_fen and points.
    """
    from citycard.city.accounts import lapse

    done = lapse(opened(folder))
    if as_json:
        emit(done)
    else:
        click.echo(f"{yuan(done.subsidies_fen)} yuan of subsidies and {done.points} points lapsed")


def _plain(report: ProgrammeReport) -> dict[str, object]:
    sums = ("left_fen", "difference_fen")
    return attrs.asdict(report) | {name: getattr(report, name) for name in sums}


def _tell(report: ProgrammeReport, as_json: bool) -> None:
    if as_json:
        emit(_plain(report))
        return
    names = ("budget", "granted", "left", "spent", "lapsed", "held")
    made = report.programme
    pairs(
        [
            ("programme", f"{made.id}: {made.title}"),
            ("from", made.starts_on),
            ("until", made.ends_on),
            ("accounts", report.accounts),
            *((name, f"{yuan(getattr(report, f'{name}_fen'))} yuan") for name in names),
        ]
    )
