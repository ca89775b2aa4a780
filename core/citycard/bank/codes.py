"""Where a bank line can end, and why: one state and one code for each."""

from __future__ import annotations

from enum import Enum, StrEnum

__all__ = ["BankCode", "CaseState", "How", "LineState"]


class LineState(StrEnum):
    """What a line turned out to be when it came."""

    MATCHED = "matched"
    RETURNED = "returned"
    CHARGE = "charge"
    EXCEPTION = "exception"


class BankCode(Enum):
    """Why a line is in its state; the value is its state and what the code means."""

    OK = (LineState.MATCHED, "a payment that was ordered, booked as ordered")
    A01 = (LineState.MATCHED, "a receipt that was expected")
    A02 = (LineState.MATCHED, "the desk's cash, paid in or taken out")
    S01 = (LineState.RETURNED, "the bank never executed a payment; its money is owed again")
    S02 = (LineState.RETURNED, "a payment came back; its money is owed again")
    C01 = (LineState.CHARGE, "a charge of the bank")
    C02 = (LineState.CHARGE, "interest of the bank")
    M01 = (LineState.EXCEPTION, "an instructed payment is missing at the bank")
    M02 = (LineState.EXCEPTION, "unknown: nothing was ordered or expected that fits")
    M03 = (LineState.EXCEPTION, "the amount differs from what was ordered or expected")
    M04 = (LineState.EXCEPTION, "the account differs from the one that was to be paid")
    M05 = (LineState.EXCEPTION, "booked twice: this was booked before")
    M06 = (LineState.EXCEPTION, "a repayment came back; the money is nobody's again")

    def __init__(self, state: LineState, title: str) -> None:
        self.state = state
        self.title = title


class CaseState(StrEnum):
    """How far an exception is."""

    OPEN = "open"
    TAKEN = "taken"
    RESOLVED = "resolved"


class How(StrEnum):
    """How an exception was resolved.

    By itself: what was missing arrived. By a person: matched to a payment; posted to an account;
    paid back to who sent it; never executed, so that its money is owed again.
    """

    ARRIVED = "arrived"
    MATCHED = "matched"
    POSTED = "posted"
    PAID_BACK = "paid-back"
    NOT_PAID = "not-paid"
