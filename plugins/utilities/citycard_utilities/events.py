"""What utilities tells, once it was committed: names, and the class of each body."""

from __future__ import annotations

import attrs

from citycard import EventType

__all__ = [
    "BILL_PAID",
    "COLLECTION_FAILED",
    "EVENT_TYPES",
    "FILE_TAKEN",
    "MONEY_RETURNED",
    "MONEY_WAITS",
    "BillPaid",
    "CollectionFailed",
    "FileTaken",
    "MoneyReturned",
    "MoneyWaits",
]

BILL_PAID = "utilities.bill-paid"
MONEY_WAITS = "utilities.money-waits"
MONEY_RETURNED = "utilities.money-returned"
COLLECTION_FAILED = "utilities.collection-failed"
FILE_TAKEN = "utilities.file-taken"


@attrs.frozen(kw_only=True)
class BillPaid:
    """Money was deducted for a bill: by card, account or mandate; ``too_much_fen`` is kept or goes back."""

    receipt: str
    channel: str
    biller: str
    bill: str
    asn: str
    amount_fen: int
    late_fen: int
    too_much_fen: int


@attrs.frozen(kw_only=True)
class MoneyWaits:
    """Money came in for a bill that nobody knows: a person has to say what becomes of it."""

    receipt: str
    channel: str
    biller: str
    bill: str
    asn: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class MoneyReturned:
    """Money went back to who paid it; ``cause`` is double, withdrawn, reversed or unmatched."""

    receipt: str
    biller: str
    bill: str
    asn: str
    amount_fen: int
    cause: str


@attrs.frozen(kw_only=True)
class CollectionFailed:
    """A mandate could not collect a bill; ``next_on`` is the day of the next try, empty for none."""

    mandate: str
    biller: str
    bill: str
    asn: str
    reason: str
    next_on: str


@attrs.frozen(kw_only=True)
class FileTaken:
    """A biller's file was taken: how many bills it added, replaced and withdrew, and its bad lines."""

    biller: str
    file: str
    added: int
    replaced: int
    withdrawn: int
    bad: int


EVENT_TYPES = (
    EventType(name=BILL_PAID, title="A bill was paid", body=BillPaid),
    EventType(name=MONEY_WAITS, title="Money came in for an unknown bill", body=MoneyWaits),
    EventType(name=MONEY_RETURNED, title="Money for a bill went back", body=MoneyReturned),
    EventType(name=COLLECTION_FAILED, title="A mandate could not collect", body=CollectionFailed),
    EventType(name=FILE_TAKEN, title="A file of bills was taken", body=FileTaken),
)
