"""What a gate learns from the card's own log: the ride before this one, and what was spent today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, datetime

import attrs

from citycard.card.codec import decode
from citycard.card.files import TRANSIT_PROFILE, LogRecord, TransactionType
from citycard.errors import CardRefused, CodecError, CommandFailed
from citycard.terminal.session import PurseSession

__all__ = ["Earlier", "earlier_ride", "spent_today"]

_RECORDS = 10
_SPENDS = frozenset({TransactionType.PURCHASE, TransactionType.COMPOSITE})


@attrs.frozen(kw_only=True)
class Earlier:
    """An earlier paid ride as the log knows it."""

    at: datetime
    terminal: str
    amount_fen: int


def earlier_ride(session: PurseSession, before: datetime) -> Earlier | None:
    """Find the last ride that was paid up to a moment; entries cost nothing and are passed over."""
    return next((spent for spent in _spent(session) if spent.at <= before), None)


def spent_today(session: PurseSession, today: date, ours: Callable[[str], bool]) -> int:
    """Sum what the card paid on a day at terminals of ``ours``, in fen.

    The log has ten records; older ones are forgotten.
    """
    total_fen = 0
    for spent in _spent(session):
        if spent.at.date() != today:
            break
        total_fen += spent.amount_fen if ours(spent.terminal) else 0
    return total_fen


def _spent(session: PurseSession) -> Iterator[Earlier]:
    """List the debits above zero, newest first."""
    for number in range(1, _RECORDS + 1):
        try:
            line = decode(LogRecord, session.read_record(TRANSIT_PROFILE.log_sfi, number))
        except (CommandFailed, CardRefused, CodecError):
            return
        if line.at is None:
            return
        if line.tti in _SPENDS and line.amount_fen:
            yield Earlier(at=line.at, terminal=line.terminal, amount_fen=line.amount_fen)
