"""Ask what records should have cost: once for all that are alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from citycard.card.codec import decode
from citycard.clearing.bucket import Bucket, Known
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array, distinct
from citycard.clearing.context import ClearingTerms, Rates, Rating
from citycard.clearing.verdicts import Verdicts
from citycard.money import split
from citycard.terminal.record import RecordKind, TransactionRecord

__all__ = ["ask_rate", "price_code", "rate_all"]


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


def rate_all(bucket: Bucket, verdicts: Verdicts, known: Known, terms: ClearingTerms, rates: Rates) -> None:
    """Price what nothing has decided, and say who gets it; an entry without a charge has no price."""
    free_entry = (bucket.amount_fen == 0) & (bucket.records["kind"] == RecordKind.ENTRY)
    places = np.flatnonzero(verdicts.open & ~free_entry)
    services = bucket.records["service"][places]
    divider = _Divider(bucket, verdicts, known)
    for service in np.unique(services):
        mine = places[services == service]
        for alike, rating in _ratings(bucket, mine, int(service), rates):
            _judge_prices(bucket, verdicts, alike, rating, terms, divider)


def _ratings(bucket: Bucket, places: Array, service: int, rates: Rates) -> list[tuple[Array, Rating | None]]:
    """Give the records that cost the same for the same reason, with their rating."""
    rows = rates.alike(service, bucket.records[places])
    if rows is None:
        groups = [places[one : one + 1] for one in range(len(places))]
    else:
        different, whose = distinct(rows)
        order = np.argsort(whose, kind="stable")
        bounds = np.searchsorted(whose[order], np.arange(1, len(different)))
        groups = np.split(places[order], bounds)
    return [
        (group, ask_rate(rates.rate, decode(TransactionRecord, bucket.records[group[0]].tobytes()))[0])
        for group in groups
    ]


def _judge_prices(
    bucket: Bucket,
    verdicts: Verdicts,
    places: Array,
    rating: Rating | None,
    terms: ClearingTerms,
    divider: _Divider,
) -> None:
    """Judge records of one rating, amount by amount: there are few."""
    amounts_fen = bucket.amount_fen[places]
    for amount_fen in np.unique(amounts_fen).tolist():
        mine = places[amounts_fen == amount_fen]
        code = price_code(amount_fen, rating, terms)
        if code is not None:
            verdicts.decide(mine, code)
        if rating is None:
            continue
        if rating.quote is not None:
            verdicts.price_fen[mine] = rating.quote.amount_fen
        if amount_fen and code is not Code.P03:
            divider.divide(mine, amount_fen, rating)


class _Divider:
    """Say who gets how much of a record; each different answer is kept once."""

    def __init__(self, bucket: Bucket, verdicts: Verdicts, known: Known) -> None:
        self._verdicts = verdicts
        self._partners, self._acquirer = known.acquirers(bucket)
        self._places: dict[tuple[tuple[str, int], ...], int] = {}

    def divide(self, places: Array, amount_fen: int, rating: Rating) -> None:
        """Divide an amount by the weights of a rating; without any, all of it is the terminal's partner's."""
        shares = sorted((one for one in rating.shares if one.weight), key=lambda one: one.partner)
        if shares:
            parts = split(amount_fen, [share.weight for share in shares])
            paid = zip((share.partner for share in shares), parts, strict=True)
            self._verdicts.division[places] = self._kept(tuple((name, fen) for name, fen in paid if fen))
            return
        for partner in np.unique(self._acquirer[places]).tolist():
            mine = places[self._acquirer[places] == partner]
            self._verdicts.division[mine] = self._kept(((self._partners[partner], amount_fen),))

    def _kept(self, parts: tuple[tuple[str, int], ...]) -> int:
        if parts not in self._places:
            self._places[parts] = len(self._verdicts.divisions)
            self._verdicts.divisions.append(parts)
        return self._places[parts]
