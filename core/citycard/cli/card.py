"""``citycard card``: cards at a reader, cards at the office, cards that move to a new kind."""

from __future__ import annotations

import click

from citycard.cli.lazy import LazyGroup

__all__ = ["group"]

# Name -> (where the click command stands, its line in --help). Loaded only when called.
_COMMANDS: dict[str, tuple[str, str]] = {
    "activate": ("citycard.cli.card_desk:activate", "Enable an issued card at a reader."),
    "apdu": ("citycard.cli.card_reader:apdu", "Send raw commands to a card."),
    "block": ("citycard.cli.card_office:block", "Block a card; terminals refuse it from the next list on."),
    "collect": ("citycard.cli.card_desk:collect", "Load the refunds that are owed for a card onto it."),
    "dump": ("citycard.cli.card_reader:dump", "Show every readable file of a card, decoded and in hex."),
    "history": ("citycard.cli.card_office:history", "List everything that was done to a card."),
    "issue": ("citycard.cli.card_office:issue", "Give a card out of the stock to its holder."),
    "load": ("citycard.cli.card_purse:load", "Put money on a card through the city's desk."),
    "lost": (
        "citycard.cli.card_office:lost",
        "Report a card lost; terminals refuse it from then on.",
    ),
    "make-old": ("citycard.cli.card_migrate:make_old", "Make an old sector card to try a migration with."),
    "migrate": ("citycard.cli.card_migrate:migrate", "Move an old sector card to a new card."),
    "old": ("citycard.cli.card_migrate:old_card", "Show what became of an old sector card."),
    "pay": ("citycard.cli.card_purse:pay", "Take money from a card as a terminal does."),
    "pay-out": ("citycard.cli.card_office:pay_out", "Pay what is owed for a card, in cash or by bank."),
    "readers": ("citycard.cli.card_reader:readers", "List the PC/SC readers of this machine."),
    "read": ("citycard.cli.card_reader:read", "Show what a card says about itself; no keys needed."),
    "renew": ("citycard.cli.card_desk:renew", "Give a card another last day at a reader."),
    "replace": ("citycard.cli.card_office:replace", "Give a card of the stock in place of another."),
    "return": ("citycard.cli.card_office:return_", "Take a card back."),
    "settle": ("citycard.cli.card_office:settle", "Fix what is owed for cards whose last taps have come in."),
    "show": ("citycard.cli.card_office:show", "Show what the city knows of a card."),
    "stop": ("citycard.cli.card_desk:stop", "Stop the purse of a card that was given up, at a reader."),
    "take-over": ("citycard.cli.card_migrate:take_over", "Note money paid over for the old system's cards."),
    "transfer": ("citycard.cli.card_desk:transfer", "Load the money of the card that this one replaces."),
    "unblock": ("citycard.cli.card_office:unblock", "Let a lost or blocked card be used again."),
    "update": ("citycard.cli.card_desk:update", "Load newly enabled domains onto a card in use."),
    "verify": ("citycard.cli.card_purse:verify", "Say whether a card is genuine."),
}


@click.group(cls=LazyGroup, table=_COMMANDS)
def group() -> None:
    """Read cards at a reader, load and pay with them, issue and manage them."""
