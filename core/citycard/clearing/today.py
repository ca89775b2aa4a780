"""What each card paid before on its day, by its own records: for caps no terminal has to be believed.

It is what the card's log would say if it were long enough: all proven debits since midnight, whatever
clearing thinks of them. Where a debit is missing, or a clock was wrong, it is the least that was paid.
"""

from __future__ import annotations

import numpy as np

from citycard.clearing.bucket import NO_DAY, Bucket, States
from citycard.clearing.columns import Array

__all__ = ["Today", "follow_days"]


class Today:
    """What was paid before each record of a bucket on its day, in fen, and whether that is ``sure``."""

    def __init__(self, count: int) -> None:
        self.spent_fen = np.zeros(count, np.int64)
        self.sure = np.zeros(count, bool)

    def told(self, places: Array, claimed_fen: Array) -> Array:
        """Give what is to be believed where terminals claim something."""
        spent_fen = self.spent_fen[places]
        found: Array = np.where(self.sure[places], spent_fen, np.maximum(spent_fen, claimed_fen))
        return found


def follow_days(bucket: Bucket, states: States, places: Array, begins: Array, jumps: Array) -> Today:
    """Add up each card's debits by day, and keep the last day's in ``states``.

    ``places``, ``begins`` and ``jumps`` are those of ``trips.follow_trips``.
    """
    today = Today(len(bucket))
    if not len(places):
        return today
    card, counter = bucket.card[places], bucket.records["counter"][places].astype(np.int64)
    day = bucket.at[places].astype("datetime64[D]").astype(np.int64)
    reached = states.counter[card]
    before = np.where(begins, reached, np.maximum(np.roll(counter, 1), reached))
    day_before = np.where(begins, states.spent_day[card], np.roll(day, 1))
    amount_fen = np.where(counter > before, bucket.amount_fen[places], 0)
    firsts = np.flatnonzero(begins)
    turn = np.cumsum(begins) - 1
    fresh = day != day_before
    paid_fen = np.cumsum(amount_fen) - amount_fen
    group = np.maximum.accumulate(np.where(begins | fresh, np.arange(len(places)), 0))
    carried = np.where(fresh[firsts], 0, states.spent_today_fen[card[firsts]])
    spent_fen = paid_fen - paid_fen[group] + np.where(group == firsts[turn], carried[turn], 0)
    odd = day < day_before
    odd_before = np.cumsum(odd)
    odd_so_far: Array = odd_before - (odd_before - odd)[firsts][turn]
    missing = np.cumsum(jumps)
    since = missing - missing[group] + jumps[group]
    # A new card has paid nothing before; of any other whose last day nobody knows, nobody knows.
    unknown = (group == firsts[turn]) & (states.spent_day[card] == NO_DAY) & (reached >= 0)
    sure = (odd_so_far == 0) & (since == 0) & ~unknown
    late = counter <= reached
    today.spent_fen[places] = np.where(late, 0, spent_fen)
    today.sure[places] = sure & ~late
    lasts = np.append(firsts[1:], len(places)) - 1
    states.spent_today_fen[card[lasts]] = (spent_fen + amount_fen)[lasts]
    states.spent_day[card[lasts]] = np.where(sure[lasts], day[lasts], NO_DAY)
    return today
