"""Ask what records should have cost: once for all that are alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import attrs
import numpy as np

from citycard.card.codec import decode
from citycard.clearing.bucket import Bucket, Known
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array, distinct
from citycard.clearing.context import ClearingTerms, Rates, Rating
from citycard.clearing.today import Today
from citycard.clearing.verdicts import Verdicts
from citycard.money import split
from citycard.terminal.record import RecordKind, TransactionRecord

__all__ = ["Asked", "Charge", "ask_rate", "price_code", "rate_all"]

#: So many different answers are kept, in some 400 bytes each; then all are forgotten.
_MOST_ASKED: Final = 250_000
_AMOUNT_BITS: Final = 32


def ask_rate(
    rate: Callable[[TransactionRecord], Rating], record: TransactionRecord
) -> tuple[Rating | None, str]:
    """Ask for the rating of a record; give None and what went wrong when there is none."""
    try:
        return rate(record), ""
    except Exception as error:  # noqa: BLE001 - a plugin's code is asked: it may suspend a record, not end the day
        return None, f"{type(error).__name__}: {error}"


def price_code(amount_fen: int, rating: Rating | None, terms: ClearingTerms) -> Code | None:
    """Say what an amount is beside its price: P01, P02, P03, or None when it is as it should be."""
    if rating is None:
        return Code.P02
    if rating.quote is None or rating.quote.amount_fen == amount_fen:
        return None
    return Code.P03 if abs(amount_fen - rating.quote.amount_fen) > terms.price_limit_fen else Code.P01


@attrs.frozen
class Charge:
    """What a record should cost, in fen (-1: nothing is to be priced), and who shares it, by weight.

    A payee without a name is the terminal's partner; without any payee all of it belongs to that one.
    """

    price_fen: int
    payees: tuple[tuple[str, int], ...]

    @classmethod
    def of(cls, rating: Rating) -> Charge:
        """Take from a rating what judging needs, payees in the order of their names."""
        payees = sorted((share.partner, share.weight) for share in rating.shares if share.weight)
        return cls(-1 if rating.quote is None else rating.quote.amount_fen, tuple(payees))


@attrs.define
class Asked:
    """What alike records cost, kept by whoever judges one bucket after the other under the same rules."""

    _charges: dict[tuple[int, bytes], Charge] = attrs.field(factory=dict, init=False)

    def charge(self, rates: Rates, service: int, alike: bytes, record: bytes) -> Charge | None:
        """Give what a record costs; None when there is no price. Equal ``alike`` is asked for once."""
        found = self._charges.get((service, alike))
        if found is None:
            rating = ask_rate(rates.rate, decode(TransactionRecord, record))[0]
            if rating is None:  # it may be priced the next time
                return None
            found = Charge.of(rating)
            if len(self._charges) >= _MOST_ASKED:
                self._charges.clear()
            self._charges[service, alike] = found
        return found


def of_the_day(bucket: Bucket, rates: Rates) -> tuple[Array, Array]:
    """Say whose amounts are part of what prices ask of a card's day, and of which records nobody knows it."""
    services = bucket.records["service"]
    counts, unknown = np.zeros(1 << 16, bool), np.zeros(1 << 16, bool)
    for service in np.flatnonzero(np.bincount(services)).tolist():
        answer = rates.of_day(service)
        counts[service], unknown[service] = bool(answer), answer is None
    return counts[services], unknown[services]


def rate_all(
    bucket: Bucket,
    verdicts: Verdicts,
    known: Known,
    terms: ClearingTerms,
    rates: Rates,
    asked: Asked,
    today: Today,
) -> None:
    """Price what nothing has decided, and say who gets it; an entry without a charge has no price.

    What a terminal says that the card paid before is not believed where the card's own records tell.
    """
    free_entry = (bucket.amount_fen == 0) & (bucket.records["kind"] == RecordKind.ENTRY)
    places = np.flatnonzero(verdicts.open & ~free_entry & ~bucket.from_city)
    services = bucket.records["service"][places]
    divider = _Divider(bucket, verdicts, known)
    _take_as_charged(bucket, np.flatnonzero(verdicts.open & bucket.from_city), divider)
    for service in np.unique(services):
        mine = places[services == service]
        # Indexed, whole records would be copied field by field.
        records = bucket.records.take(mine)
        claims = rates.claimed_fen(int(service), records)
        if claims is not None:
            records = rates.with_claims(int(service), records, today.told(mine, claims))
        charges, whose = _charges(records, int(service), rates, asked)
        _judge_prices(bucket, verdicts, terms, mine, charges, whose, divider)


def _charges(records: Array, service: int, rates: Rates, asked: Asked) -> tuple[list[Charge | None], Array]:
    """Give what records cost, once for all that are alike, and for each record its place among these."""
    rows = rates.alike(service, records)
    if rows is None:
        ratings = (ask_rate(rates.rate, decode(TransactionRecord, one.tobytes()))[0] for one in records)
        each = [None if rating is None else Charge.of(rating) for rating in ratings]
        return each, np.arange(len(records))
    different, whose = distinct(rows)
    firsts = np.empty(len(different), np.int64)
    firsts[whose[::-1]] = np.arange(len(records))[::-1]
    return [
        asked.charge(rates, service, alike.tobytes(), records[first].tobytes())
        for alike, first in zip(different, firsts, strict=True)
    ], whose


