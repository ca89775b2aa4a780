"""``citycard points``: the points of partners, who takes them, and what they are worth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
import click

from citycard.cli.amount import amount_of
from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, id_option, json_option, opened
from citycard.cli.output import emit, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.wallet import PointsDone

__all__ = ["group"]

_count = click.IntRange(min=1)


@click.group(cls=ListedGroup)
def group() -> None:
    """Points of partners: earn, use, exchange."""


@group.command()
@click.argument("partner")
@click.option("--title", required=True, help="What its points are called.")
@click.option("--title-zh", default="", help="Their Chinese name.")
@click.option("--per-yuan", type=_count, required=True, help="Points for each yuan that is paid.")
@click.option("--rate", "rate_fen", type=_count, required=True, help="Fen that PARTNER pays in for a point.")
@click.option("--days", type=_count, required=True, help="How long points last.")
@city_option
@json_option
def scheme(
    partner: str,
    title: str,
    title_zh: str,
    per_yuan: int,
    rate_fen: int,
    days: int,
    folder: Path,
    as_json: bool,
) -> None:
    """Make the points scheme of PARTNER; again without harm, and refused when it is there otherwise.

    With --json: an object with added, partner, title, title_zh, points_per_yuan, rate_fen and valid_days.
    """
    from citycard.city.accounts import make_scheme
    from citycard.wallet import Scheme

    wanted = Scheme(
        partner=partner,
        title=title,
        title_zh=title_zh,
        points_per_yuan=per_yuan,
        rate_fen=rate_fen,
        valid_days=days,
    )
    added = make_scheme(opened(folder), wanted)
    if as_json:
        emit({"added": added} | attrs.asdict(wanted))
        return
    click.echo(f"the scheme of {partner} is {'there now' if added else 'there already'}: {title}")


@group.command()
@click.argument("scheme")
@click.argument("partner")
@click.argument("fen_per_point", metavar="FEN", type=_count)
@city_option
@json_option
def accept(scheme: str, partner: str, fen_per_point: int, folder: Path, as_json: bool) -> None:
    """Let PARTNER take the points of SCHEME for so many FEN each.

    With --json: an object with scheme, partner and fen_per_point.
    """
    from citycard.city.accounts import add_acceptance

    add_acceptance(opened(folder), scheme, partner, fen_per_point)
    if as_json:
        emit({"scheme": scheme, "partner": partner, "fen_per_point": fen_per_point})
    else:
        click.echo(f"{partner} takes points of {scheme} for {fen_per_point} fen each")


@group.command()
@click.argument("source")
@click.argument("target")
@click.argument("give", type=_count)
@click.argument("get", type=_count)
@city_option
@json_option
def rate(source: str, target: str, give: int, get: int, folder: Path, as_json: bool) -> None:
    """Let GIVE points of scheme SOURCE become GET points of scheme TARGET.

    With --json: an object with source, target, give and get.
    """
    from citycard.city.accounts import add_rate
    from citycard.wallet import ExchangeRate

    wanted = ExchangeRate(source=source, target=target, give=give, get=get)
    add_rate(opened(folder), wanted)
    if as_json:
        emit(wanted)
    else:
        click.echo(f"{give} points of {source} become {get} of {target}")


@group.command()
@click.argument("number", type=CardNumber())
@click.argument("scheme")
@click.argument("amount", metavar="YUAN")
@id_option
@actor_option
@city_option
@json_option
def earn(
    number: str, scheme: str, amount: str, identity: UUID, actor: str, folder: Path, as_json: bool
) -> None:
    """Give the points for so many YUAN that were paid at the partner of SCHEME, who pays for them.

    With --json: an object with id, points and amount_fen (what the partner paid in).
    """
    from citycard.wallet import Points

    city = opened(folder)
    points = Points(city.wallet)
    _tell(points.earn(identity, _number(city, number), scheme, amount_of(amount), actor=actor), as_json)


@group.command()
@click.argument("number", type=CardNumber())
@click.argument("scheme")
@click.argument("partner")
@click.argument("points", type=_count)
@id_option
@actor_option
@city_option
@json_option
def use(
    number: str,
    scheme: str,
    partner: str,
    points: int,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Use POINTS of SCHEME at PARTNER.

    With --json: an object with id, points (below zero) and amount_fen (what they are worth there).
    """
    from citycard.city.accounts import payee
    from citycard.wallet import Points

    city = opened(folder)
    to = payee(city, partner)
    done = Points(city.wallet).use(identity, _number(city, number), scheme, to.partner, points, actor=actor)
    _tell(done, as_json)


@group.command()
@click.argument("number", type=CardNumber())
@click.argument("source")
@click.argument("target")
@click.argument("points", type=_count)
@id_option
@actor_option
@city_option
@json_option
def exchange(
    number: str,
    source: str,
    target: str,
    points: int,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Turn POINTS of scheme SOURCE into points of scheme TARGET.

    With --json: an object with id, points (those that were got) and amount_fen (what is paid in for them).
    """
    from citycard.wallet import Points

    city = opened(folder)
    points_desk = Points(city.wallet)
    done = points_desk.exchange(identity, _number(city, number), source, target, points, actor=actor)
    _tell(done, as_json)


@group.command("list")
@city_option
@json_option
def list_(folder: Path, as_json: bool) -> int:
    """List the schemes with their points and the money behind them; leaves with 1 when they differ.

    With --json: an array of objects with scheme, accepted (fen per point by partner), lots, points,
    worth_fen, issued, fund_fen and difference (0).
    """
    from citycard.store import reading
    from citycard.wallet import acceptances, report_scheme, schemes_by_partner

    city = opened(folder)
    with reading(city.engine) as conn:
        found = [
            (report_scheme(conn, city.ledger, name), acceptances(conn, name))
            for name in schemes_by_partner(conn)
        ]
    if as_json:
        emit(
            [
                attrs.asdict(one) | {"accepted": accepted, "difference": one.difference}
                for one, accepted in found
            ]
        )
    else:
        table(
            ("scheme", "points", "lots", "fund", "taken by"),
            [
                (
                    one.scheme.partner,
                    one.points,
                    one.lots,
                    yuan(one.fund_fen),
                    ", ".join(accepted) or "nobody",
                )
                for one, accepted in found
            ],
        )
    return 1 if any(one.difference for one, _ in found) else 0


def _number(city: City, number: str) -> str:
    from citycard.wallet import Accounts

    return Accounts(city.wallet).find(number).number


def _tell(done: PointsDone, as_json: bool) -> None:
    if as_json:
        emit(done)
    else:
        click.echo(f"{done.points:+} points, {yuan(done.amount_fen)} yuan ({done.id})")
