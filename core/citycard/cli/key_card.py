"""``citycard key update-card``: a live card gets the current purse keys at a reader."""

from __future__ import annotations

from pathlib import Path

import click

from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit
from citycard.cli.reader_options import CardAt, card_option

__all__ = ["update_card"]


@click.command("update-card")
@actor_option
@city_option
@card_option
@json_option
def update_card(actor: str, folder: Path, at: CardAt, as_json: bool) -> None:
    """Write the current purchase, load and TAC keys onto the card; again when it was taken away.

    With --json: an object with asn, and the versions before and after.
    """
    from citycard.city.keyuse import note_rekeyed
    from citycard.city.rekey import rekey

    city = opened(folder)
    try:
        with at.opened() as reader:
            done = rekey(reader, city.vault, profile=city.issuing.profile)
        note_rekeyed(city, done, actor=actor)
    finally:
        city.close()
    if as_json:
        emit(done)
    elif done.before == done.after:
        click.echo(f"card {done.asn} has version {done.after} already")
    else:
        click.echo(f"card {done.asn}: version {done.before} became {done.after}")
