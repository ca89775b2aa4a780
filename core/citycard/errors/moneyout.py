"""Errors of money that goes out again: refunds of purchases, payouts, charge-backs."""

from __future__ import annotations

from citycard.errors.base import CitycardError

__all__ = [
    "ChargebackConflict",
    "ChargebackRefused",
    "ChargebackUnknown",
    "PayoutRefused",
    "PurchaseRefundConflict",
    "PurchaseRefundRefused",
    "PurchaseRefundUnknown",
]


class PurchaseRefundUnknown(CitycardError):
    """A refund is asked for that nobody gave."""

    status, exit_code = 404, 3
    sentence = "there is no refund {id}: citycard refund list shows those of a purchase"


class PurchaseRefundConflict(CitycardError):
    """The id of a refund stands for another one."""

    status, exit_code = 409, 5
    sentence = "refund {id} was given with another {field}: a new refund needs a new id"


class PurchaseRefundRefused(CitycardError):
    """A purchase cannot be refunded so."""

    status, exit_code = 409, 5
    sentence = "purchase {purchase} is not refunded: {reason}"


class PayoutRefused(CitycardError):
    """A partner cannot be paid out."""

    status, exit_code = 409, 5
    sentence = "partner {partner} is not paid: {reason}"


class ChargebackUnknown(CitycardError):
    """A charge-back is asked for that nobody opened."""

    status, exit_code = 404, 3
    sentence = "there is no charge-back {id}: citycard chargeback list shows all"


class ChargebackConflict(CitycardError):
    """The id of a charge-back stands for another one."""

    status, exit_code = 409, 5
    sentence = "charge-back {id} was opened with another {field}: a new one needs a new id"


class ChargebackRefused(CitycardError):
    """A charge-back cannot be opened so, or cannot take this step."""

    status, exit_code = 409, 5
    sentence = "charge-back {id}: {reason}"
