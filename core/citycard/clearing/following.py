"""Follow the cards of a bucket: most of them in one go, those with anything odd one by one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import starmap
from typing import Final

import attrs
import numpy as np

from citycard.clearing.bucket import Bucket, Known, States
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array
from citycard.clearing.grey import Greys
from citycard.clearing.sequence import CardState, CardTrail, Gap, Sighting
from citycard.clearing.today import Today, follow_days
from citycard.clearing.trips import Trail, follow_trips
from citycard.clearing.verdicts import NUMBERS, Verdicts
from citycard.store.bulk import chunks

__all__ = ["Followed", "follow_cards"]

_OVERRIDES = frozenset({Code.D04})
_AT_ONCE: Final = 1000


@attrs.frozen(kw_only=True, eq=False)
class Followed:
    """Where the cards of a bucket stand now, and the gaps of those whose gaps are others than before.

    ``confirmed`` are the places of unconfirmed debits that turned out to have happened, ``today`` says what
    cards had paid before on their day.
    """

    states: States
    gaps: dict[str, list[Gap]]
    confirmed: list[int]
    today: Today


def follow_cards(
    bucket: Bucket, verdicts: Verdicts, known: Known, genuine: Array, counts: Array, unknown: Array
) -> Followed:
    """Follow every card through its genuine records, by counter and then by time.

    ``counts`` says whose amounts are part of what a card paid on its day, ``unknown`` of which nobody knows.
    """
    order = bucket.by_card
    greys = _greys(bucket, verdicts)
    trails = _Trails(bucket, known, order[genuine[order]])
    states = known.states.copy()
    onward = Trail.of(bucket, states.counter, trails.places)
    follow_trips(bucket, verdicts, states.riding, onward, trails.places)
    today = follow_days(bucket, states, onward, counts, unknown)
    even = trails.even()
    last = np.flatnonzero(trails.ends & even[trails.card])
    cards, places = trails.card[last], trails.places[last]
    states.counter[cards] = bucket.counter[places]
    states.balance_fen[cards] = bucket.after_fen[places]
    states.online_atc[cards] = trails.online_atc(states.online_atc)[cards]
    gaps: dict[str, list[Gap]] = {}
    confirmed: list[int] = []
    odd = ~even
    odd[list(greys)] = True
    mine = trails.of(odd)
    for card, sighted in _sighted(bucket, np.flatnonzero(odd).tolist(), mine, greys):
        asn = bucket.asns[card]
        seen, some = mine.get(card, []), greys.get(card, [])
        trail, happened = _follow_card(bucket, verdicts, known, card, seen, some, sighted)
        confirmed += happened
        states.counter[card] = trail.state.counter
        states.balance_fen[card] = trail.state.balance_fen
        states.online_atc[card] = trail.state.online_atc
        if trail.gaps != known.gaps.get(asn, []):
            gaps[asn] = trail.gaps
    return Followed(states=states, gaps=gaps, confirmed=confirmed, today=today)


def _greys(bucket: Bucket, verdicts: Verdicts) -> dict[int, list[int]]:
    """Give the places of the unconfirmed debits of each card that has any."""
    found: dict[int, list[int]] = {}
    for place in np.flatnonzero(verdicts.codes == NUMBERS[Code.G01]).tolist():
        found.setdefault(int(bucket.card[place]), []).append(place)
    return found


class _Trails:
    """The genuine records of all cards, one card after the other: where each begins, and what is odd in it.

    A card is even when each counter follows the one before and each balance does, too, but for one load at
    most that explains the only difference. ``CardTrail`` has nothing to say about such a card.
    """

    def __init__(self, bucket: Bucket, known: Known, places: Array) -> None:
        self.places, self.card = places, bucket.card[places]
        self.begins = np.ones(len(places), bool)
        self.begins[1:] = self.card[1:] != self.card[:-1]
        self.ends = np.roll(self.begins, -1) if len(places) else self.begins
        self._count = len(bucket.asns)
        self._coming, self._load_fen, self._load_atc = _coming(known, self._count)
        counter, after_fen = bucket.counter[places], bucket.after_fen[places]
        counter_before = np.where(self.begins, known.states.counter[self.card], np.roll(counter, 1))
        before_fen = np.where(self.begins, known.states.balance_fen[self.card], np.roll(after_fen, 1))
        self.jumps = counter != counter_before + 1
        self._difference_fen = bucket.before_fen[places] - before_fen

    def of(self, cards: Array) -> dict[int, list[int]]:
        """Give the places of the records of some cards, given as a mask, by card."""
        here = cards[self.card]
        found: dict[int, list[int]] = defaultdict(list)
        for card, place in zip(self.card[here].tolist(), self.places[here].tolist(), strict=True):
            found[card].append(place)
        return found

    def even(self) -> Array:
        """Say of every card of the bucket whether all of its trail follows."""
        different = self._difference_fen != 0
        changes = np.bincount(self.card[different], minlength=self._count)
        one_load = (self._coming == 1) & (changes == 1)
        explained = one_load[self.card] & (self._difference_fen == self._load_fen[self.card])
        odd = self.jumps | (different & ~explained)
        even = np.ones(self._count, bool)
        even[self.card[odd]] = False
        return even

    def online_atc(self, before: Array) -> Array:
        """Give the online counter of every card after an even trail: the load's where one was seen."""
        seen = np.zeros(self._count, bool)
        seen[self.card[self._difference_fen != 0]] = True
        found: Array = np.where(seen, self._load_atc, before)
        return found