def _take_as_charged(bucket: Bucket, places: Array, divider: _Divider) -> None:
    """Owe what was charged in another city to that city: its prices are its own."""
    paid = places[bucket.amount_fen[places] > 0]
    divider.divide(paid, bucket.amount_fen[paid], [None], np.zeros(len(paid), np.int64))


def _judge_prices(
    bucket: Bucket,
    verdicts: Verdicts,
    terms: ClearingTerms,
    places: Array,
    charges: Sequence[Charge | None],
    whose: Array,
    divider: _Divider,
) -> None:
    amount_fen = bucket.amount_fen[places]
    priced = np.array([charge is not None for charge in charges], bool)[whose]
    price_fen = np.array([charge.price_fen if charge else -1 for charge in charges], np.int64)[whose]
    difference_fen = np.where(price_fen < 0, 0, np.abs(amount_fen - price_fen))
    too_much = difference_fen > terms.price_limit_fen
    for code, where in (
        (Code.P02, ~priced),
        (Code.P03, too_much),
        (Code.P01, (difference_fen > 0) & ~too_much),
    ):
        verdicts.decide(places[where], code)
    verdicts.price_fen[places] = price_fen
    divided = priced & ~too_much & (amount_fen != 0)
    divider.divide(places[divided], amount_fen[divided], charges, whose[divided])


class _Divider:
    """Say who gets how much of a record; each different answer is kept once."""

    def __init__(self, bucket: Bucket, verdicts: Verdicts, known: Known) -> None:
        self._verdicts = verdicts
        self._partners, self._acquirer = known.acquirers(bucket)
        self._places: dict[tuple[tuple[str, int], ...], int] = {}
        self._shared: dict[tuple[tuple[tuple[str, int], ...], int], int] = {}

    def divide(
        self, places: Array, amount_fen: Array, charges: Sequence[Charge | None], whose: Array
    ) -> None:
        """Divide amounts by the weights of their charges; without any, all is the terminal's partner's."""
        payees, whose = self._named([charge.payees if charge else () for charge in charges], whose, places)
        alone = ~np.array([bool(one) for one in payees], bool)[whose]
        acquirer = np.where(alone, self._acquirer[places], 0)
        # What is divided among the same is divided once: by charge, or by acquirer where there is none.
        key = np.where(alone, -1 - acquirer, whose)
        # An amount has four bytes in a record.
        different, same = np.unique(key << _AMOUNT_BITS | amount_fen, return_inverse=True)
        keys, amounts_fen = different >> _AMOUNT_BITS, different & ((1 << _AMOUNT_BITS) - 1)
        found = [
            self._all_of(self._partners[-1 - one], fen) if one < 0 else self._parts(payees[one], fen)
            for one, fen in zip(keys.tolist(), amounts_fen.tolist(), strict=True)
        ]
        self._verdicts.division[places] = np.array(found, np.int64)[same]

    def _named(
        self, payees: list[tuple[tuple[str, int], ...]], whose: Array, places: Array
    ) -> tuple[list[tuple[tuple[str, int], ...]], Array]:
        """Name the terminal's partner where a payee has no name; whose is which answer changes with it."""
        nameless = np.array([any(not name for name, _ in one) for one in payees], bool)[whose]
        if not nameless.any():
            return payees, whose
        width = len(self._partners)
        pairs, again = np.unique(
            whose * width + np.where(nameless, self._acquirer[places], 0), return_inverse=True
        )
        return [
            _with_name(payees[which], self._partners[acquirer])
            for which, acquirer in (divmod(pair, width) for pair in pairs.tolist())
        ], again

    def _all_of(self, partner: str, amount_fen: int) -> int:
        return self._kept(((partner, amount_fen),))

    def _parts(self, payees: tuple[tuple[str, int], ...], amount_fen: int) -> int:
        key = (payees, amount_fen)
        if key not in self._shared:
            parts = split(amount_fen, [weight for _, weight in payees])
            paid = zip((partner for partner, _ in payees), parts, strict=True)
            self._shared[key] = self._kept(tuple((partner, fen) for partner, fen in paid if fen))
        return self._shared[key]

    def _kept(self, parts: tuple[tuple[str, int], ...]) -> int:
        if parts not in self._places:
            self._places[parts] = len(self._verdicts.divisions)
            self._verdicts.divisions.append(parts)
        return self._places[parts]


def _with_name(payees: tuple[tuple[str, int], ...], partner: str) -> tuple[tuple[str, int], ...]:
    weights: dict[str, int] = {}
    for name, weight in payees:
        weights[name or partner] = weights.get(name or partner, 0) + weight
    return tuple(sorted(weights.items()))
