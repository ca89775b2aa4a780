"""Errors of blank cards, number ranges and personalisation jobs."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "BlankUnfit",
    "CardNumberTaken",
    "NumbersUsedUp",
    "PersonalisationJobUnknown",
    "PersonalisationLost",
    "ProductRetired",
    "RangeOverlap",
    "StockShort",
]


class RangeOverlap(CitycardError):
    """A number range would give a number, or a card's keys, a second time."""

    status, exit_code = 409, 5
    sentence = "range {name!r} from {first} to {last} {reason}: choose numbers that nobody has"


class CardNumberTaken(CitycardError):
    """A card is to be made with a number that another card has."""

    status, exit_code = 409, 5
    sentence = "card {asn} is there already: choose a number that no card has"


class NumbersUsedUp(CitycardError):
    """A number range has no number left."""

    status, exit_code = 409, 5
    sentence = "range {name!r} has {left} numbers left, {wanted} are wanted: open another range"


class StockShort(CitycardError):
    """More blank cards are asked of a place than lie there."""

    status, exit_code = 409, 5
    sentence = "{place!r} has {held} blank cards of lot {lot!r}, {wanted} are wanted: {advice}"

    def __init__(self, *, place: str, held: int, lot: str, wanted: int) -> None:
        # The store gets cards from the supplier alone, every other place from the store.
        advice = "receive another lot, or take fewer" if place == "store" else "hand it more first"
        super().__init__(place=place, held=held, lot=lot, wanted=wanted, advice=advice)


class PersonalisationJobUnknown(CitycardError):
    """There is no personalisation job of this number."""

    status, exit_code = 404, 4
    sentence = "there is no job {number}: citycard job list shows those there are"


class PersonalisationLost(CitycardError):
    """A number is no longer this worker's: it was away for too long."""

    status, exit_code = 409, 5
    sentence = "number {asn} was given up while its card was made: lay that card aside, it is spoiled"


class BlankUnfit(CitycardError):
    """The card in the reader is not a blank card."""

    status, exit_code = 409, 5
    sentence = "the card in the reader is not blank, it {found}: lay it aside and put in a blank one"


class ProductRetired(CitycardError):
    """New cards are wanted of a product that is retired."""

    status, exit_code = 409, 5
    sentence = "card product {product!r} was retired on {on}: choose another product"