def _coming(known: Known, count: int) -> tuple[Array, Array, Array]:
    """Give of every card how many loads its trail has not seen, and amount and counter of the last."""
    loads = known.loads
    ahead = loads.online_atc > known.states.online_atc[loads.card]
    cards = loads.card[ahead]
    amount_fen, online_atc = np.zeros(count, np.int64), np.full(count, -1, np.int64)
    amount_fen[cards], online_atc[cards] = loads.amount_fen[ahead], loads.online_atc[ahead]
    return np.bincount(cards, minlength=count), amount_fen, online_atc


def _follow_card(
    bucket: Bucket,
    verdicts: Verdicts,
    known: Known,
    card: int,
    places: list[int],
    greys: list[int],
    sighted: Mapping[int, Sighting],
) -> tuple[CardTrail, list[int]]:
    """Follow one card; say also which of its unconfirmed debits, given as places, happened."""
    states, asn = known.states, bucket.asns[card]
    state = CardState(int(states.counter[card]), int(states.balance_fen[card]), int(states.online_atc[card]))
    debits = Greys([sighted[place] for place in greys]) if greys else None
    earlier = _earlier(bucket, known, asn, [*places, *greys])
    trail = CardTrail(state, known.gaps.get(asn, ()), known.loads.of(card), earlier, debits)
    for place in places:
        code = trail.see(sighted[place])
        if code in _OVERRIDES:
            verdicts.set(np.array([place]), code)
        elif code is not None:
            verdicts.decide([place], code)
    if debits is None:
        return trail, []
    trail.settle()
    for code, some in ((Code.G04, debits.released), (Code.D04, debits.repeated)):
        verdicts.set(np.array([greys[one] for one in some], np.int64), code)
    return trail, [greys[one] for one in sorted(debits.confirmed)]


def _sighted(
    bucket: Bucket, cards: list[int], mine: Mapping[int, list[int]], greys: Mapping[int, list[int]]
) -> Iterator[tuple[int, dict[int, Sighting]]]:
    """Give cards with what is said of them, which is read for many cards at a time."""
    for some in chunks(cards, _AT_ONCE):
        places = [place for card in some for place in (*mine.get(card, ()), *greys.get(card, ()))]
        sighted = _sightings(bucket, places)
        yield from ((card, sighted) for card in some)


def _sightings(bucket: Bucket, places: list[int]) -> dict[int, Sighting]:
    """Read what records say about their cards, column by column: one by one takes longer than to follow."""
    columns = (bucket.counter, bucket.before_fen, bucket.amount_fen, bucket.after_fen, bucket.at)
    raws = bucket.records.take(places).tobytes()
    size = bucket.records.itemsize
    told = zip(
        *(column[places].tolist() for column in columns),
        (raws[begin : begin + size] for begin in range(0, len(raws), size)),
        strict=True,
    )
    return dict(zip(places, starmap(Sighting, told), strict=True))


def _earlier(bucket: Bucket, known: Known, asn: str, places: list[int]) -> Mapping[int, frozenset[bytes]]:
    """Give a card's records of earlier runs by counter, without those that this run takes up again."""
    found = known.earlier.get(asn, {})
    held = {bucket.records[place].tobytes() for place in places if bucket.held_run[place]}
    if not held:
        return found
    return {counter: raws - held for counter, raws in found.items()}
