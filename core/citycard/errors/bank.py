"""Errors of what goes between the city and its bank."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "BankAccountDiffers",
    "BankDetailsInvalid",
    "BankPaymentUnknown",
    "BankStatementConflict",
    "BankStatementInvalid",
    "BankStatementTooLarge",
    "CaseClosed",
    "CaseStepConflict",
    "CaseTaken",
    "CaseUnknown",
    "PaymentConflict",
    "ReceiptConflict",
    "ReceiptInvalid",
    "ResolutionRefused",
]


class BankDetailsInvalid(CitycardError):
    """A name, account or bank code cannot stand in a payment instruction."""

    sentence = "bank details of {owner!r}: {field} is {value!r}, expected {expected}"


class PaymentConflict(CitycardError):
    """A payment was ordered before with other content under the same id or end-to-end id."""

    status = 409
    exit_code = 5
    sentence = "payment {payment} was ordered before with another {field}: use a new id for a new payment"


class BankPaymentUnknown(CitycardError):
    """No payment has that id or end-to-end id."""

    status = 404
    exit_code = 4
    sentence = "payment {payment!r} is not known: expected its id or end-to-end id (`citycard bank payments`)"


class ReceiptConflict(CitycardError):
    """A receipt is expected already under that reference, and otherwise."""

    status = 409
    exit_code = 5
    sentence = "reference {reference!r} is expected already with another {field}: choose another reference"


class ReceiptInvalid(CitycardError):
    """An expected receipt has a reference that payers cannot write, or the wrong account."""

    sentence = "receipt {reference!r}: {field} is {value!r}, expected {expected}"


class BankStatementInvalid(CitycardError):
    """A bank statement cannot be read, or does not add up."""

    sentence = "bank statement, line {line}, {element}: {reason}"


class BankStatementTooLarge(CitycardError):
    """A bank statement is larger than the city reads."""

    status = 413
    sentence = "the bank statement is larger than {limit} bytes: ask the bank to split it by day"


class BankStatementConflict(CitycardError):
    """A statement came before under the same id with other content."""

    status = 409
    exit_code = 5
    sentence = "statement {statement!r} came before with other content: ask the bank which one holds"


class BankAccountDiffers(CitycardError):
    """A statement is of another account than the city's trust account."""

    sentence = "statement {statement!r} is of account {account!r}, expected {expected!r}, account of [bank]"


class CaseUnknown(CitycardError):
    """No exception has that id."""

    status = 404
    exit_code = 4
    sentence = "exception {case!r} is not known: `citycard bank exceptions list` lists them"


class CaseStepConflict(CitycardError):
    """A step was done before under that id, and it was another one."""

    status = 409
    exit_code = 5
    sentence = "step {step} was done before with another {field}: use a new id for a new step"


class CaseTaken(CitycardError):
    """Somebody else works on an exception."""

    status = 409
    exit_code = 5
    sentence = (
        "exception {case} has been with {taken_by} since {since}: leave it to them, or take it from them "
        "(--from-other, in the API from_other)"
    )


class CaseClosed(CitycardError):
    """An exception is resolved already, and otherwise."""

    status = 409
    exit_code = 5
    sentence = "exception {case} is resolved already: {how}"


class ResolutionRefused(CitycardError):
    """An exception cannot be resolved in that way."""

    status = 409
    exit_code = 5
    sentence = "exception {case} cannot be resolved so: {reason}"
