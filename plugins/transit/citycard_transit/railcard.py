"""What a metro gate writes on a card: the next rail record, and the journey that other cities can read."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from citycard.card.codec import evolve
from citycard.card.files import Industry, JourneyKind, JourneyRecord
from citycard.terminal.record import RecordKind
from citycard_transit.sectors import RailRecord, RailState, station_bytes

if TYPE_CHECKING:
    from citycard_transit.gates import Gate

__all__ = ["entered", "exited", "journey", "opened"]

_LINE = 100
_ONE_BYTE = 0xFF
_NOWHERE = "0" * 16


def entered(before: RailRecord, gate: Gate, at: datetime, balance_fen: int) -> RailRecord:
    """Begin a ride at this gate; what an earlier ride left is overwritten."""
    return RailRecord(
        serial=before.serial,
        state=RailState.ENTERED,
        entry_city=gate.network.code,
        entry_institution=gate.network.institution,
        entry_station=station_bytes(gate.site.place),
        entry_terminal=f"{gate.terminal.number}0000",
        entry_at=at,
        entry_line=_line(gate.site.place),
        entry_balance_fen=balance_fen,
    )


def opened(before: RailRecord, gate: Gate, at: datetime, balance_fen: int) -> RailRecord:
    """Begin a ride whose entry nobody saw: the station stays unknown, the gate that opened it is named."""
    return RailRecord(
        serial=before.serial,
        state=RailState.ENTRY_UPDATED,
        entry_city=gate.network.code,
        entry_institution=gate.network.institution,
        entry_station=_NOWHERE,
        entry_terminal=f"{gate.terminal.number}0000",
        entry_at=at,
        entry_balance_fen=balance_fen,
    )


def exited(before: RailRecord, gate: Gate, at: datetime, amount_fen: int) -> RailRecord:
    """End the ride that the card is on."""
    return evolve(
        before,
        state=RailState.EXITED,
        exit_city=gate.network.code,
        exit_institution=gate.network.institution,
        exit_station=station_bytes(gate.site.place),
        exit_terminal=f"{gate.terminal.number}0000",
        exit_at=at,
        marked_fen=0,
        exit_line=_line(gate.site.place),
        exit_amount_fen=amount_fen,
    )


def journey(kind: RecordKind, gate: Gate, at: datetime, amount_fen: int, balance_fen: int) -> JourneyRecord:
    """Write one line of the journeys in EF 1E."""
    return JourneyRecord(
        kind=JourneyKind.EP_EXIT if kind is RecordKind.EXIT else JourneyKind.EP_ENTRY,
        terminal=f"0000{gate.terminal.number}",
        industry=Industry.METRO,
        station=f"{gate.site.place:08X}000000",
        amount_fen=amount_fen,
        balance_fen=balance_fen,
        at=at,
        city=gate.network.code,
        institution=gate.network.institution,
    )


def _line(place: int) -> int:
    # The card has one byte for the line; a city with more lines has them in the station number only.
    line = place // _LINE
    return line if line <= _ONE_BYTE else 0
