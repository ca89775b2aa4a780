"""What can go wrong in city hall, one class each: its data and its sentence."""

from __future__ import annotations

from citycard.errors import CitycardError

__all__ = [
    "ApplicationRefused",
    "ApplicationUnknown",
    "ConflictUnknown",
    "ConsentMissing",
    "EgovFileInvalid",
    "EgovInvalid",
    "EgovOff",
    "EgovSettingsInvalid",
    "ExchangeFailed",
    "ExchangeRefused",
    "IdentityRefused",
    "NodeFolderInvalid",
    "NoticeConflict",
    "PinRefused",
    "PlanRefused",
    "PlanUnknown",
    "ProofRefused",
    "ReadingRefused",
    "ResidentCardInvalid",
    "ResidentUnknown",
    "ServiceNotOffered",
    "TicketUnknown",
]


class EgovSettingsInvalid(CitycardError):
    """The settings contradict themselves."""

    sentence = "[plugins.egov] {field}: {reason}"


class EgovOff(CitycardError):
    """The city does not have egov running."""

    status, exit_code = 409, 5
    sentence = "egov does not run in the city in {folder}: {reason}"


class EgovInvalid(CitycardError, ValueError):
    """A value that somebody gave is not what a field takes."""

    status, exit_code = 422, 3
    sentence = "{field} is {value!r}: expected {expected}"


class EgovFileInvalid(CitycardError):
    """A file cannot be read as what it is meant to be; nothing of it was taken."""

    status, exit_code = 422, 3
    sentence = "{file}: {reason}"


class ResidentUnknown(CitycardError):
    """Nobody of this number or card is in the register."""

    status, exit_code = 404, 4
    sentence = "nobody with this {what} is in the resident register: {mend}"


class ReadingRefused(CitycardError):
    """A file may not be read like this."""

    status, exit_code = 403, 5
    sentence = "the file is not shown: {reason}"


class ConflictUnknown(CitycardError):
    """There is no conflict of this id that is open."""

    status, exit_code = 404, 4
    sentence = "there is no open conflict {id}: citycard egov register conflicts lists them"


class IdentityRefused(CitycardError):
    """A card does not prove whose it is."""

    status, exit_code = 403, 5
    sentence = "the identity is not proven: {reason}"


class PinRefused(CitycardError):
    """The card does not take the PIN."""

    status, exit_code = 403, 5
    sentence = "the card does not take this PIN: {reason}"


class ProofRefused(CitycardError):
    """A proof of identity is not good any more, or never was."""

    status, exit_code = 403, 5
    sentence = "this proof of identity does not count: {reason}; hold the card to the reader again"


class ServiceNotOffered(CitycardError):
    """The city offers no such service."""

    status, exit_code = 404, 4
    sentence = "there is no service {service!r}; there are {known}"


class ApplicationUnknown(CitycardError):
    """There is no application of this id."""

    status, exit_code = 404, 4
    sentence = "there is no application {id}"


class ApplicationRefused(CitycardError):
    """An application is not in a state for this."""

    status, exit_code = 409, 5
    sentence = "application {id}: {reason}"


class TicketUnknown(CitycardError):
    """There is no such ticket at the window, or no such window."""

    status, exit_code = 404, 4
    sentence = "{what}"


class PlanUnknown(CitycardError):
    """There is no payment plan of this id."""

    status, exit_code = 404, 4
    sentence = "there is no payment plan {plan!r}: citycard egov subsidy import makes one"


class PlanRefused(CitycardError):
    """A payment plan is not in a state for this, or by this person."""

    status, exit_code = 409, 5
    sentence = "payment plan {plan}: {reason}"


class NoticeConflict(CitycardError):
    """A published item is there with other words."""

    status, exit_code = 409, 5
    sentence = "{notice!r} was published with other words: withdraw it, and publish under another id"


class ConsentMissing(CitycardError):
    """The citizen did not consent, not to this, or not any more."""

    status, exit_code = 403, 5
    sentence = "no consent of the citizen covers this: {reason}"


class ExchangeRefused(CitycardError):
    """The other party answered, and said no."""

    status, exit_code = 409, 5
    sentence = "{party} refuses the query ({code}): {reason}"


class ExchangeFailed(CitycardError):
    """No answer that can be trusted came from the other party."""

    status, exit_code = 502, 4
    sentence = "no answer of {party} can be used: {reason}"


class NodeFolderInvalid(CitycardError):
    """A folder is not, or not yet, that of a node."""

    exit_code = 4
    sentence = "{folder}: {reason}"


class ResidentCardInvalid(CitycardError):
    """What a card says of its holder's rights was not written by the city."""

    status, exit_code = 403, 5
    sentence = "card {asn}: what it says of its holder's rights {reason}; go to a service window"
