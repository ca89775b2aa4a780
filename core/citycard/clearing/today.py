"""What each card paid before on its day, by its own records: for caps no terminal has to be believed.

It is what the card's log would say if it were long enough: all proven debits since midnight for services
whose prices ask for it, whatever clearing thinks of them. Where a debit is missing, or a clock was wrong, it
is the least that was paid.
"""

from __future__ import annotations

import numpy as np

from citycard.clearing.bucket import NO_DAY, Bucket, States
from citycard.clearing.columns import Array
from citycard.clearing.trips import Trail

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


def follow_days(bucket: Bucket, states: States, trail: Trail, counts: Array, unknown: Array) -> Today:
    """Add up those of each card's debits that count by day, and keep its latest day in ``states``.

    The sum of a day is ``sure`` as long as no counter of the card was missing since the day before, no clock
    showed an earlier day, and it is known of every debit whether it counts. A record of an earlier day has no
    sum of its own.
    """
    today = Today(len(bucket))
    if not len(trail.places):
        return today
    card, firsts = trail.card, np.flatnonzero(trail.begins)
    turn = np.cumsum(trail.begins) - 1
    lasts = np.append(firsts[1:], len(card)) - 1
    known = states.spent_day[card[firsts]]
    # Days are counted from one before the first, which stands for no day.
    day = bucket.at[trail.places].astype("datetime64[D]").astype(np.int64)
    zero = min(day.min(), known[known != NO_DAY].min(initial=day.min())) - 1
    day = day - zero
    start = np.where(known == NO_DAY, 0, known - zero)
    latest = _highest(day, start, firsts, turn)
    before = np.roll(latest, 1)
    before[firsts] = start
    back, fresh = day < before, day > before
    group = np.maximum.accumulate(np.where(trail.begins | fresh, np.arange(len(card)), 0))
    amount_fen = np.where(back | ~counts[trail.places], 0, bucket.amount_fen[trail.places])
    paid_fen = np.cumsum(amount_fen) - amount_fen
    carried_fen = np.where(fresh[firsts], 0, states.spent_today_fen[card[firsts]])
    spent_fen = paid_fen - paid_fen[group] + np.where(group == firsts[turn], carried_fen[turn], 0)
    odd = trail.jumps | back | unknown[trail.places]
    # A new card has paid nothing before; of any other whose last day nobody knows, nobody knows.
    unknown = (known == NO_DAY) & (states.counter[card[firsts]] >= 0)
    odd[firsts] |= unknown | (~fresh[firsts] & ~states.day_whole[card[firsts]])
    so_far = np.cumsum(odd)
    whole = so_far - so_far[group] + odd[group] == 0
    today.spent_fen[trail.places] = np.where(back, 0, spent_fen)
    today.sure[trail.places] = whole & ~back
    states.spent_day[card[lasts]] = latest[lasts] + zero
    states.spent_today_fen[card[lasts]] = (spent_fen + amount_fen)[lasts]
    states.day_whole[card[lasts]] = whole[lasts]
    return today


def _highest(values: Array, start: Array, firsts: Array, turn: Array) -> Array:
    """Give the highest value of each card up to each place; ``start`` are those before the first."""
    begun = values.copy()
    begun[firsts] = np.maximum(values[firsts], start)
    span = begun.max() + 1
    highest: Array = np.maximum.accumulate(turn * span + begun) - turn * span
    return highest
