"""What the card says that a neighbouring gate has just done: a rider whom that gate left standing pays once.

A gate that debits a card and never hears of it does not open. It finds out at the card's next sight, but the
rider goes to the next gate. There the card itself tells: its rail record, or its log for a single ride.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from citycard.terminal.record import RecordKind
from citycard.terminal.session import PurseSession
from citycard_transit.purselog import earlier_ride
from citycard_transit.sectors import RailRecord, RailState, station_bytes

if TYPE_CHECKING:
    from citycard_transit.gates import Gate, Passage

__all__ = ["SAME_PASSAGE", "paid_nearby", "passed_nearby"]

SAME_PASSAGE = timedelta(seconds=60)


def passed_nearby(rail: RailRecord, gate: Gate, passage: Passage) -> bool:
    """Tell whether another gate of this station wrote this passage on the card within the last minute."""
    if passage.kind is RecordKind.ENTRY:
        done, station = rail.state is RailState.ENTERED, rail.entry_station
        terminal, at = rail.entry_terminal, rail.entry_at
    else:
        done, station = rail.state is RailState.EXITED, rail.exit_station
        terminal, at = rail.exit_terminal, rail.exit_at
    here = station == station_bytes(gate.site.place) and terminal[:12] != gate.terminal.number
    return done and here and _just_now(at, passage)


def paid_nearby(session: PurseSession, gate: Gate, passage: Passage) -> bool:
    """Tell whether another validator of this group took the fare of this card within the last minute."""
    if not gate.site.group:
        return False
    earlier = earlier_ride(session, passage.at)
    if earlier is None or earlier.terminal == gate.terminal.number or not _just_now(earlier.at, passage):
        return False
    site = gate.network.site_of(earlier.terminal)
    return site is not None and site.group == gate.site.group


def _just_now(at: datetime | None, passage: Passage) -> bool:
    return at is not None and timedelta(0) <= passage.at - at <= SAME_PASSAGE
