"""Errors of the card office: what a card's life does not allow, and cards that cannot be changed."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "CardHasNoRoom",
    "CardNotOwed",
    "MaintenanceRefused",
    "OfficeRefused",
]


class OfficeRefused(CitycardError):
    """The office cannot do this with the card as it is."""

    status, exit_code = 409, 5
    sentence = "card {asn}: {reason}"


class CardNotOwed(CitycardError):
    """Nothing is owed for this card, or not yet."""

    status, exit_code = 409, 5
    sentence = "nothing can be given for card {asn}: {reason}"


class MaintenanceRefused(CitycardError):
    """A card does not take what its city wants to write."""

    status, exit_code = 409, 5
    sentence = "card {asn} refused {step} with status {status_word}: it keeps what it had"


class CardHasNoRoom(CitycardError):
    """A domain cannot be loaded because the card is full."""

    status, exit_code = 409, 5
    sentence = "card {asn} has no room for sector {sector} ({needed} bytes): replace it with a new card"
