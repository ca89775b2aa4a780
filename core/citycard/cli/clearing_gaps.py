"""``citycard clearing gaps``: numbers of cards and terminals that nobody handed in, and giving them up."""

from __future__ import annotations

from pathlib import Path

import click

from citycard.cli.cardnumber import CardNumber
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.money import yuan

__all__ = ["gaps"]


@click.group("gaps", cls=ListedGroup)
def gaps() -> None:
    """List what cards and terminals counted and nobody handed in, and give it up."""


@gaps.command("list")
@click.argument("owner", required=False)
@click.option("--limit", type=click.IntRange(min=1), default=200, show_default=True, help="How many at most.")
@city_option
@json_option
def list_command(owner: str | None, limit: int, folder: Path, as_json: bool) -> None:
    """List open gaps, those of one card or terminal (OWNER: its number) or all.

    ``yuan`` is what the balances of the card say that the missing debits cost.
    With --json: an array of objects with kind (card or terminal), owner, first, last, estimate_fen (or null)
    and opened_run.
    """
    from citycard.clearing.status import open_gaps

    found = open_gaps(opened(folder), owner=owner, limit=limit)
    if as_json:
        emit(found)
        return
    rows = [
        (one.kind, one.owner, one.first, one.last, _yuan(one.estimate_fen), one.opened_run) for one in found
    ]
    table(("of", "number", "first", "last", "yuan", "since run"), rows)


@gaps.command("write-off")
@click.argument("card", type=CardNumber())
@click.option("--reason", required=True, help="Why nothing will come any more.")
@actor_option
@city_option
@json_option
def write_off_command(card: str, reason: str, actor: str, folder: Path, as_json: bool) -> None:
    """Give up the open gaps of CARD: what still comes of them is suspended (C02), for people to decide.

    No money moves: what was never handed in was never paid. Who did it and why is kept.
    With --json: an object with card and gaps (how many were given up).
    """
    from citycard.clearing.gaps import write_off_card_gaps
    from citycard.errors import GapUnknown
    from citycard.store import writing

    city = opened(folder)
    with writing(city.engine) as conn:
        closed = write_off_card_gaps(conn, [card], actor=actor, reason=reason, at=city.clock.now())
    if not closed:
        raise GapUnknown(card=card)
    if as_json:
        emit({"card": card, "gaps": closed})
    else:
        say(f"{closed} gaps of card {card} are given up: {reason}")


def _yuan(amount_fen: int | None) -> str:
    return "" if amount_fen is None else yuan(amount_fen)
