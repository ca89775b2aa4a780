"""``citycard egov card``: what a service window does with a card in a reader, or one in its file."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from citycard.cli.componentfile import ask_secret
from citycard.cli.options import actor_option, city_option, json_option, opened
from citycard.cli.output import emit, say
from citycard.cli.reader_options import card_option

if TYPE_CHECKING:
    from citycard.cli.reader_options import CardAt

__all__ = ["card"]

Function = Callable[..., Any]


def _secret(name: str, what: str) -> Callable[[Function], Function]:
    """Add an option for a PIN; left out, it is asked for at a terminal, and else a line of the input."""

    def asked(_context: click.Context, _option: click.Parameter, value: str | None) -> str:
        return (
            value
            if value is not None
            else ask_secret(what, instead=f"type it, pipe it in, or give it with --{name}")
        )

    told = "Left out: asked for and not shown, or one line of the input."
    return click.option(f"--{name}", metavar="PIN", callback=asked, help=told)


@click.group()
def card() -> None:
    """Cards at a window: activate, prove, reset-pin."""


@card.command()
@click.argument("id_number")
@_secret("old-pin", "the card's PIN")
@_secret("new-pin", "the new PIN")
@actor_option
@city_option
@json_option
@card_option
def activate(
    id_number: str, old_pin: str, new_pin: str, actor: str, folder: Path, as_json: bool, at: CardAt
) -> None:
    """Link the card to the resident ID_NUMBER.

    It gets its identity key and a new PIN. The clerk has seen who it is. With --json: an object with card.
    """
    from citycard_egov.identity import activate as write
    from citycard_egov.office import Office

    office = Office.of(opened(folder))
    with at.opened() as reader:
        asn = write(office, reader, id_number, old_pin, new_pin, actor=actor)
    if as_json:
        emit({"card": asn})
    else:
        say(f"card {asn} can prove its holder's identity")


@card.command("reset-pin")
@click.argument("id_number")
@_secret("new-pin", "the new PIN")
@city_option
@json_option
@card_option
def reset_pin(id_number: str, new_pin: str, folder: Path, as_json: bool, at: CardAt) -> None:
    """Give the card of the resident ID_NUMBER a new PIN.

    It may be locked. With --json: an object with card.
    """
    from citycard_egov.identity import reset_pin as reset
    from citycard_egov.office import Office

    office = Office.of(opened(folder))
    with at.opened() as reader:
        asn = reset(office, reader, id_number, new_pin)
    if as_json:
        emit({"card": asn})
    else:
        say(f"card {asn} has a new PIN")


@card.command()
@_secret("pin", "the card's PIN")
@actor_option
@city_option
@json_option
@card_option
def prove(pin: str, actor: str, folder: Path, as_json: bool, at: CardAt) -> None:
    """Let the card prove its identity: challenge, PIN, answer.

    With --json: an object with asn, expires_at and proof, which is good for minutes and for you alone.
    """
    from citycard_egov.identity import answer, draw
    from citycard_egov.identitycard import IdentityCard
    from citycard_egov.office import Office

    city = opened(folder)
    office = Office.of(city)
    with at.opened() as reader:
        device = IdentityCard(reader, city.issuing.profile)
        asn = device.open().asn
        asked = draw(office, asn, asked_by=actor)
        device.verify_pin(pin)
        response = device.answer(bytes.fromhex(asked.challenge))
    made = answer(office, asked.id, response, asked_by=actor)
    if as_json:
        emit(made)
    else:
        say(f"card {asn} proved its identity, until {made.expires_at:%H:%M:%S} UTC")
