"""Response codes (ISO 8583, field 39): what each error of a sale is for a POS."""

from __future__ import annotations

from typing import Final

from citycard.errors import (
    AccountNotOpen,
    ActDiffers,
    ActGivenUp,
    CitycardError,
    DebitRefused,
    FundsMissing,
    HoldRefused,
    HoldUnknown,
    LimitExceeded,
    OnlineAccountUnknown,
    PaymentUnknown,
    RegistryMissing,
    ServiceOff,
    WalletInvalid,
)
from citycard_retail.errors import (
    MerchantUnknown,
    MessageInvalid,
    RetailActDiffers,
    RetailRefundRefused,
    RetailValueInvalid,
    SaleUnknown,
)

__all__ = ["APPROVED", "CODES", "FAULT", "NOTHING_DONE", "OUT_OF_BALANCE", "REPEATED", "code_of"]

APPROVED, NOTHING_DONE, REPEATED, OUT_OF_BALANCE, FAULT = "00", "21", "94", "95", "96"

#: What a POS may show for each code.
CODES: Final = {
    APPROVED: "approved",
    "03": "merchant not known, or not active",
    "05": "refused",
    "12": "cannot be done with this transaction",
    "13": "amount not allowed",
    "14": "no such account",
    NOTHING_DONE: "nothing was done",
    "25": "the original is not known",
    "30": "format error",
    "51": "not enough money",
    "57": "not allowed for this account",
    "58": "not allowed for this terminal",
    "61": "above a limit of the account",
    "62": "account frozen or closed",
    REPEATED: "the STAN was used for another message",
    OUT_OF_BALANCE: "totals differ",
    FAULT: "fault: send again",
    "A0": "MAC wrong",
}

_FAULTS = 500
_OF_ERRORS: Final[tuple[tuple[type[CitycardError], str], ...]] = (
    (ActGivenUp, NOTHING_DONE),
    (FundsMissing, "51"),
    (LimitExceeded, "61"),
    (AccountNotOpen, "62"),
    (OnlineAccountUnknown, "14"),
    (RegistryMissing, "14"),
    (DebitRefused, "57"),
    (ServiceOff, "58"),
    (MerchantUnknown, "03"),
    (WalletInvalid, "03"),
    (RetailValueInvalid, "13"),
    (RetailRefundRefused, "12"),
    (HoldRefused, "12"),
    (SaleUnknown, "25"),
    (HoldUnknown, "25"),
    (PaymentUnknown, "25"),
    (ActDiffers, REPEATED),
    (RetailActDiffers, REPEATED),
)


def code_of(error: CitycardError) -> str:
    """Give the response code of an error; what has no code of its own is refused."""
    if isinstance(error, MessageInvalid):
        return str(error.data["code"])
    if error.status >= _FAULTS:
        return FAULT
    return next((code for kind, code in _OF_ERRORS if isinstance(error, kind)), "05")
