"""What can go wrong with bills, mandates and prepaid credit, one class each: its data and its sentence."""

from __future__ import annotations

from citycard import CitycardError

__all__ = [
    "BillBusy",
    "BillFileInvalid",
    "BillSettled",
    "BillUnknown",
    "BillerUnknown",
    "CardFromElsewhere",
    "CreditSpent",
    "HouseholdInvalid",
    "MandateConflict",
    "MandateUnknown",
    "MeterForeign",
    "PaymentDeclined",
    "PrepaidForged",
    "ReceiptUnknown",
    "RequestDiffers",
    "ReversalRefused",
    "SettlementDiffers",
    "SettlementMissing",
    "SlipInvalid",
    "TooManyHouseholds",
    "UtilitiesOff",
    "UtilitySettingsInvalid",
]


class UtilitySettingsInvalid(CitycardError):
    """The configuration contradicts itself."""

    sentence = "[plugins.utilities] {field}: {value!r}: {expected}"


class BillerUnknown(CitycardError):
    """Nobody of this name or number sends bills here."""

    status, exit_code = 404, 4
    sentence = "there is no biller {biller}: expected one of {known}"


class BillFileInvalid(CitycardError):
    """A biller's file cannot be taken at all; nothing of it was."""

    exit_code = 3
    sentence = "{file}: line {line}: {reason}"


class BillUnknown(CitycardError):
    """The biller sent no bill with this number."""

    status, exit_code = 404, 4
    sentence = "{biller} has no bill {bill}"


class BillSettled(CitycardError):
    """There is nothing to pay on a bill: it is paid, or its biller withdrew it."""

    status, exit_code = 409, 5
    sentence = "bill {bill} of {biller} is {state}: there is nothing to pay"


class BillBusy(CitycardError):
    """Somebody else is paying the same bill at this moment."""

    status, exit_code = 409, 5
    sentence = (
        "bill {bill} of {biller} is being paid at this moment (payment {payment}): ask again in a minute"
    )


class PaymentDeclined(CitycardError):
    """The account did not pay a bill; the same answer for ever under the same id."""

    status, exit_code = 409, 5
    sentence = "bill {bill} was not paid: {reason}"


class RequestDiffers(CitycardError):
    """The id of a request stands for something else already."""

    status, exit_code = 409, 5
    sentence = "id {id} stands for another {what} already: {field} differs; make a new id for a new request"


class ReceiptUnknown(CitycardError):
    """There is no receipt with this id."""

    status, exit_code = 404, 4
    sentence = "there is no receipt {receipt}: expected the id of a payment, or of a cleared record"


class ReversalRefused(CitycardError):
    """A receipt cannot be reversed, or assigned, as it stands."""

    status, exit_code = 409, 5
    sentence = "receipt {receipt}: {reason}"


class CardFromElsewhere(CitycardError):
    """Bills are paid with the city's own cards."""

    status, exit_code = 409, 5
    sentence = "card {asn} is of another city: bills are paid with a card of this city, or from an account"


class CreditSpent(CitycardError):
    """What a payment was too much has paid another bill meanwhile."""

    status, exit_code = 409, 5
    sentence = "receipt {receipt}: {spent_fen} fen of it paid a later bill already: reverse that one's first"


class HouseholdInvalid(CitycardError):
    """A household cannot be kept as it is given."""

    status = 422
    sentence = "{field} cannot be {value!r}: expected {expected}"


class MandateUnknown(CitycardError):
    """There is no such mandate."""

    status, exit_code = 404, 4
    sentence = "there is no direct-debit mandate {mandate}"


class MandateConflict(CitycardError):
    """Another mandate collects the bills of this household already."""

    status, exit_code = 409, 5
    sentence = (
        "mandate {mandate} collects the bills of household {household} at {biller} already: cancel it first"
    )


class SlipInvalid(CitycardError):
    """What was read from a bill's bar code is not one."""

    sentence = "the bar code of the bill cannot be read: {reason}"


class PrepaidForged(CitycardError):
    """What a card carries for a meter was not written by who may."""

    status, exit_code = 409, 5
    sentence = "card {asn} carries {what} that neither biller nor meter wrote: send its holder to the desk"


class MeterForeign(CitycardError):
    """The card carries credit for another meter."""

    status, exit_code = 409, 5
    sentence = "card {asn} belongs to meter {found}, not to {meter}"


class SettlementDiffers(CitycardError):
    """What was settled with a biller does not agree with clearing and the ledger: no file goes out."""

    status, exit_code = 409, 5
    sentence = "run {run} and {biller} do not agree: {differences}"


class SettlementMissing(CitycardError):
    """No clearing run has settled with this biller yet, or not this one."""

    status, exit_code = 404, 4
    sentence = "{run} settled nothing with {biller}: run clearing first, or name another run"


class UtilitiesOff(CitycardError):
    """Utilities does not run in the city; the kernel's own reason says why."""

    status, exit_code = 409, 5
    sentence = "utilities does not run in the city in {folder}: {reason}"


class TooManyHouseholds(CitycardError):
    """A citizen looked up the bills of many households."""

    status, exit_code = 429, 5
    sentence = "you looked up {allowed} households within an hour: wait {minutes} minutes, then try again"
