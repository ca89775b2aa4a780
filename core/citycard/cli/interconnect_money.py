"""``citycard interconnect positions``, ``statement`` and ``settle``: who owes whom, and its payment."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime
from pathlib import Path

import click

from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.money import yuan

__all__ = ["positions_command", "settle_command", "statement_command"]

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command("positions")
@click.option("--window", type=_DAY, metavar="DAY", help="One window (default: all).")
@city_option
@json_option
def positions_command(window: datetime | None, folder: Path, as_json: bool) -> None:
    """Print the position of every city and of this one, by window; each window sums to zero.

    With --json: an array of objects with window, city and net_fen (above zero: is owed).
    """
    from citycard.exchange.positions import positions

    with closing(opened(folder)) as city:
        found = positions(city, None if window is None else window.date())
    if as_json:
        emit(found)
        return
    table(("window", "city", "net"), [(one.window, one.city, yuan(one.net_fen)) for one in found])


@click.command("statement")
@click.argument("code")
@city_option
@json_option
def statement_command(code: str, folder: Path, as_json: bool) -> None:
    """Print what is between this city and the city CODE, window by window.

    With --json: an object with city, windows (window, here_gross_fen, here_fee_fen, there_gross_fen,
    there_fee_fen, net_fen and settled), net_fen and open_fen (above zero: they owe us).
    """
    from citycard.exchange.positions import city_statement

    with closing(opened(folder)) as city:
        found = city_statement(city, code)
    if as_json:
        emit(found)
        return
    table(
        ("window", "theirs here", "fee", "ours there", "fee", "net", "settled"),
        [
            (
                one.window,
                *map(yuan, (one.here_gross_fen, one.here_fee_fen, one.there_gross_fen, one.there_fee_fen)),
                yuan(one.net_fen),
                "yes" if one.settled else "no",
            )
            for one in found.windows
        ],
    )
    say(f"net {yuan(found.net_fen)}, of which {yuan(found.open_fen)} are not settled")


@click.command("settle")
@click.option("--through", type=_DAY, metavar="DAY", required=True, help="The last window; it must be over.")
@click.option("--with", "code", default="", metavar="CODE", help="With one city (default: with all).")
@actor_option
@city_option
@json_option
def settle_command(through: datetime, code: str, actor: str, folder: Path, as_json: bool) -> None:
    """Net what cities owe one another up to a window, and order payments of what this one owes.

    ``citycard bank instruct`` tells the bank. What another city owes stays on its receivable until its
    payment is on the bank's statement. Again without harm. With --json: an array of objects with id, city,
    through, owed_fen, due_fen and payment.
    """
    from citycard.exchange.settling import settle

    with closing(opened(folder)) as city:
        found = settle(city, through.date(), city=code, actor=actor)
    if as_json:
        emit(found)
        return
    table(
        ("city", "we owed", "they owed", "net", "payment"),
        [
            (one.city, yuan(one.owed_fen), yuan(one.due_fen), yuan(one.net_fen), one.payment or "-")
            for one in found
        ],
    )
    if not found:
        say("nothing is open until then")
