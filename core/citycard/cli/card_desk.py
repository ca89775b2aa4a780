"""``citycard card activate``, ``renew``, ``update`` and what else the card office does at a reader."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit
from citycard.cli.reader_options import CardAt, card_option

__all__ = ["activate", "collect", "renew", "stop", "transfer", "update"]


@click.command()
@actor_option
@city_option
@card_option
@json_option
def activate(actor: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Enable an issued card, so that terminals serve it.

    With --json: an object with asn and done.
    """
    from citycard.city.atcard import CardDesk

    city = opened(folder)
    with at.opened() as reader:
        asn = CardDesk(city, reader, actor).activate()
    city.close()
    _say(asn, "activated", as_json=as_json)


@click.command()
@actor_option
@city_option
@card_option
@json_option
def stop(actor: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Stop the purse of a card that was returned, replaced, blocked or lost.

    With --json: an object with asn and done.
    """
    from citycard.city.atcard import CardDesk

    city = opened(folder)
    with at.opened() as reader:
        asn = CardDesk(city, reader, actor).stop()
    city.close()
    _say(asn, "stopped", as_json=as_json)


@click.command()
@click.option("--until", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The card's new last day.")
@click.option("--force", is_flag=True, help="Also a day before the last one that it has, from today on.")
@actor_option
@city_option
@card_option
@json_option
def renew(until: Any, force: bool, actor: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Give a card another last day, never one that is over.

    With --json: an object with asn, done and expires_on.
    """
    from citycard.city.atcard import CardDesk

    city = opened(folder)
    with at.opened() as reader:
        asn = CardDesk(city, reader, actor).renew(until.date(), earlier=force)
    city.close()
    _say(asn, "renewed", as_json=as_json, expires_on=until.date())


@click.command()
@click.option("--terminal", metavar="NUMBER", help="The terminal that this is (default: the office's own).")
@actor_option
@city_option
@card_option
@json_option
def transfer(terminal: str | None, actor: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Load what is owed for the card that this one replaces; again when it was torn, never twice.

    With --json: an object with asn, done, loaded_fen, and already_at (when it was loaded before, if nothing
    was left to load).
    """
    from citycard.city.atcard import CardDesk

    city = opened(folder)
    with at.opened() as reader:
        desk = CardDesk(city, reader, actor)
        loaded_fen = desk.transfer(terminal)
        already_at = None if loaded_fen else desk.transferred_at()
        asn = desk.number()
    city.close()
    if as_json:
        emit({"asn": asn, "done": "transferred", "loaded_fen": loaded_fen, "already_at": already_at})
    elif already_at is not None:
        click.echo(f"card {asn}: already transferred on {already_at:%Y-%m-%d %H:%M:%S}, nothing is owed")
    else:
        _say(asn, "transferred", as_json=False, loaded_fen=loaded_fen)


@click.command()
@click.option("--terminal", metavar="NUMBER", help="The terminal that this is (default: the office's own).")
@actor_option
@city_option
@card_option
@json_option
def collect(terminal: str | None, actor: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Load the refunds that are owed for a card onto it; again when it was torn, never twice.

    With --json: an object with asn, done and loaded_fen.
    """
    from citycard.city.atcard import CardDesk

    city = opened(folder)
    with at.opened() as reader:
        desk = CardDesk(city, reader, actor)
        loaded_fen = desk.collect(terminal)
        asn = desk.number()
    city.close()
    _say(asn, "collected", as_json=as_json, loaded_fen=loaded_fen)


@click.command()
@actor_option
@city_option
@card_option
@json_option
def update(actor: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Load newly enabled domains onto a card in use; again when it was torn.

    With --json: an object with asn, done, added (names of sectors) and version.
    """
    from citycard.city.loading import DomainLoading
    from citycard.terminal.updating import update_card

    city = opened(folder)
    host = DomainLoading(city, actor=actor)
    with at.opened() as reader:
        done = update_card(reader, host, profile=city.issuing.profile)
    city.close()
    _say(done.asn, "updated", as_json=as_json, added=done.added, version=done.version)


def _say(asn: str, done: str, *, as_json: bool, **more: Any) -> None:
    if as_json:
        emit({"asn": asn, "done": done, **more})
        return
    words = ", ".join(
        f"{name.replace('_', ' ')} {', '.join(value) or 'none' if isinstance(value, tuple) else value}"
        for name, value in more.items()
    )
    click.echo(f"card {asn}: {done}" + (f" ({words})" if words else ""))
