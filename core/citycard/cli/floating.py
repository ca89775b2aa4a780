"""``citycard float``: what the city owes and what it holds against it, at any moment."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.floatview import FloatStatement

__all__ = ["command"]

_FORMS = ["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]


@click.command("float")
@click.option("--at", type=click.DateTime(_FORMS), help="A moment of the city's local time [default: now].")
@click.option("--days", type=click.IntRange(1, 3660), help="A line for each of so many days until then.")
@click.option("--code", type=click.IntRange(1, 0xFFFF), help="The accounts with this code of the chart.")
@click.option("--after", default="", metavar="ADDRESS", help="With --code: begin after this account.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="With --code.")
@click.option("--keep", is_flag=True, help="First keep the sums of the days that ended, for later reports.")
@city_option
@json_option
def command(
    at: datetime | None,
    days: int | None,
    code: int | None,
    after: str,
    limit: int,
    keep: bool,
    folder: Path,
    as_json: bool,
) -> None:
    """Say what the city owes and what it holds against it; leave with 1 when the sides differ.

    With --json: an object with at, moment, number, assets_fen, liabilities_fen, income_fen, expenses_fen,
    control_fen, difference_fen, rows and cards. With --days an array of objects with day, number, trust_fen,
    cards_fen, accounts_fen, deposits_fen, payables_fen, other_fen, assets_fen and difference_fen; with --code
    one of objects with address, owner and balance_fen.
    """
    from citycard.city.floatview import float_statement, keep_days

    if days is not None and code is not None:
        raise click.UsageError("--days shows every code, --code only one: give one of them")
    city = opened(folder)
    try:
        if keep:
            say(f"{keep_days(city)} days kept")
        if days is not None:
            _days(city, at, days, as_json=as_json)
            return
        if code is not None:
            _accounts(city, at, code, after, limit, as_json=as_json)
            return
        found = float_statement(city, at)
    finally:
        city.close()
    if as_json:
        emit(found)
    else:
        _print(found)
    if found.difference_fen or found.cards.difference_fen:
        raise click.exceptions.Exit(1)


def _print(found: FloatStatement) -> None:
    table(
        ("code", "account", "side", "yuan"),
        [(row.code, row.title, row.side, yuan(row.balance_fen)) for row in found.rows],
    )
    cards = found.cards
    table(
        ("", "yuan"),
        [
            ("held", yuan(found.assets_fen)),
            ("owed", yuan(found.liabilities_fen)),
            ("earned less borne", yuan(found.income_fen - found.expenses_fen)),
            ("half-way", yuan(found.control_fen)),
            ("difference", yuan(found.difference_fen)),
            ("proven loads", yuan(cards.loads_fen)),
            ("accepted spends", yuan(cards.spends_fen)),
            ("moved by the card office", yuan(cards.other_fen)),
            ("difference on cards", yuan(cards.difference_fen)),
        ],
    )
    say(f"at {found.at:%Y-%m-%d %H:%M:%S}, after {found.number} transfers")


def _days(city: City, at: datetime | None, days: int, *, as_json: bool) -> None:
    from citycard.city.floatview import float_days

    until = (at or city.now_local()).date()
    found = float_days(city, until=until, days=days)
    if as_json:
        emit(found)
        return
    table(
        ("day", "trust", "cards", "accounts", "deposits", "payable", "other", "held", "difference"),
        [
            (
                one.day,
                *map(
                    yuan,
                    (
                        one.trust_fen,
                        one.cards_fen,
                        one.accounts_fen,
                        one.deposits_fen,
                        one.payables_fen,
                        one.other_fen,
                        one.assets_fen,
                        one.difference_fen,
                    ),
                ),
            )
            for one in found
        ],
    )


def _accounts(city: City, at: datetime | None, code: int, after: str, limit: int, *, as_json: bool) -> None:
    from citycard.city.floatview import moment_of
    from citycard.store import reading
    from citycard.wallet.floataccounts import accounts_at

    with reading(city.engine) as conn:
        found = accounts_at(conn, code, moment_of(city, at), after=after, limit=limit)
    if as_json:
        emit(found)
        return
    table(("account", "owner", "yuan"), [(one.address, one.owner, yuan(one.balance_fen)) for one in found])
    if len(found) == limit:
        say(f"more may follow: --after {found[-1].address}")
