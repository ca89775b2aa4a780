"""``citycard card``: cards at a reader, cards at the office, cards that move to a new kind."""

from __future__ import annotations

import click

from citycard.cli.lazy import LazyGroup

__all__ = ["group"]

# Name -> (where the click command stands, its line in --help). Loaded only when called.
_COMMANDS: dict[str, tuple[str, str]] = {
    "apdu": ("citycard.cli.card_reader:apdu", "Send raw commands to a card."),
    "dump": ("citycard.cli.card_reader:dump", "Show every readable file of a card, decoded and in hex."),
    "load": ("citycard.cli.card_purse:load", "Put money on a card through the city's desk."),
    "pay": ("citycard.cli.card_purse:pay", "Take money from a card as a terminal does."),
    "read": ("citycard.cli.card_reader:read", "Show what a card says about itself; no keys needed."),
    "verify": ("citycard.cli.card_purse:verify", "Say whether a card is genuine."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def group() -> None:
    """Read cards at a reader, load and pay with them, issue and manage them."""
