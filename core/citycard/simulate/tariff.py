"""What can be tapped in a city, as columns, and what each tap costs: asked once of the city's own rating."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import numpy.typing as npt

from citycard.card.codec import decode, encode
from citycard.card.enums import TransactionType
from citycard.clearing.columns import RECORD
from citycard.errors import HabitInvalid, HabitsMissing
from citycard.simulate.columns import Bytes, Flags, Ints, Rows, moments
from citycard.terminal.record import FACTS_SIZE, TransactionRecord

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.clearing.context import Rates
    from citycard.kernel.habits import Habit, HabitTap
    from citycard.kernel.services import Service

__all__ = ["Prices", "Tariff"]

# The bits of a question without what was paid before.
_KEY = 32


@attrs.frozen(kw_only=True, eq=False)
class Tariff:
    """The journeys of a city. Row ``starts[2 * habit + back]`` of the taps begins one of ``lengths[habit]``.

    ``chances`` rise to 1, one for each habit. Of each tap: ``service``, ``kind``, ``facts`` (48 bytes),
    ``list_price_fen``, ``seconds`` after the journey began, ``pool``, and ``asked``, which taps of one price
    share. A pool is a place in ``partners`` and ``terminals``: any terminal of the partner, or the one that
    is named. Those that are named come last.
    """

    partners: tuple[str, ...]
    terminals: tuple[str, ...]
    starts: Ints
    lengths: Ints
    chances: npt.NDArray[np.float64]
    service: Ints
    kind: Ints
    list_price_fen: Ints
    seconds: Ints
    pool: Ints
    asked: Ints
    facts: Bytes

    @classmethod
    def of(cls, city: City, domains: Sequence[str] = (), *, evenly: bool = False) -> Tariff:
        """Ask every plugin that is on, or those of these names; ``evenly`` gives each as many journeys.

        Raise HabitsMissing, or HabitInvalid for facts of another layout.
        """
        habits = list(_habits(city, domains))
        if not habits:
            raise HabitsMissing
        journeys = [(one, way) for one, habit in habits for way in (habit.there, habit.back or habit.there)]
        taps = [(service, tap) for service, journey in journeys for tap in journey]
        facts = [_facts(service, tap) for service, tap in taps]
        pools = sorted({(tap.terminal != "", tap.partner, tap.terminal) for _, tap in taps})
        places = {(partner, terminal): place for place, (_, partner, terminal) in enumerate(pools)}
        asked: dict[Any, int] = {}
        for (service, tap), each in zip(taps, facts, strict=True):
            asked.setdefault((service.number, tap.kind, tap.list_price_fen, each), len(asked))
        weights = _weights(city, habits, evenly=evenly)
        return cls(
            partners=tuple(partner for partner, _ in places),
            terminals=tuple(terminal for _, terminal in places),
            starts=_ints([0, *accumulate(len(journey) for _, journey in journeys)])[:-1],
            lengths=_ints(len(habit.there) for _, habit in habits),
            chances=np.cumsum(weights) / weights.sum(),
            service=_ints(service.number for service, _ in taps),
            kind=_ints(tap.kind for _, tap in taps),
            list_price_fen=_ints(tap.list_price_fen for _, tap in taps),
            seconds=_ints(tap.minutes * 60 for _, tap in taps),
            pool=_ints(places[tap.partner, tap.terminal] for _, tap in taps),
            asked=_ints(
                asked[service.number, tap.kind, tap.list_price_fen, each]
                for (service, tap), each in zip(taps, facts, strict=True)
            ),
            facts=np.frombuffer(b"".join(facts), dtype=np.uint8).reshape(len(taps), FACTS_SIZE),
        )

    def pool_weights(self) -> npt.NDArray[np.float64]:
        """Say how often the terminals of each pool are tapped."""
        chances = np.diff(self.chances, prepend=0)
        by_tap = np.repeat(np.repeat(chances, 2), np.repeat(self.lengths, 2))
        weights: npt.NDArray[np.float64] = np.bincount(
            self.pool, weights=by_tap, minlength=len(self.partners)
        ).astype(np.float64)
        return weights


def _weights(city: City, habits: Sequence[tuple[Service, Habit]], *, evenly: bool) -> npt.NDArray[np.float64]:
    weights = np.array([habit.weight for _, habit in habits], dtype=np.float64)
    if evenly:
        owner = {owned.record.number: owned.owner.plugin for owned in city.plugins.services()}
        owners = np.array([owner[service.number] for service, _ in habits])
        for name in np.unique(owners):
            weights[owners == name] /= weights[owners == name].sum()
    return weights


def _ints(values: Iterable[int]) -> Ints:
    return np.fromiter(values, dtype=np.int64)


def _habits(city: City, domains: Sequence[str]) -> Iterator[tuple[Service, Habit]]:
    for owned in city.plugins.services():
        if owned.record.habits and (not domains or owned.owner.plugin in domains):
            for habit in owned.record.habits():
                yield owned.record, habit


def _facts(service: Service, tap: HabitTap) -> bytes:
    if tap.facts is None and service.facts is None:
        return bytes(FACTS_SIZE)
    if service.facts is None or type(tap.facts) is not service.facts:
        wanted = service.facts.__name__ if service.facts else "None"
        raise HabitInvalid(
            service=service.name, problem=f"its facts are {type(tap.facts).__name__}, expected {wanted}"
        )
    return encode(tap.facts).ljust(FACTS_SIZE, b"\0")


class Prices:
    """What each tap costs by kind of card and hour, as the city's rating says; each is asked once.

    Products are told by their places among ``kinds``. An hour is counted from ``midnight``. So the rules may
    change a price on the full hour, and not between.
    """

    def __init__(
        self,
        rates: Rates,
        tariff: Tariff,
        kinds: Sequence[int],
        midnight: dt.datetime,
        *,
        issuer: bytes,
        limit_fen: int,
    ) -> None:
        self._rates, self._tariff, self._midnight = rates, tariff, midnight
        self._kinds = np.array(kinds)
        self._asked, self._first = np.unique(tariff.asked, return_index=True)
        self._limit_fen = limit_fen
        self._known: dict[int, int] = {}
        self._claiming = [
            number
            for number in np.unique(tariff.service).tolist()
            if rates.claimed_fen(number, np.zeros(0, RECORD)) is not None
        ]
        self._issuer = np.frombuffer(issuer, dtype=np.uint8)

    @property
    def depend_on_the_day(self) -> bool:
        """Say whether the price of anything depends on what the card paid before on the day."""
        return bool(self._claiming)

    def count(self, taps: Ints) -> Flags:
        """Say which taps are among what a card paid on the day: those whose own prices ask for it."""
        return np.isin(self._tariff.service[taps], self._claiming)

    def claim(self, records: Rows, spent_fen: Ints) -> None:
        """Write into records what terminals say that the card paid before on the day."""
        for service in self._claiming:
            mine = np.flatnonzero(records["service"] == service)
            records[mine] = self._rates.with_claims(service, records[mine], spent_fen[mine])

    def of(self, taps: Ints, products: Ints, seconds: Ints, spent_fen: Ints | None = None) -> Ints:
        """Give the price in fen of taps (rows of the tariff) by the card's product and the time.

        ``spent_fen`` is what the card paid before on the day, nothing when left out.
        """
        hours = seconds // 3600
        keys = (hours * len(self._kinds) + products) * len(self._asked) + self._tariff.asked[taps]
        if spent_fen is not None:
            keys = keys + (np.where(self.count(taps), spent_fen, 0) << _KEY)
        wanted, places = np.unique(keys, return_inverse=True)
        fresh = [key for key in wanted.tolist() if key not in self._known]
        for key, question in zip(fresh, self._questions(_ints(fresh)), strict=True):
            self._known[key] = self._ask(question)
        return _ints(self._known[key] for key in wanted.tolist())[places]

    def _questions(self, keys: Ints) -> list[bytes]:
        spent_fen, keys = keys >> _KEY, keys & ((1 << _KEY) - 1)
        rest, asked = np.divmod(keys, len(self._asked))
        hours, products = np.divmod(rest, len(self._kinds))
        taps, rows = self._first[asked], np.zeros(len(keys), dtype=RECORD)
        rows["version"], rows["tti"], rows["issuer"] = 1, TransactionType.COMPOSITE, self._issuer
        rows["service"], rows["kind"] = self._tariff.service[taps], self._tariff.kind[taps]
        rows["card_kind"] = self._kinds[products]
        rows["list_price_fen"], rows["facts"] = self._tariff.list_price_fen[taps], self._tariff.facts[taps]
        rows["at"] = moments(hours * 3600, self._midnight)
        self.claim(rows, spent_fen)
        return [row.tobytes() for row in rows]

    def _ask(self, question: bytes) -> int:
        record = decode(TransactionRecord, question)
        quote = self._rates.rate(record).quote
        amount_fen = quote.amount_fen if quote is not None else 0
        if amount_fen > self._limit_fen:
            problem = f"it costs {amount_fen} fen, and one debit takes at most {self._limit_fen}"
            raise HabitInvalid(service=record.service, problem=problem)
        return amount_fen
