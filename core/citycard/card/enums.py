"""The numbers on a transit purse card that have names (JT/T 978, PBOC; docs/card.md)."""

from __future__ import annotations

from enum import IntEnum

__all__ = [
    "CardKind",
    "EnableFlag",
    "FileKind",
    "IdKind",
    "Industry",
    "InteropKind",
    "JourneyKind",
    "TransactionType",
]


class TransactionType(IntEnum):
    """The transaction type byte TTI (PBOC; spoken of as 交易类型标识)."""

    NONE = 0x00
    LOAD_PASSBOOK = 0x01
    LOAD = 0x02
    UNLOAD = 0x03
    WITHDRAW = 0x04
    PURCHASE_PASSBOOK = 0x05
    PURCHASE = 0x06
    OVERDRAFT = 0x07
    COMPOSITE = 0x09
    GREY_LOCK_PASSBOOK = 0x91
    GREY_LOCK = 0x92
    UNLOCK_PASSBOOK = 0x93
    UNLOCK = 0x94
    ONLINE_UNLOCK_PASSBOOK = 0x95
    ONLINE_UNLOCK = 0x96


class EnableFlag(IntEnum):
    """Whether the purse application may be used: EF 15, byte 9."""

    NOT_ENABLED = 0x00
    ENABLED = 0x01
    STOPPED = 0x02


class InteropKind(IntEnum):
    """Whether other cities take the card: EF 17, bytes 8 and 9."""

    LOCAL = 0x0000
    INTEROPERABLE = 0x0001


class CardKind(IntEnum):
    """The card kinds that every city knows: EF 17, byte 10. A city's own kinds start at 6."""

    ORDINARY = 1
    STUDENT = 2
    SENIOR = 3
    TEST = 4
    MILITARY = 5


class IdKind(IntEnum):
    """The kind of identity document of EF 16."""

    RESIDENT_IDENTITY = 0x00
    OFFICER = 0x01
    PASSPORT = 0x02
    ENTRY_PERMIT = 0x03
    TEMPORARY_IDENTITY = 0x04
    OTHER = 0x05


class JourneyKind(IntEnum):
    """What a journey record tells: EF 1E, byte 0 (EC electronic cash, EP purse)."""

    NONE = 0x00
    EC_ENTRY = 0x01
    EC_EXIT = 0x02
    EP_ENTRY = 0x03
    EP_EXIT = 0x04
    EC_SINGLE = 0x05
    EP_SINGLE = 0x06
    EC_SUPPLEMENT = 0x07
    EP_SUPPLEMENT = 0x08
    EC_LOAD = 0x09
    EP_LOAD = 0x0A


class Industry(IntEnum):
    """The trade that wrote a journey record: EF 1E, byte 9."""

    NONE = 0x00
    METRO = 0x01
    BUS = 0x02
    WATER_BUS = 0x03
    TAXI = 0x04
    RENTAL = 0x05
    BICYCLE = 0x06
    PARKING = 0x07
    COACH = 0x08
    FERRY = 0x09
    RAILWAY = 0x0A
    AIR = 0x0B
    TOLL = 0x0C
    SUBURBAN_RAIL = 0x0E


class FileKind(IntEnum):
    """File types with the type byte of CREATE FILE (FMCOS; docs/card.md)."""

    BINARY = 0x28
    FIXED = 0x2A
    VARIABLE = 0x2C
    CYCLIC = 0x2E
    PURSE = 0x2F
    KEYS = 0x3F
