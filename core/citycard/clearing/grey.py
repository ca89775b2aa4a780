"""Unconfirmed debits of one card: the card gave no TAC, and its next sight tells whether it paid.

A debit under a counter happened when the card went on from there: by the next counter, and with the balance
that the debit left behind. It did not when the counter was used for something else.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from citycard.clearing.sequence import CardState, Gap, Sighting

__all__ = ["Greys"]

# The debits that lead to a state: the last one's place, and those before it.
_Path = tuple[int, "_Path"] | None


class Greys:
    """The unconfirmed debits of one card in one run, and what its other records say about them.

    ``confirmed``, ``released`` and ``repeated`` have the places, among those given, of the debits that
    happened, that did not, and that an earlier run has. Those in none of them wait for another sight.
    """

    __slots__ = ("_by_counter", "_debits", "confirmed", "released", "repeated", "unclear")

    def __init__(self, debits: Sequence[Sighting] = ()) -> None:
        self._debits = debits
        self._by_counter: dict[int, list[int]] = {}
        for place, debit in enumerate(debits):
            self._by_counter.setdefault(debit.counter, []).append(place)
        self.confirmed: set[int] = set()
        self.released: set[int] = set()
        self.repeated: set[int] = set()
        self.unclear = False

    def bridge(
        self, state: CardState, until: Sighting, loaded: Callable[[int, int], int | None]
    ) -> int | None:
        """Cross the counters between a state and a later record by debits that explain every balance.

        ``loaded(difference_fen, online_atc)`` finds the loads behind a difference: the last one's online
        counter, or None. Return it as of the record, with the debits confirmed; None where none lead there,
        or where more than one way does: then ``unclear`` says so, and nothing is decided.
        """
        self.unclear = False
        ways: dict[CardState, list[_Path]] = {state: [None]}
        for counter in range(state.counter + 1, until.counter):
            ways = self._over(counter, ways, loaded)
            if not ways:
                return None
        ends = [
            (online_atc, path)
            for reached, paths in ways.items()
            if (online_atc := loaded(until.before_fen - reached.balance_fen, reached.online_atc)) is not None
            for path in paths
        ]
        if len(ends) != 1:
            self.unclear = bool(ends)
            return None
        ((online_atc, path),) = ends
        while path is not None:
            self.confirmed.add(path[0])
            path = path[1]
        return online_atc

    def _over(
        self,
        counter: int,
        ways: Mapping[CardState, list[_Path]],
        loaded: Callable[[int, int], int | None],
    ) -> dict[CardState, list[_Path]]:
        """Go on by each debit under a counter; of the ways to a state two are enough to say it is unclear."""
        found: dict[CardState, list[_Path]] = {}
        for place in self._by_counter.get(counter, ()):
            debit = self._debits[place]
            for state, paths in ways.items():
                online_atc = loaded(debit.before_fen - state.balance_fen, state.online_atc)
                if online_atc is not None:
                    known = found.setdefault(CardState(counter, debit.after_fen, online_atc), [])
                    known += [(place, path) for path in paths][: 2 - len(known)]
        return found

    def refuse(self, gap: Gap) -> None:
        """Release what a gap of one counter has: the balances around it say that another debit was there."""
        if gap.first == gap.last:
            self.released.update(self._waiting(gap.first, gap.last))

    def settle(
        self, state: CardState, gaps: Sequence[Gap], earlier: Mapping[int, frozenset[bytes]]
    ) -> list[Gap]:
        """Decide by what the card has come to; return the gaps that stay open.

        Debits that came after their gap was opened close it where they cost exactly what is missing.
        ``earlier`` holds records of earlier runs by counter, without those that are taken up again.
        """
        left = [gap for gap in gaps if not self._fill(gap)]
        for place in self._waiting(0, state.counter):
            debit = self._debits[place]
            if any(gap.first <= debit.counter <= gap.last for gap in left):
                continue
            if debit.raw in earlier.get(debit.counter, ()):
                self.repeated.add(place)
            else:
                self.released.add(place)
        return left

    def _fill(self, gap: Gap) -> bool:
        """Confirm the debits that are what a gap is made of; of one counter, release those that are not."""
        inside = self._waiting(gap.first, gap.last)
        if gap.estimate_fen is None or not inside:
            return False
        if gap.first == gap.last:
            fitting = [place for place in inside if self._debits[place].amount_fen == gap.estimate_fen]
            if len(fitting) > 1:
                return False
            self.confirmed.update(fitting)
            self.released.update(set(inside).difference(fitting))
            return bool(fitting)
        size = gap.last - gap.first + 1
        whole = len(inside) == size == len({self._debits[place].counter for place in inside})
        if whole and sum(self._debits[place].amount_fen for place in inside) == gap.estimate_fen:
            self.confirmed.update(inside)
            return True
        return False

    def _waiting(self, first: int, last: int) -> list[int]:
        done = self.confirmed | self.released
        return [
            place
            for place, debit in enumerate(self._debits)
            if first <= debit.counter <= last and place not in done
        ]
