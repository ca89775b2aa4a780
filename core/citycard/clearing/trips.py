"""Trips of cards: an entry, then an exit of the same service. What is incomplete shows at the next (G02).

A trip is followed by the card's own counters. Where a debit is missing nobody knows whether it was the exit,
and nothing is said.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from citycard.clearing.bucket import NO_TRIP, Bucket
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array
from citycard.clearing.verdicts import Verdicts
from citycard.terminal.record import RecordKind

__all__ = ["follow_trips"]

_OPENS: Final = (RecordKind.ENTRY, RecordKind.OPENED)


def follow_trips(
    bucket: Bucket, verdicts: Verdicts, riding: Array, places: Array, begins: Array, jumps: Array
) -> None:
    """Note G02 where a trip begins without an entry, or while one is open; keep what is open in ``riding``.

    ``places`` are the genuine records, card after card and by counter; ``begins`` says where a card begins,
    ``jumps`` where a counter does not follow the one before. ``riding`` has the service of each card's open
    trip, from before the run, and as it stands after it on return.
    """
    if not len(places):
        return
    kind, service = bucket.records["kind"][places], bucket.records["service"][places].astype(np.int64)
    card, missing = bucket.card[places], np.cumsum(jumps)
    firsts = np.flatnonzero(begins)
    lasts = np.append(firsts[1:], len(places)) - 1
    known = (missing - jumps)[firsts]
    steps = np.flatnonzero(kind != RecordKind.SINGLE)
    opens = np.isin(kind[steps], _OPENS)
    after = np.where(opens, service[steps], NO_TRIP)
    fresh = np.ones(len(steps), bool)
    fresh[1:] = card[steps[1:]] != card[steps[:-1]]
    turn = np.searchsorted(firsts, steps, side="right") - 1
    before = np.where(fresh, riding[card[steps]], np.roll(after, 1))
    since = np.where(fresh, known[turn], np.roll(missing[steps], 1))
    before = np.where(since == missing[steps], before, NO_TRIP)
    incomplete = (kind[steps] == RecordKind.OPENED) | (opens & (before == service[steps]))
    verdicts.decide(places[steps[incomplete]], Code.G02)
    riding[card[firsts[known != missing[lasts]]]] = NO_TRIP
    final = np.roll(fresh, -1)
    ended = steps[final]
    whole = missing[ended] == missing[lasts[turn[final]]]
    riding[card[ended]] = np.where(whole, after[final], NO_TRIP)
