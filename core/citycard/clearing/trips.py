"""Trips of cards: an entry, then an exit of the same service. What is incomplete shows at the next (G02).

A trip is followed by the card's own counters. Where a debit is missing nobody knows whether it was the exit,
and nothing is said.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from citycard.clearing.bucket import NO_TRIP, Bucket
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array
from citycard.clearing.verdicts import Verdicts
from citycard.terminal.record import RecordKind

__all__ = ["Trail", "follow_trips"]

_OPENS: Final = (RecordKind.ENTRY, RecordKind.OPENED)


@attrs.frozen(kw_only=True, eq=False)
class Trail:
    """Records by which cards went on: one card after the other, each by counter, and each counter once.

    What comes late, or again, is not among them, so that it changes nothing of what is known of a card now.
    ``begins`` says where a card begins, ``jumps`` where counters are missing before a record.
    """

    places: Array
    card: Array
    begins: Array
    jumps: Array

    @classmethod
    def of(cls, bucket: Bucket, reached: Array, places: Array) -> Trail:
        """Give the trail among records, which are in order; ``reached`` are the cards' counters before."""
        card, counter = bucket.card[places], bucket.counter[places]
        before = reached[card]
        before[1:] = np.where(card[1:] == card[:-1], np.maximum(before[1:], counter[:-1]), before[1:])
        on = counter > before
        places, card = places[on], card[on]
        begins = np.ones(len(places), bool)
        begins[1:] = card[1:] != card[:-1]
        return cls(places=places, card=card, begins=begins, jumps=counter[on] != before[on] + 1)


def follow_trips(bucket: Bucket, verdicts: Verdicts, riding: Array, trail: Trail, places: Array) -> None:
    """Note G02 where a trip begins without an entry, or while one is open; keep what is open in ``riding``.

    ``places`` are all genuine records. ``riding`` has the service of each card's open trip, from before the
    run, and as it stands after it on return.
    """
    verdicts.decide(places[bucket.records["kind"][places] == RecordKind.OPENED], Code.G02)
    if not len(trail.places):
        return
    kind = bucket.records["kind"][trail.places]
    service = bucket.records["service"][trail.places].astype(np.int64)
    card, missing = trail.card, np.cumsum(trail.jumps)
    firsts = np.flatnonzero(trail.begins)
    lasts = np.append(firsts[1:], len(card)) - 1
    known = (missing - trail.jumps)[firsts]
    steps = np.flatnonzero(kind != RecordKind.SINGLE)
    opens = np.isin(kind[steps], _OPENS)
    after = np.where(opens, service[steps], NO_TRIP)
    fresh = np.ones(len(steps), bool)
    fresh[1:] = card[steps[1:]] != card[steps[:-1]]
    turn = np.searchsorted(firsts, steps, side="right") - 1
    before = np.where(fresh, riding[card[steps]], np.roll(after, 1))
    since = np.where(fresh, known[turn], np.roll(missing[steps], 1))
    before = np.where(since == missing[steps], before, NO_TRIP)
    verdicts.decide(trail.places[steps[opens & (before == service[steps])]], Code.G02)
    riding[card[firsts[known != missing[lasts]]]] = NO_TRIP
    final = np.roll(fresh, -1)
    ended = steps[final]
    whole = missing[ended] == missing[lasts[turn[final]]]
    riding[card[ended]] = np.where(whole, after[final], NO_TRIP)
