"""What transit keeps on a card: the rail record of EF 1A (JT/T 978; docs/transit.md).

A gate writes it together with a journey record in one composite purchase, so that it changes exactly
when the purse does. Flat bus rides are plain purchases and leave their trace in the purse log.
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum

from citycard.card.codec import (
    amount,
    bcd,
    choice,
    encode,
    examples,
    hexed,
    layout,
    moment,
    raw,
    reserved,
    unsigned,
)
from citycard.card.sector import SectorLayout

__all__ = ["NO_INSTITUTION", "RAIL", "RailRecord", "RailState", "RideFacts", "station_bytes"]

NO_INSTITUTION = "0" * 16
_NO_STATION = "0" * 16
_NO_TERMINAL = "0" * 16


class RailState(IntEnum):
    """Where the rider is, as far as the card knows."""

    INITIAL = 0
    ENTERED = 1
    EXITED = 2
    ENTRY_UPDATED = 3
    """A gate opened the ride, because the entry was never written (进站更新)."""
    EXIT_UPDATED = 4


@layout(size=125)
class RailRecord:
    """The rail record (轨道交通) without its three bytes of record id and length."""

    valid: int = unsigned(1, default=1)
    trade: int = unsigned(1, default=1, note="1 composite purchase")
    lock: int = unsigned(1, default=0)
    serial: str = bcd(8, default="0" * 16)
    state: RailState = choice(RailState)
    entry_city: str = bcd(2, default="0000", note="GB/T 13497")
    exit_city: str = bcd(2, default="0000")
    entry_institution: str = hexed(8, default=NO_INSTITUTION)
    exit_institution: str = hexed(8, default=NO_INSTITUTION)
    entry_station: str = hexed(8, default=_NO_STATION, note="place number, then zeros")
    exit_station: str = hexed(8, default=_NO_STATION)
    entry_terminal: str = bcd(8, default=_NO_TERMINAL, note="terminal number, then two zero bytes")
    exit_terminal: str = bcd(8, default=_NO_TERMINAL)
    entry_at: dt.datetime | None = moment(default=None)
    exit_at: dt.datetime | None = moment(default=None)
    marked_fen: int = amount(default=0, note="lowest local fare at entry, zero at exit")
    entry_line: int = unsigned(1, default=0)
    exit_line: int = unsigned(1, default=0)
    entry_amount_fen: int = amount(default=0)
    entry_balance_fen: int = amount(default=0)
    exit_amount_fen: int = amount(default=0)
    reserved: bytes = reserved(29)


@layout(size=48)
class RideFacts:
    """Transit's own 48 bytes of a transaction record: what the price depends on, and where it was.

    ``previous_*`` describe the earlier ride that the gate read from the card, when that makes it a transfer.
    """

    place: int = unsigned(4, note="number of the station, or of the bus line")
    origin: int = unsigned(4, default=0, note="station of the entry, 0 when it was not seen")
    entered_at: dt.datetime | None = moment(default=None)
    entry_terminal: str = bcd(6, default="0" * 12)
    vehicle: bytes = raw(10, default=bytes(10), note="gate or vehicle, ASCII or GB 18030")
    previous_place: int = unsigned(4, default=0)
    previous_at: dt.datetime | None = moment(default=None)
    spent_today_fen: int = amount(default=0, note="what the card paid before on this day, for caps")
    operator: int = unsigned(2, default=0, note="the operator's own number, 0 when it has none")


def station_bytes(place: int) -> str:
    """Write a place number as the eight bytes of a station, in hexadecimal."""
    return f"{place:08X}".ljust(16, "0")


_ENTERED = RailRecord(
    state=RailState.ENTERED,
    entry_city="5840",
    entry_institution="01015840FFFFFFFF",
    entry_station=station_bytes(105),
    entry_terminal="0002630271210000",
    entry_at=dt.datetime(2018, 9, 1, 11, 17, 31),  # noqa: DTZ001 - cards know local time only
    marked_fen=200,
    entry_line=1,
    entry_balance_fen=5000,
)
examples(
    RailRecord,
    (
        "01 01 00 0000000000000000 01 5840 0000 01015840FFFFFFFF 0000000000000000 0000006900000000"
        "0000000000000000 0002630271210000 0000000000000000 20180901111731 00000000000000 000000C8 01 00"
        "00000000 00001388 00000000" + "00" * 29,
        _ENTERED,
    ),
)
examples(
    RideFacts,
    (
        "00000069 00000065 20180901110200 000263027121"
        + b"OGT-112".hex()
        + "000000 00000000 00000000000000 00000000 0000",
        RideFacts(
            place=105,
            origin=101,
            entered_at=dt.datetime(2018, 9, 1, 11, 2),  # noqa: DTZ001 - cards know local time only
            entry_terminal="000263027121",
            vehicle=b"OGT-112\0\0\0",
        ),
    ),
)

RAIL = SectorLayout(
    name="transit-rail",
    title="Metro ride in progress",
    title_zh="轨道交通行程",
    record=RailRecord,
    record_id=0x2701,
    examples=((encode(_ENTERED), _ENTERED),),  # type: ignore[arg-type]
)
