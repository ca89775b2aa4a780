"""The transaction record: 128 bytes that a terminal hands in for every debit (docs/terminal.md)."""

from __future__ import annotations

import datetime as dt
from enum import IntEnum, IntFlag
from typing import TypeVar

import attrs

from citycard.card.codec import (
    amount,
    bcd,
    choice,
    decode,
    examples,
    hexed,
    layout,
    layout_of,
    moment,
    raw,
    reserved,
    unsigned,
)

__all__ = [
    "FACTS_SIZE",
    "MAC_OFFSET",
    "RECORD_SIZE",
    "RecordFlag",
    "RecordKind",
    "RecordPlan",
    "TransactionRecord",
    "read_record",
]

_Facts = TypeVar("_Facts")

RECORD_SIZE = 128
FACTS_SIZE = 48
MAC_OFFSET = 122
"""The terminal's MAC covers the bytes before this offset."""


class RecordKind(IntEnum):
    """What happened at the terminal."""

    ENTRY = 1
    EXIT = 2
    SINGLE = 3
    OPENED = 4


class RecordFlag(IntFlag):
    """What clearing has to know about how a record came to be."""

    NONE = 0
    RECOVERED = 1
    """The debit was torn; the card proved later that it was done."""
    TRANSFER = 2
    """The terminal saw that this ride continues another one."""
    UNPROVEN = 4
    """The card never gave a TAC, or nobody knows whether the debit was done: ``tac`` is zero."""


@layout(size=RECORD_SIZE)
class TransactionRecord:
    """One debit as handed in: what the card said, what the terminal asked, the proofs of both (TAC, MAC)."""

    version: int = unsigned(1, default=1, note="1")
    kind: RecordKind = choice(RecordKind)
    tti: int = unsigned(1, note="06 purchase, 09 composite purchase")
    flags: int = unsigned(1, default=0, note="1 recovered, 2 transfer, 4 unproven")
    service: int = unsigned(2, note="number of the service, claimed by a plugin")
    issuer: str = hexed(8, note="EF 15")
    asn: str = bcd(10, note="EF 15")
    card_kind: int = unsigned(1, note="EF 17")
    key_version: int = unsigned(1, note="purchase key version, from INITIALIZE")
    algorithm: int = unsigned(1, note="from INITIALIZE")
    counter: int = unsigned(2, note="offline counter before the debit")
    balance_before_fen: int = amount()
    amount_fen: int = amount()
    balance_after_fen: int = amount()
    terminal: str = bcd(6)
    terminal_serial: int = unsigned(4, note="the SAM's own count")
    at: dt.datetime = moment(blank=False, note="local time")
    tac: bytes = raw(4, note="the card's proof; covers amount, TTI, terminal, serial, time")
    config: int = unsigned(4, note="number of the configuration the tap was made under")
    blacklist: int = unsigned(4, note="number of the blacklist in use")
    list_price_fen: int = amount(default=0, note="price before any rule")
    facts: bytes = raw(FACTS_SIZE, default=bytes(FACTS_SIZE), note="the service's own layout")
    mac: bytes = raw(4, default=bytes(4), note="terminal's MAC over bytes 0 to 121")
    reserved: bytes = reserved(2)


@attrs.frozen(kw_only=True)
class RecordPlan:
    """What a terminal knows before the debit: the part of a record that does not come from the card.

    ``facts`` may be shorter than 48 bytes; zeros follow. The number of the configuration is the terminal's
    own.
    """

    kind: RecordKind = RecordKind.SINGLE
    service: int = 0
    facts: bytes = attrs.field(default=b"", validator=attrs.validators.max_len(FACTS_SIZE))
    list_price_fen: int = 0
    transfer: bool = False

    def read(self, layout: type[_Facts]) -> _Facts:
        """Read the facts by the service's layout; CodecError when they are none."""
        size = layout_of(layout).size
        return decode(layout, self.facts.ljust(size, b"\0")[:size])


def read_record(data: bytes) -> TransactionRecord:
    """Read one record of a batch; CodecError when the bytes are not one."""
    return decode(TransactionRecord, data)


examples(
    TransactionRecord,
    (
        (
            "01 02 09 01 0102 01011000FFFFFFFF 03105170070104791381 01 01 00 042C"
            "00000FF5 000001F4 00000E01 300089000340 00000011 20241229141740 A1B2C3D4"
            f"00000007 00000003 00000226 {'AB' * 48} 01020304 0000"
        ),
        TransactionRecord(
            kind=RecordKind.EXIT,
            tti=0x09,
            flags=int(RecordFlag.RECOVERED),
            service=0x0102,
            issuer="01011000FFFFFFFF",
            asn="03105170070104791381",
            card_kind=1,
            key_version=1,
            algorithm=0,
            counter=0x042C,
            balance_before_fen=4085,
            amount_fen=500,
            balance_after_fen=3585,
            terminal="300089000340",
            terminal_serial=17,
            at=dt.datetime.fromisoformat("2024-12-29T14:17:40"),
            tac=bytes.fromhex("A1B2C3D4"),
            config=7,
            blacklist=3,
            list_price_fen=550,
            facts=b"\xab" * 48,
            mac=bytes.fromhex("01020304"),
        ),
    ),
)
