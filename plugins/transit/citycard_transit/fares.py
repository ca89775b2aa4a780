"""From the fare rules of city.toml to the rules that clearing and gates ask (docs/transit.md).

Pure: settings in, FeeRule records out; each rule is a function of the request alone. No rule ever
raises a price above the base, and none goes below zero.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import reduce
from typing import Protocol

from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, Stage
from citycard.errors import Phrase
from citycard.money import percent_of, yuan
from citycard_transit.settings import (
    BaseFare,
    Cap,
    Concession,
    Discount,
    Matrix,
    Rounding,
    Scope,
    Transfer,
    TransitSettings,
)

__all__ = ["fee_rules", "longest_window", "tiered"]

Apply = Callable[[PriceRequest, int], Adjustment | None]


class _Asked(Protocol):
    """What a rule answers once it is known to concern the ride."""

    def __call__(self, request: PriceRequest, amount_fen: int, /) -> Adjustment | None: ...


def fee_rules(settings: TransitSettings) -> Iterator[FeeRule]:
    """Compile every fare rule of the settings; the order of the settings does not matter."""
    matrices = {matrix.name: matrix for matrix in settings.matrices}
    for base in settings.bases:
        matrix = matrices.get(base.matrix)
        yield _rule(base, Stage.BASE, _base(base, matrix), extra=repr(matrix))
    for concession in settings.concessions:
        yield _rule(concession, Stage.CONCESSION, _concession(concession))
    for discount in settings.discounts:
        yield _rule(discount, Stage.DISCOUNT, _discount(discount))
    for transfer in settings.transfers:
        yield _rule(transfer, Stage.TRANSFER, _transfer(transfer))
    for cap in settings.caps:
        yield _rule(cap, Stage.CAP, _cap(cap))
    for rounding in settings.roundings:
        yield _rule(rounding, Stage.ROUNDING, _rounding(rounding))


def longest_window(settings: TransitSettings) -> timedelta | None:
    """Tell how far back a gate looks for an earlier ride; None when no rule asks for one."""
    windows = [transfer.window_minutes for transfer in settings.transfers]
    return timedelta(minutes=max(windows)) if windows else None


def tiered(discount: Discount, amount_fen: int) -> int:
    """Pay each part of an amount at its tier's percentage; the sum is rounded half up once."""
    parts = 0
    for tier, following in zip(discount.tiers, (*discount.tiers[1:], None), strict=True):
        upper_fen = amount_fen if following is None else min(amount_fen, following.above_fen)
        parts += max(0, upper_fen - tier.above_fen) * tier.percent
    return percent_of(parts, 1)


def _rule(scope: Scope, stage: Stage, asked: _Asked, *, extra: str = "") -> FeeRule:
    # The version is a digest of the rule's own words: it changes exactly when the rule does.
    version = hashlib.sha256(f"{scope!r}{extra}".encode()).hexdigest()[:12]
    return FeeRule(
        name=scope.name,
        stage=stage,
        services=scope.services,  # type: ignore[arg-type]
        apply=_scoped(scope, asked),
        version=version,
    )


