"""What lies in the blocks of a city's sector card: issue, purse information, history, metro (docs/mifare.md).

Each record is the body of a block: 15 bytes and a CRC-8, or 14 and CRC-16/X.25 for the metro's.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from enum import IntEnum

from citycard.card.codec import (
    amount,
    bcd,
    date,
    decode,
    encode,
    examples,
    hexed,
    layout,
    reserved,
    unsigned,
)
from citycard.errors import CodecError
from citycard.mifare.crc import is_sealed, seal

__all__ = [
    "LARGEST_AMOUNT_FEN",
    "LARGEST_BALANCE_FEN",
    "LOCKED",
    "AdditionalIssue",
    "BasicIssue",
    "History",
    "MetroInfo",
    "PurseInfo",
    "SaleIssue",
    "SectorEnable",
    "TradeKind",
    "line_before",
    "read_info",
    "read_line",
    "sealed",
]

LARGEST_AMOUNT_FEN = 0xFFFF
LARGEST_BALANCE_FEN = 0xFFFFFF
"""The most that a line of history can say: larger amounts and balances are written as these."""
LOCKED = 0x04
"""The lock flag of a card that no terminal may charge any more."""


class SectorEnable(IntEnum):
    """Whether a sector card may be used."""

    CPU_CARD = 0x02
    NOT_ENABLED = 0xAA
    ENABLED = 0xBB


class TradeKind(IntEnum):
    """What the last trade was; odd kinds are the public purse's, even ones the dedicated purse's."""

    NONE = 0
    LOAD_PUBLIC = 1
    LOAD_DEDICATED = 2
    PURCHASE_PUBLIC = 3
    PURCHASE_DEDICATED = 4


@layout(size=15)
class BasicIssue:
    """Issue data as 住建部 cities write it, block 4."""

    city: str = bcd(2, note="GB/T 2260, four digits")
    industry: str = bcd(2)
    serial: str = hexed(4)
    authentication: str = hexed(4, default="00000000", note="card authentication code")
    enable: int = unsigned(1, default=SectorEnable.ENABLED)
    card_kind: int = unsigned(1, default=1)
    key_version: int = unsigned(1, default=1)

    @property
    def number8(self) -> bytes:
        """The card's number as 8 bytes: city, industry, serial."""
        return bytes.fromhex(self.city + self.industry + self.serial)


@layout(size=15)
class SaleIssue:
    """Issue data as the Changsha metro writes it, block 1 of its sector."""

    main_type: str = hexed(1, default="50")
    card_kind: int = unsigned(1, default=1, note="01 ordinary, A3 adult, A4 student, A5 senior, A6 disabled")
    serial: str = bcd(4)
    sold_at: str = bcd(5, default="0000000000", note="yymmddhhmm")
    sold_by: str = hexed(2, default="0000")
    deposit_yuan: int = unsigned(1, default=0)
    enable: int = unsigned(1, default=SectorEnable.ENABLED)

    @property
    def number8(self) -> bytes:
        """The card's number as 8 bytes: types, two zeros, serial."""
        return bytes.fromhex(self.main_type) + bytes((self.card_kind, 0, 0)) + bytes.fromhex(self.serial)


@layout(size=15)
class AdditionalIssue:
    """Issue data that is written when the card is sold, block 6."""

    sold_on: str = bcd(3, default="000000", note="yymmdd")
    purse_mode: int = unsigned(1, default=2, note="0 none, 1 dedicated, 2 public, 3 both")
    city: str = bcd(2)
    industry: str = bcd(2)
    mac: str = hexed(4, default="00000000", note="MAC of the card")
    rfu: bytes = reserved(3)


@layout(size=15)
class PurseInfo:
    """Public information, main and backup: the last trade and where it stands."""

    flag: int = unsigned(1, default=0, note="where the last trade stands")
    kind: int = unsigned(1, default=TradeKind.NONE)
    pointer: int = unsigned(1, default=0, note="which history block is written next")
    public_count: int = unsigned(2, default=0)
    other_count: int = unsigned(2, default=0, note="trades of the dedicated purse")
    on: dt.date | None = date(default=None)
    lock: int = unsigned(1, default=0, note="04: locked")
    rfu: bytes = reserved(3)

    @property
    def locked(self) -> bool:
        """Say whether terminals must not charge the card."""
        return self.lock == LOCKED


@layout(size=15)
class History:
    """One line of history. ``amount_fen`` and ``balance_before_fen`` stay at FF… where they do not fit."""

    kind: int = unsigned(1)
    operator: str = hexed(2)
    terminal: str = hexed(4)
    on: str = bcd(3, note="yymmdd")
    balance_before_fen: int = amount(3)
    amount_fen: int = amount(2)

    @property
    def day(self) -> dt.date | None:
        """The day of the trade, or None where the card holds none."""
        try:
            return dt.date.fromisoformat("20" + self.on)
        except ValueError:
            return None


@layout(size=14)
class MetroInfo:
    """The metro's journey, main and backup."""

    state: str = hexed(3, default="000000", note="nibbles: version, device, status")
    station: str = hexed(2, default="0000")
    at: str = hexed(4, default="00000000")
    entry: str = hexed(2, default="0000")
    rfu: bytes = reserved(3)


def sealed(record: object) -> bytes:
    """Return the 16 bytes of a block with a CRC-8."""
    return seal(encode(record))


def read_info(block16: bytes) -> PurseInfo | None:
    """Return the public information in a block, or None when it is torn."""
    if not is_sealed(block16):
        return None
    try:
        return decode(PurseInfo, block16[:-1])
    except CodecError:
        return None


def read_line(block16: bytes) -> History | None:
    """Return the line of history in a block, or None when it is torn or was never written."""
    if not is_sealed(block16):
        return None
    try:
        return decode(History, block16[:-1])
    except CodecError:
        return None


def line_before(blocks: Iterable[bytes], balance_fen: int) -> History | None:
    """Return the line of history of a trade that found this balance, or None."""
    wanted = min(balance_fen, LARGEST_BALANCE_FEN)
    lines = (read_line(block) for block in blocks)
    return next((line for line in lines if line and line.balance_before_fen == wanted), None)


examples(
    BasicIssue,
    (
        "4100 0001 00012345 DEADBEEF BB 03 01",
        BasicIssue(city="4100", industry="0001", serial="00012345", authentication="DEADBEEF", card_kind=3),
    ),
)
examples(
    SaleIssue,
    (
        "50 A4 00012345 1309010830 0102 14 BB",
        SaleIssue(card_kind=0xA4, serial="00012345", sold_at="1309010830", sold_by="0102", deposit_yuan=20),
    ),
)
examples(
    AdditionalIssue,
    (
        "130901 02 4100 0001 01020304 000000",
        AdditionalIssue(sold_on="130901", city="4100", industry="0001", mac="01020304"),
    ),
)
examples(
    PurseInfo,
    (
        "13 03 00 0102 0003 20180901 04 000000",
        PurseInfo(
            flag=0x13,
            kind=TradeKind.PURCHASE_PUBLIC,
            public_count=258,
            other_count=3,
            on=dt.date(2018, 9, 1),
            lock=LOCKED,
        ),
    ),
)
examples(
    History,
    (
        "03 3000 89000340 180901 001388 017C",
        History(
            kind=3,
            operator="3000",
            terminal="89000340",
            on="180901",
            balance_before_fen=5000,
            amount_fen=380,
        ),
    ),
)
examples(
    MetroInfo,
    (
        "100301 0226 5B8A1234 0007 000000",
        MetroInfo(state="100301", station="0226", at="5B8A1234", entry="0007"),
    ),
)
