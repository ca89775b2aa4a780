"""What can go wrong in a community, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "AlreadyInside",
    "BillUnknown",
    "CarParkFull",
    "CarParkUnknown",
    "CommunityOff",
    "CommunityUnknown",
    "DayCodeRefused",
    "DoorClosed",
    "LeaseRefused",
    "LeaseUnknown",
    "NotTheirs",
    "PartRefused",
    "PassRefused",
    "PaymentRefused",
    "RightRefused",
    "RightUnknown",
    "SettingTwice",
    "SettingUnknown",
    "SlotsFull",
    "SpaceTaken",
    "StayUnknown",
    "TerminalElsewhere",
    "UnitRefused",
    "UnitUnknown",
    "UnitsFileInvalid",
    "VisitRefused",
    "VisitUnknown",
]


class SettingTwice(CitycardError):
    """Two entries of the configuration have the same name or number."""

    sentence = "{what} {value!r} is there twice: give each its own"


class SettingUnknown(CitycardError):
    """A name or number in the configuration points nowhere."""

    sentence = "{place}: {field} {value!r} is not declared; declared are {known}"


class CommunityOff(CitycardError):
    """The city does not have communities switched on."""

    status, exit_code = 409, 5
    sentence = "community does not run in the city in {folder}: {reason}"


class CommunityUnknown(CitycardError):
    """There is no community of this id."""

    status, exit_code = 404, 4
    sentence = "there is no community {community!r} in [[plugins.community.communities]]; there are: {known}"


class CarParkUnknown(CitycardError):
    """A community has no such car park, or the car park no such space."""

    status, exit_code = 404, 4
    sentence = "community {community} has no {what}; {known}"


class TerminalElsewhere(CitycardError):
    """A terminal is none of what it is used as."""

    status, exit_code = 404, 4
    sentence = (
        "terminal {terminal} is no {what} of [plugins.community]: name it there, and refresh the terminal"
    )


class DoorClosed(CitycardError):
    """A door stays closed for a card; ``code`` is stable, ``reason`` is for its holder."""

    status, exit_code = 403, 5
    sentence = "{door} stays closed ({code}): {reason}"


class RightRefused(CitycardError):
    """A right cannot be given so."""

    status, exit_code = 409, 5
    sentence = "a right for card {asn}: {field} is {value!r}, expected {expected}"


class RightUnknown(CitycardError):
    """There is no right of this serial."""

    status, exit_code = 404, 4
    sentence = "there is no right {serial}"


class SlotsFull(CitycardError):
    """A card cannot carry one more right."""

    status, exit_code = 409, 5
    sentence = "card {asn} carries {most} rights that are still good: let one end before it gets another"


class UnitUnknown(CitycardError):
    """There is no such unit."""

    status, exit_code = 404, 4
    sentence = "there is no unit {unit}"


class UnitRefused(CitycardError):
    """A unit cannot be kept as it was given."""

    status, exit_code = 422, 3
    sentence = "unit {unit}: {field} is {value!r}, expected {expected}"


class UnitsFileInvalid(CitycardError):
    """A file of units cannot be taken over; nothing of it was."""

    status, exit_code = 422, 3
    sentence = "{file} line {line}: {problem}; nothing of the file was taken over"


class LeaseUnknown(CitycardError):
    """There is no such lease."""

    status, exit_code = 404, 4
    sentence = "there is no lease {lease}"


class LeaseRefused(CitycardError):
    """A lease cannot begin, be extended or end so."""

    status, exit_code = 409, 5
    sentence = "lease {lease}: {reason}"


class NotTheirs(CitycardError):
    """Somebody asks for what is another's."""

    status, exit_code = 403, 5
    sentence = "{what} is not of card {asn}"


class BillUnknown(CitycardError):
    """There is no such bill."""

    status, exit_code = 404, 4
    sentence = "there is no bill {bill}"


class PaymentRefused(CitycardError):
    """A bill cannot be paid so."""

    status, exit_code = 409, 5
    sentence = "bill {bill}: {reason}"


class PartRefused(CitycardError):
    """A part of a bill is offered where bills are paid whole, or more than is owed."""

    status, exit_code = 409, 5
    sentence = "bill {bill}: {wanted_fen} fen are offered, {owed_fen} fen are owed: {reason}"


class CarParkFull(CitycardError):
    """No space is left."""

    status, exit_code = 409, 5
    sentence = "car park {car_park} is full: {taken} of {spaces} spaces are taken or kept for passes"


class SpaceTaken(CitycardError):
    """Another car stands on the space."""

    status, exit_code = 409, 5
    sentence = "space {space} of car park {car_park} is taken: two cars do not fit in it"


class AlreadyInside(CitycardError):
    """A card that is inside asks to come in again."""

    status, exit_code = 409, 5
    sentence = "card {asn} came into car park {car_park} at {entered_at} and has not left it"


class StayUnknown(CitycardError):
    """Nobody is inside that could leave so."""

    status, exit_code = 404, 4
    sentence = "car park {car_park} has no car {what} inside"


class PassRefused(CitycardError):
    """A pass cannot be sold so."""

    status, exit_code = 409, 5
    sentence = "pass for space {space} of car park {car_park}: {reason}"


class VisitRefused(CitycardError):
    """A visitor cannot be given a right so."""

    status, exit_code = 409, 5
    sentence = "visit on {day}: {reason}"


class VisitUnknown(CitycardError):
    """There is no such visit."""

    status, exit_code = 404, 4
    sentence = "there is no visit {visit}"


class DayCodeRefused(CitycardError):
    """A day code is not one of this day, or was used."""

    status, exit_code = 403, 5
    sentence = "the code is not one for today, or was used: ask whoever invited you for another"
