"""Follow one card: its counters without a hole, its balance from one debit to the next, the loads between.

The money of an offline debit is gone whatever clearing thinks of it, so that a card's trail follows every
record that its own TAC proves, also the ones that are suspended for another reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import accumulate
from typing import TYPE_CHECKING

import attrs

from citycard.clearing.codes import Code

if TYPE_CHECKING:
    from citycard.clearing.grey import Greys

__all__ = ["CardState", "CardTrail", "Gap", "Sighting", "SpentLoad"]


@attrs.frozen
class CardState:
    """Where a card stood after its last proven debit; a new card has no counter, no money and no load."""

    counter: int = -1
    balance_fen: int = 0
    online_atc: int = -1


@attrs.frozen
class SpentLoad:
    """A load that the card has, or, while it is not ``proven``, may have."""

    online_atc: int
    amount_fen: int
    proven: bool
    at: datetime


@attrs.frozen
class Gap:
    """Counters from ``first`` to ``last`` that nobody has handed in, and what they may have cost."""

    first: int
    last: int
    estimate_fen: int | None

    def without(self, counter: int, amount_fen: int) -> list[Gap]:
        """Take one counter out; what remains of the estimate is kept only where it belongs to one piece."""
        rest = [(self.first, counter - 1), (counter + 1, self.last)]
        pieces = [piece for piece in rest if piece[0] <= piece[1]]
        left = None if self.estimate_fen is None else max(self.estimate_fen - amount_fen, 0)
        return [Gap(first, last, left if len(pieces) == 1 else None) for first, last in pieces]


@attrs.frozen
class Sighting:
    """What one record says about its card."""

    counter: int
    before_fen: int
    amount_fen: int
    after_fen: int
    at: datetime
    raw: bytes


class CardTrail:
    """One card's trail through one run. Show it the records by counter, then by time; it says what is odd.

    ``gaps`` are those open before the run; ``earlier`` holds the records of earlier runs by counter, for the
    counters that this run might repeat; ``greys`` are debits that the card did not confirm.
    """

    __slots__ = ("_earlier", "_greys", "_loads", "_seen", "gaps", "state")

    def __init__(
        self,
        state: CardState,
        gaps: Sequence[Gap],
        loads: Sequence[SpentLoad],
        earlier: Mapping[int, frozenset[bytes]],
        greys: Greys | None = None,
    ) -> None:
        self.state = state
        self.gaps = list(gaps)
        self._loads = loads
        self._earlier = earlier
        self._greys = greys
        self._seen: set[int] = set()

    def see(self, sighting: Sighting) -> Code | None:
        """Add one record; return D02, D04, C01, C02, C03 or L01, or None when it simply comes next."""
        code: Code | None
        if sighting.counter <= self.state.counter:
            code = self._late(sighting)
        elif sighting.counter == self.state.counter + 1:
            code = self._next(sighting)
        else:
            code = self._after_gap(sighting)
        self._seen.add(sighting.counter)
        return code

    def settle(self) -> None:
        """Let all that was seen decide the unconfirmed debits; gaps that they fill are closed."""
        if self._greys is not None:
            self.gaps = self._greys.settle(self.state, self.gaps, self._earlier)

    def _late(self, sighting: Sighting) -> Code:
        for place, gap in enumerate(self.gaps):
            if gap.first <= sighting.counter <= gap.last:
                self.gaps[place : place + 1] = gap.without(sighting.counter, sighting.amount_fen)
                return Code.L01
        earlier = self._earlier.get(sighting.counter, frozenset())
        if sighting.raw in earlier:
            return Code.D04
        return Code.D02 if earlier or sighting.counter in self._seen else Code.C02

    def _next(self, sighting: Sighting) -> Code | None:
        online_atc = self._loaded(sighting.before_fen - self.state.balance_fen, self.state.online_atc)
        broken = online_atc is None
        if online_atc is None:
            online_atc, _ = self._loads_until(sighting.at)
        self.state = CardState(sighting.counter, sighting.after_fen, online_atc)
        return Code.C03 if broken else None

    def _after_gap(self, sighting: Sighting) -> Code | None:
        if self._greys is not None:
            crossed = self._greys.bridge(self.state, sighting, self._loaded)
            if crossed is not None:
                self.state = CardState(sighting.counter, sighting.after_fen, crossed)
                return None
        online_atc, loaded_fen = self._loads_until(sighting.at)
        spent_fen = self.state.balance_fen + loaded_fen - sighting.before_fen
        # Below zero it was loaded more than anybody told: then nothing says what was spent.
        gap = Gap(self.state.counter + 1, sighting.counter - 1, spent_fen if spent_fen >= 0 else None)
        self.gaps.append(gap)
        if self._greys is not None and not self._greys.unclear and gap.estimate_fen is not None:
            self._greys.refuse(gap)
        self.state = CardState(sighting.counter, sighting.after_fen, online_atc)
        return Code.C01

    def _loaded(self, difference_fen: int, after_atc: int) -> int | None:
        """Find the loads that explain a difference: the next ones, with or without those still unproven."""
        if difference_fen == 0:
            return after_atc
        coming = [load for load in self._loads if load.online_atc > after_atc]
        for chosen in (coming, [load for load in coming if load.proven]):
            sums = accumulate(load.amount_fen for load in chosen)
            for load, sum_fen in zip(chosen, sums, strict=True):
                if sum_fen == difference_fen:
                    return load.online_atc
        return None

    def _loads_until(self, at: datetime) -> tuple[int, int]:
        """Take the proven loads up to a moment: the last one's counter, and their sum."""
        taken = [
            load
            for load in self._loads
            if load.online_atc > self.state.online_atc and load.proven and load.at <= at
        ]
        last = taken[-1].online_atc if taken else self.state.online_atc
        return last, sum(load.amount_fen for load in taken)
