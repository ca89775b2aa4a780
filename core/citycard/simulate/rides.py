"""Who taps where and when: cards with habits, one block of cards after the other.

A block is always the same cards with dice of its own, so that what is made does not depend on how many
blocks are made at once, or in which order.
"""

from __future__ import annotations

from typing import Final

import attrs
import numpy as np

from citycard.simulate.columns import Flags, Ints, ranks
from citycard.simulate.ground import DAY
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.tariff import Tariff

__all__ = ["BLOCK", "Rides", "blocks", "dice", "ride"]

BLOCK: Final = 16_384
"""How many cards a block has."""

_HOUR = 3600
# The share of cards whose owners commute, and of their journeys that are the usual one.
_COMMUTERS, _USUAL = 0.6, 0.8
# Mean and spread of the hour of the way there and of the way back.
_PEAKS: Final = ((8.1, 0.7), (18.1, 1.1))
# Other journeys begin between the first and the last of these hours, mostly around the middle one.
_OPEN: Final = (5.5, 14.5, 22.5)
# What lies at least between two journeys of a card, and the bits of all times of a simulation.
_PAUSE_S, _TIME_BITS = 60, 32
# So often journeys that their card has no time for are dealt again.
_TRIES: Final = 100
# Most cards are of the first product.
_FIRST_PRODUCT = 0.7


@attrs.frozen(kw_only=True, eq=False)
class Rides:
    """The taps of a block by card and time: ``card`` in it, ``tap`` in the tariff, ``counter`` of the card.

    ``seconds`` count from the first midnight, ``days`` are business days from 0. ``products`` has one entry
    for each card of the block.
    """

    products: Ints
    card: Ints
    tap: Ints
    seconds: Ints
    days: Ints
    counter: Ints


def blocks(plan: SimulationPlan) -> list[tuple[int, int]]:
    """List the blocks of a plan, each by its first card and the one after its last."""
    return [(first, min(first + BLOCK, plan.cards)) for first in range(0, plan.cards, BLOCK)]


def dice(plan: SimulationPlan, first: int, purpose: int) -> np.random.Generator:
    """Give the dice of a block for one purpose: 1 rides, 2 terminals, 3 faults."""
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([plan.seed, purpose, first // BLOCK])))


def ride(plan: SimulationPlan, tariff: Tariff, products: int, first: int, last: int) -> Rides:
    """Make the taps of the cards from ``first`` to before ``last``: exactly their share of the records."""
    rng, cards = dice(plan, first, 1), last - first
    before, after = plan.share(plan.records, first, last)
    quota = after - before
    of_card = _products(rng, cards, products)
    usual = np.searchsorted(tariff.chances, rng.random(cards), side="right")
    commutes = rng.random(cards) < _COMMUTERS
    activity = np.cumsum(rng.exponential(size=cards) + 0.2)
    # A journey has one tap or more: so many journeys are enough, and the last one is cut where they are full.
    card = np.searchsorted(activity, rng.random(quota) * activity[-1], side="right")
    as_usual = commutes[card] & (rng.random(quota) < _USUAL)
    other = np.searchsorted(tariff.chances, rng.random(quota), side="right")
    habit = np.where(as_usual, usual[card], other)
    lengths = tariff.lengths[habit]
    full = int(np.searchsorted(np.cumsum(lengths), quota)) + 1
    card, habit, as_usual, lengths = card[:full], habit[:full], as_usual[:full], lengths[:full].copy()
    cut = int(lengths.sum()) - quota
    if quota:
        lengths[-1] -= cut
    day = rng.integers(plan.days, size=len(card))
    turn = _turns(card, day)
    back = np.where(as_usual, turn % 2, rng.integers(2, size=len(card)))
    began = day * DAY + _begin(rng, turn, as_usual)
    if cut:
        # Nothing comes after a journey without its end.
        day[-1], began[-1] = plan.days - 1, plan.days * DAY - _HOUR
    journey = np.repeat(np.arange(len(card)), lengths)
    step = np.arange(len(journey)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    tap = tariff.starts[2 * habit[journey] + back[journey]] + step
    if quota:
        lasts_s = np.maximum.reduceat(tariff.seconds[tap], np.cumsum(lengths) - lengths)
        card, began = _in_time(rng, cards, card, day, began, lasts_s)
    seconds = began[journey] + tariff.seconds[tap]
    order = np.lexsort((step, seconds, began[journey], card[journey]))
    owner = card[journey][order]
    return Rides(
        products=of_card,
        card=owner,
        tap=tap[order],
        seconds=seconds[order],
        days=day[journey][order],
        counter=ranks(owner),
    )


def _products(rng: np.random.Generator, cards: int, products: int) -> Ints:
    others = 1 + rng.integers(max(products - 1, 1), size=cards)
    return np.where((rng.random(cards) < _FIRST_PRODUCT) | (products == 1), 0, others)


def _turns(card: Ints, day: Ints) -> Ints:
    """Number the journeys of one card on one day."""
    order = np.lexsort((day, card))
    turns = np.empty(len(card), dtype=np.int64)
    turns[order] = ranks(card[order], day[order])
    return turns


def _in_time(
    rng: np.random.Generator, cards: int, card: Ints, day: Ints, began: Ints, lasts_s: Ints
) -> tuple[Ints, Ints]:
    """Let each card do its journeys one by one; what is not over a day after its own is for another card.

    A card that is out a lot, for hours each time, would come to days that clearing must not believe.
    """
    for _ in range(_TRIES):
        found = _one_by_one(card, began, lasts_s)
        late = found + lasts_s >= (day + 2) * DAY
        if not late.any():
            break
        card = np.where(late, rng.integers(cards, size=len(card)), card)
    return card, found


def _one_by_one(card: Ints, began: Ints, lasts_s: Ints) -> Ints:
    """Let each journey of a card begin when the one before is over, and not earlier than it would."""
    order = np.lexsort((began, card))
    whose, needed = card[order], lasts_s[order] + _PAUSE_S
    earlier = np.cumsum(needed) - needed
    firsts = np.flatnonzero(np.diff(whose, prepend=-1))
    earlier -= np.repeat(earlier[firsts], np.diff(np.append(firsts, len(whose))))
    # Each card's times lie above those of the cards before it.
    high = whose << _TIME_BITS
    found = np.empty_like(began)
    found[order] = np.maximum.accumulate(began[order] - earlier + high) - high + earlier
    return found


def _begin(rng: np.random.Generator, turn: Ints, as_usual: Flags) -> Ints:
    way = turn % 2
    peaks = np.array(_PEAKS)
    peak = rng.normal(peaks[way, 0], peaks[way, 1])
    other = rng.triangular(*_OPEN, size=len(turn))
    hours = np.where(as_usual & (turn < len(_PEAKS)), peak, other)
    return (np.clip(hours, _OPEN[0], _OPEN[-1]) * _HOUR).astype(np.int64)
