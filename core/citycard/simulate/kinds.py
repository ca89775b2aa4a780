"""The faults that are put into a simulated city, each with the code by which clearing must find it."""

from __future__ import annotations

from enum import Enum
from typing import Self

from citycard.clearing.codes import Code, FileCode

__all__ = ["CardFault", "TerminalFault"]


class CardFault(Enum):
    """A fault on one card. ``lost`` says that clearing does not see the debit, so that the next one has C01.

    The numbers are in the order in which faults are dealt to cards.
    """

    TAC_WRONG = 1, Code.T01, True
    REPEATED = 2, Code.D01, False
    REPEATED_LATER = 3, Code.D04, False
    COUNTER_TWICE = 4, Code.D02, False
    CLONE = 5, Code.D02, False
    SERIAL_TWICE = 6, Code.D03, False
    NEVER_HANDED_IN = 7, Code.C01, True
    LATE = 8, Code.L01, True
    ROLLED_BACK = 9, Code.C02, True
    BALANCE_JUMPS = 10, Code.C03, False
    FARE_DIFFERS = 11, Code.P01, False
    FARE_TOO_FAR = 12, Code.P03, False
    FARE_UNKNOWN = 13, Code.P02, False
    LISTED = 14, Code.B01, False
    LISTED_UNSEEN = 15, Code.B02, False
    NEVER_ISSUED = 16, Code.B03, False
    KEY_UNKNOWN = 17, Code.T02, True
    UNPROVEN_PAID = 18, Code.G05, False
    MAC_WRONG = 19, Code.R08, True
    UNREADABLE = 20, Code.R01, True
    FOREIGN_ISSUER = 21, Code.R02, True
    OTHER_TERMINAL = 22, Code.R03, True
    IN_THE_FUTURE = 23, Code.R04, False
    TOO_OLD = 24, Code.R04, False
    SUM_WRONG = 25, Code.R05, True
    TYPE_UNKNOWN = 26, Code.R06, True
    ALGORITHM_UNKNOWN = 27, Code.R07, True
    EXPIRED = 28, Code.B04, False
    UNPROVEN_UNPAID = 29, Code.G04, False
    UNPROVEN_LAST = 30, Code.G01, False
    TEST_CARD = 31, Code.T04, False
    NOT_LOADED = 32, Code.C04, False
    ENTRY_UNSEEN = 33, Code.G02, False

    def __init__(self, number: int, code: Code, lost: bool) -> None:
        self.number, self.code, self.lost = number, code, lost

    @property
    def title(self) -> str:
        """Give the name as the truth has it."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def dealt(cls, place: int) -> Self:
        """Give the kind of the fault at a place: all kinds in turn."""
        members = list(cls)
        return members[place % len(members)]


class TerminalFault(Enum):
    """A fault of one terminal or of one of its files. ``lost`` says that the file's records never arrive."""

    FILE_UNSIGNED = 1, FileCode.F02, True
    FILE_MISSING = 2, FileCode.F05, True
    FILE_CHANGED = 3, FileCode.F03, True
    FILE_TWICE = 4, FileCode.F04, False
    NUMBER_TWICE = 5, FileCode.F04, False
    TOTAL_WRONG = 6, FileCode.F06, True
    VERSION_UNKNOWN = 7, FileCode.F07, True
    UNREGISTERED = 8, FileCode.F01, True
    REVOKED = 9, Code.B05, False
    SAM_REVOKED = 10, Code.B06, False

    def __init__(self, number: int, code: Code | FileCode, lost: bool) -> None:
        self.number, self.code, self.lost = number, code, lost

    @property
    def title(self) -> str:
        """Give the name as the truth has it."""
        return self.name.lower().replace("_", "-")
