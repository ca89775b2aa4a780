"""What can go wrong in health, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "AlreadyDone",
    "BookingRefused",
    "BundleInvalid",
    "DayInvalid",
    "EmergencyBroken",
    "EmergencyRefused",
    "FileInvalid",
    "HealthOff",
    "NotFound",
    "ReadingRefused",
    "SealedBroken",
    "SettingInvalid",
    "SportsRefused",
    "StatementRefused",
    "VaccineRefused",
    "VisitRefused",
    "WrongCard",
]


class SettingInvalid(CitycardError):
    """The configuration contradicts itself."""

    sentence = "[plugins.health] {where}: {reason}"


class HealthOff(CitycardError):
    """Health does not run in the city."""

    status, exit_code = 409, 5
    sentence = "health does not run in the city in {folder}: {reason}"


class NotFound(CitycardError):
    """There is no such thing of health, or not for whoever asks."""

    status, exit_code = 404, 4
    sentence = "there is no {what} {name}"


class AlreadyDone(CitycardError):
    """The id stands for something else that was done under it: make a new id for a new act."""

    status, exit_code = 409, 5
    sentence = "{what} {id} was asked for before with another {field}: use a new id"


class BookingRefused(CitycardError):
    """An appointment cannot be made or changed."""

    status, exit_code = 409, 5
    sentence = "the appointment is refused: {reason}"


class VisitRefused(CitycardError):
    """A visit cannot be charged or given back as asked."""

    status, exit_code = 409, 5
    sentence = "the visit is refused: {reason}"


class SportsRefused(CitycardError):
    """The social-security account does not pay this."""

    status, exit_code = 409, 5
    sentence = "the social-security account does not pay: {reason}"


class StatementRefused(CitycardError):
    """A statement of claims cannot be closed or settled."""

    status, exit_code = 409, 5
    sentence = "statement {month} of {insurer}: {reason}"


class VaccineRefused(CitycardError):
    """A dose cannot be recorded."""

    status, exit_code = 409, 5
    sentence = "the dose is refused: {reason}"


class ReadingRefused(CitycardError):
    """Health data is read with a reason only, by who treats the patient or breaks the glass."""

    status, exit_code = 403, 5
    sentence = "this is not shown: {reason}"


class FileInvalid(CitycardError):
    """A file cannot be taken in; nothing of it was."""

    status, exit_code = 422, 3
    sentence = "{file}, line {line}, {field}: {reason}"


class BundleInvalid(CitycardError):
    """What was sent is no summary in FHIR that can be taken in; nothing of it was."""

    status, exit_code = 422, 3
    sentence = "the bundle is refused: {path}: {reason}"


class SealedBroken(CitycardError):
    """A sealed row is not this patient's, or was changed."""

    status, exit_code = 500, 4
    sentence = "{what} of patient {patient} cannot be opened: it belongs to another, or was changed"


class DayInvalid(CitycardError):
    """The day that a till is given is no list of appointments."""

    exit_code = 3
    sentence = "the day cannot be read: {problems}"


class EmergencyBroken(CitycardError):
    """The emergency data on a card is not sealed for this card by this city's health keys."""

    exit_code = 3
    sentence = "the emergency data on card {asn} does not open: it is another card's, or these keys are"


class EmergencyRefused(CitycardError):
    """Emergency data cannot be read or written as asked."""

    status, exit_code = 409, 5
    sentence = "emergency data of card {asn}: {reason}"


class WrongCard(CitycardError):
    """Another card lies on the reader than the one that is to pay or to check in."""

    status, exit_code = 409, 5
    sentence = "this is card {asn}: {reason}"
