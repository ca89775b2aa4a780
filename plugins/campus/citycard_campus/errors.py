"""What can go wrong in campus, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "BandClosed",
    "CampusOff",
    "CaseDecided",
    "CaseUnknown",
    "DayLimitReached",
    "DoorClosed",
    "FileNotRoll",
    "GuardianUnknown",
    "LessonUnknown",
    "LoanRefused",
    "MarkBroken",
    "NotEnrolled",
    "PotUncovered",
    "PupilRefused",
    "PupilUnknown",
    "PurseTooSmall",
    "RightsEnded",
    "SchoolUnknown",
    "SectorStale",
    "SettingInvalid",
]


class SettingInvalid(CitycardError):
    """The configuration contradicts itself."""

    sentence = "[plugins.campus] {field}: {reason}"


class CampusOff(CitycardError):
    """The city does not have campus switched on."""

    status, exit_code = 409, 5
    sentence = "campus is not enabled in the city in {folder}: citycard plugin enable campus --city {folder}"


class FileNotRoll(CitycardError):
    """A file cannot be read at all."""

    status, exit_code = 400, 3
    sentence = "{file} cannot be read: {reason}"


class SchoolUnknown(CitycardError):
    """No school of this name is configured."""

    status, exit_code = 404, 4
    sentence = "there is no school {school!r} in [[plugins.campus.schools]]; there are {known}"


class PupilUnknown(CitycardError):
    """Nobody is enrolled under this number or card."""

    status, exit_code = 404, 4
    sentence = "nobody is enrolled under {key}"


class PupilRefused(CitycardError):
    """Somebody cannot be enrolled like this."""

    status, exit_code = 422, 3
    sentence = "{field} is {value!r}: expected {expected}"


class GuardianUnknown(CitycardError):
    """A child that is not this guardian's."""

    status, exit_code = 404, 4
    sentence = "no child with the number {pupil} is yours to look after"


class LessonUnknown(CitycardError):
    """No lesson of the timetable is held in this room at this time."""

    status, exit_code = 404, 4
    sentence = "class {group} has no lesson in room {room} at {at}"


class CaseUnknown(CitycardError):
    """No use of the meal pot waits under this record."""

    status, exit_code = 404, 4
    sentence = "no use of a meal pot stands under record {record}"


class CaseDecided(CitycardError):
    """The use of a pot was decided already, or needs no decision."""

    status, exit_code = 409, 5
    sentence = "the use of the meal pot in record {record} is {state}: there is nothing to decide"


class PotUncovered(CitycardError):
    """More should come out of a pot than is in it."""

    status, exit_code = 409, 5
    sentence = "{left_fen} fen are left for the meals of card {asn}: {wanted_fen} fen are wanted"


class NotEnrolled(CitycardError):
    """The card is nobody's of this school."""

    status, exit_code = 403, 5
    sentence = "card {asn} is not enrolled at this school: its holder goes to the school's desk"


class RightsEnded(CitycardError):
    """The enrolment on the card is over."""

    status, exit_code = 403, 5
    sentence = "the enrolment on card {asn} ended: {reason}"


class MarkBroken(CitycardError):
    """What stands on the card was not written by this city's terminals for this card."""

    status, exit_code = 403, 5
    sentence = "the {sector} record of card {asn} does not carry the mark of this city: take it to the desk"


class SectorStale(CitycardError):
    """The card carries less than was seen of it: its record was set back."""

    status, exit_code = 409, 5
    sentence = "card {asn} tells of {on_card} uses of its pot, and {cleared} are cleared: it was set back"


class BandClosed(CitycardError):
    """No meal is served at this hour."""

    status, exit_code = 409, 5
    sentence = "no meal is served at {at}: {bands}"


class DayLimitReached(CitycardError):
    """The guardian's limit for the day does not leave so much."""

    status, exit_code = 403, 5
    sentence = "the limit of the day leaves {left_fen} fen: {wanted_fen} fen are wanted"


class PurseTooSmall(CitycardError):
    """The purse does not hold what this may come to."""

    status, exit_code = 402, 5
    sentence = "the purse holds {balance_fen} fen: {wanted_fen} fen must be on it"


class DoorClosed(CitycardError):
    """A door that does not open for this role at this hour."""

    status, exit_code = 403, 5
    sentence = "door {door} does not open for a {role} at {at}"


class LoanRefused(CitycardError):
    """Nothing can be lent, or taken back, like this."""

    status, exit_code = 409, 5
    sentence = "{item}: {reason}"
