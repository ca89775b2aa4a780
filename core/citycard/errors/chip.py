"""Errors of the software chip and of personalisation."""

from __future__ import annotations

from citycard.errors.base import CitycardError
from citycard.errors.terminal import CardRemoved

__all__ = [
    "CardImageInvalid",
    "PersonalisationFailed",
    "PowerLoss",
    "PurseAlgorithmNotAllowed",
]


class PowerLoss(CardRemoved):
    """The software chip lost its power, or is asked while it has none."""

    sentence = "the chip has no power: power it on, then start again from the selection of the application"


class CardImageInvalid(CitycardError):
    """The bytes of a saved card are not a card."""

    sentence = "the card image is not usable ({reason}): expected the bytes that Chip.image() gave"


class PersonalisationFailed(CitycardError):
    """A chip refused a command of its personalisation."""

    sentence = (
        "the chip refused {step} with status {status_word}: expected 9000 from a blank card of this profile"
    )


class PurseAlgorithmNotAllowed(CitycardError):
    """A card's purse keys have an algorithm that its chip does not compute."""

    status, exit_code = 409, 5
    sentence = (
        "version {version} of the {purpose} key is {algorithm}, which {profile} cards do not compute: "
        "name it in algorithms under [cards] of city.toml, or roll the key to tdes"
    )