def _scoped(scope: Scope, asked: _Asked) -> Apply:
    only_for, unless = frozenset(scope.only_for), frozenset(scope.unless)
    operators = frozenset(scope.operators)

    def apply(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        if only_for and only_for.isdisjoint(request.entitlements):
            return None
        if not unless.isdisjoint(request.entitlements):
            return None
        if operators and request.facts.get("operator") not in operators:
            return None
        return asked(request, amount_fen)

    return apply


def _base(base: BaseFare, matrix: Matrix | None) -> _Asked:
    if matrix is not None:
        return _matrix(matrix)
    if base.source == "flat":
        return _flat(base)

    def given(request: PriceRequest, _: int) -> Adjustment | None:
        if request.list_price_fen is None:
            return None
        return Adjustment(amount_fen=request.list_price_fen, reason="the price that the gate gave")

    return given


def _flat(base: BaseFare) -> _Asked:
    default_fen = base.flat_fen or 0
    by_place = {
        place: Adjustment(amount_fen=fen, reason=Phrase("flat, on {place}", place=place))
        for place, fen in base.places.items()
    }
    everywhere = Adjustment(amount_fen=default_fen, reason="flat")

    def flat(request: PriceRequest, _: int) -> Adjustment:
        return by_place.get(str(request.facts.get("place", "")), everywhere)

    return flat


def _matrix(matrix: Matrix) -> _Asked:
    zone_of = {place: zone for zone, places in matrix.zones.items() for place in places}
    prices_fen = {
        pair: fen
        for origin, row in matrix.prices_fen.items()
        for destination, fen in row.items()
        for pair in ((origin, destination), (destination, origin))
    }
    answers = {
        (origin, destination): Adjustment(
            amount_fen=fen, reason=Phrase("from zone {origin} to zone {to}", origin=origin, to=destination)
        )
        for (origin, destination), fen in prices_fen.items()
    }
    highest_fen = max(prices_fen.values(), default=0)
    unknown_fen = highest_fen if matrix.unknown_fen is None else matrix.unknown_fen

    def from_to(request: PriceRequest, _: int) -> Adjustment | None:
        destination = str(request.facts.get("place") or "")
        origin = str(request.facts.get("origin") or "")
        if not origin:
            return Adjustment(amount_fen=unknown_fen, reason="the entry was not seen")
        return answers.get((zone_of.get(origin, origin), zone_of.get(destination, destination)))

    return from_to


def _concession(concession: Concession) -> _Asked:
    reason = Phrase("pays {percent} % of the base price", percent=concession.percent)

    def concede(_: PriceRequest, amount_fen: int) -> Adjustment:
        return Adjustment(amount_fen=percent_of(amount_fen, concession.percent), reason=reason)

    return concede


def _discount(discount: Discount) -> _Asked:
    reason = reduce(
        lambda one, other: Phrase("{what}, {what_then}", what=one, what_then=other),
        (
            Phrase("pays {percent} %", percent=tier.percent)
            if tier.above_fen == 0
            else Phrase("{percent} % above {above}", percent=tier.percent, above=yuan(tier.above_fen))
            for tier in discount.tiers
        ),
    )

    def discounted(_: PriceRequest, amount_fen: int) -> Adjustment:
        return Adjustment(amount_fen=tiered(discount, amount_fen), reason=reason)

    return discounted


def _transfer(transfer: Transfer) -> _Asked:
    window = timedelta(minutes=transfer.window_minutes)
    asserted = Phrase("{amount} off, as the terminal says it is a transfer", amount=yuan(transfer.off_fen))
    seen = Phrase(
        "{amount} off within {minutes} minutes of the ride before",
        amount=yuan(transfer.off_fen),
        minutes=transfer.window_minutes,
    )

    def connect(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        if not request.transfer:
            return None
        # Where the gate read the ride before from the card, its time is in the record and is checked again.
        before = request.facts.get("previous_at")
        if (
            before is not None
            and not timedelta(0) <= (request.facts.get("entered_at") or request.at) - before <= window
        ):
            return None
        reason = asserted if before is None else seen
        return Adjustment(amount_fen=max(0, amount_fen - transfer.off_fen), reason=reason)

    return connect


def _cap(cap: Cap) -> _Asked:
    reason = Phrase("at most {amount} a day", amount=yuan(cap.day_fen))

    def limit(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        left_fen = max(0, cap.day_fen - request.history.get("spent_today_fen", 0))
        return Adjustment(amount_fen=left_fen, reason=reason) if amount_fen > left_fen else None

    return limit


def _rounding(rounding: Rounding) -> _Asked:
    reason = Phrase("rounded down to {amount}", amount=yuan(rounding.to_fen))

    def trim(_: PriceRequest, amount_fen: int) -> Adjustment | None:
        rest = amount_fen % rounding.to_fen
        return Adjustment(amount_fen=amount_fen - rest, reason=reason) if rest else None

    return trim
