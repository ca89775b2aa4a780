"""What can go wrong at a venue, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "ActRepeated",
    "AlreadyInside",
    "CardFullOfTickets",
    "GateFull",
    "LoanRefused",
    "LoansFileInvalid",
    "NameUnknown",
    "NotInside",
    "PassNotNow",
    "PassRefused",
    "PassUsedAgain",
    "RightForged",
    "RightMissing",
    "RightUnknown",
    "SlotFull",
    "SlotNotNow",
    "SlotUnknown",
    "TicketRefused",
    "TourismOff",
    "TourismSettingsInvalid",
    "WrittenBefore",
]


class TourismSettingsInvalid(CitycardError):
    """A setting contradicts another one, or a name in it points nowhere."""

    sentence = "[plugins.tourism] {field}: {reason}"


class NameUnknown(CitycardError):
    """There is no show, plan, venue or library of this name."""

    status, exit_code = 404, 4
    sentence = "there is no {what} {name!r} in [plugins.tourism]; there are {known}"


class SlotUnknown(CitycardError):
    """A show is not on sale at the time that is asked for."""

    status = 404
    sentence = "show {show} has no slot at {starts}: {reason}"


class SlotFull(CitycardError):
    """A slot has fewer places left than are wanted."""

    status, exit_code = 409, 5
    sentence = "show {show} at {starts} has {left} places left, {wanted} are wanted"


class SlotNotNow(CitycardError):
    """A gate is shown a ticket whose slot is over, or has not begun."""

    status, exit_code = 409, 5
    sentence = "the ticket is for {starts}: the gate lets in from {opens} until {ends}"


class TicketRefused(CitycardError):
    """Something cannot be done with a ticket as it stands."""

    status, exit_code = 409, 5
    sentence = "ticket {serial}: {reason}"


class PassRefused(CitycardError):
    """Something cannot be done with a pass or membership as it stands."""

    status, exit_code = 409, 5
    sentence = "pass {serial}: {reason}"


class RightUnknown(CitycardError):
    """Nobody was sold a right under this id."""

    status, exit_code = 404, 4
    sentence = "there is no {what} {id}: expected the id under which it was bought"


class ActRepeated(CitycardError):
    """An id stands for something else already."""

    status, exit_code = 409, 5
    sentence = "id {id} was used before for something else: make a new id"


class RightForged(CitycardError):
    """A right on a card was not written by this city for this card: it was copied or changed."""

    status, exit_code = 409, 5
    sentence = "{sector} of card {asn} does not carry this city's code: it was copied or changed"


class RightMissing(CitycardError):
    """A card carries nothing that lets its holder in here."""

    status, exit_code = 404, 5
    sentence = "card {asn} carries nothing for {venue}"


class PassNotNow(CitycardError):
    """A pass is over, has not begun, or is frozen."""

    status, exit_code = 409, 5
    sentence = "pass {serial}: {reason}"


class PassUsedAgain(CitycardError):
    """A pass is shown again at one gate group before its passback time is over."""

    status, exit_code = 409, 5
    sentence = "pass {serial} was used here at {at}: again from {until}"


class AlreadyInside(CitycardError):
    """A ticket was used."""

    status, exit_code = 409, 5
    sentence = "ticket {serial} was used at {at}"


class NotInside(CitycardError):
    """Somebody leaves whom this gate group did not let in."""

    status, exit_code = 409, 5
    sentence = "card {asn} did not come in through gate group {group}"


class GateFull(CitycardError):
    """A venue has as many people inside as it may have."""

    status, exit_code = 409, 5
    sentence = "{inside} of {capacity} are inside gate group {group}, {people} want in: wait"


class CardFullOfTickets(CitycardError):
    """Both places for tickets on a card are taken."""

    status, exit_code = 409, 5
    sentence = "card {asn} carries two tickets that are not used: no third one fits"


class LoanRefused(CitycardError):
    """A book cannot be lent, renewed or returned."""

    status, exit_code = 409, 5
    sentence = "card {asn}: {reason}"


class LoansFileInvalid(CitycardError):
    """A file of books cannot be read."""

    status, exit_code = 400, 3
    sentence = "{file}, line {line}: {reason}"


class WrittenBefore(CitycardError):
    """The card carries already what was to be written: an earlier tap did it."""

    sentence = "card {asn} carries it already"


class TourismOff(CitycardError):
    """The city does not run culture and leisure."""

    status, exit_code = 409, 5
    sentence = "tourism does not run in the city in {folder}: {reason}"
