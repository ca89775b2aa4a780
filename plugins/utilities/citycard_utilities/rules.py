"""From the settings to the fee rules that clearing, tills and online charges ask. Pure.

A bill costs its amount (the list price) and, after its due date, a late fee. Prepaid credit costs what its
tiers say, less a concession of the card. A card at a meter costs nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from datetime import date

import attrs

from citycard import Adjustment, FeeRule, PriceRequest, Stage, percent_of, yuan
from citycard.errors import Phrase
from citycard_utilities.settings import Concession, LateFee, Price, UtilitySettings

__all__ = ["BILL", "CREDIT", "METER", "fee_rules", "late_fen", "tiered_fen"]

BILL, CREDIT, METER = "utilities-bill", "utilities-credit", "utilities-meter"

_BASIS_POINTS = 10_000
_HUNDREDTHS = 100


def fee_rules(settings: UtilitySettings) -> Iterator[FeeRule]:
    """Compile every rule of the settings; their order does not matter."""
    for fee in settings.late_fees:
        yield _rule(fee, fee.name, Stage.FEE, BILL, _late(fee))
    for price in settings.prices:
        yield _rule(price, price.name, Stage.BASE, CREDIT, _priced(price))
    for concession in settings.concessions:
        yield _rule(concession, concession.name, Stage.CONCESSION, CREDIT, _conceded(concession))


def late_fen(settings: UtilitySettings, kind: str, amount_fen: int, due: date | None, on: date) -> int:
    """Say what the settings add to an amount of a kind of bill that was due and is paid on a day."""
    fee = next((one for one in settings.late_fees if kind in one.kinds), None)
    return 0 if fee is None else _late_fen(fee, amount_fen, due, on)


def tiered_fen(price: Price, units: int, units_before: int) -> int:
    """Price hundredths of units after others of the year: each part at its tier, rounded half up once."""
    parts = 0
    for tier, following in zip(price.tiers, (*price.tiers[1:], None), strict=True):
        low = tier.above_units * _HUNDREDTHS
        high = units_before + units if following is None else following.above_units * _HUNDREDTHS
        part = min(units_before + units, high) - max(units_before, low)
        parts += max(0, part) * tier.fen
    return percent_of(parts, 1, denominator=_HUNDREDTHS)


def _rule(
    words: LateFee | Price | Concession,
    name: str,
    stage: Stage,
    service: str,
    apply: Callable[[PriceRequest, int], Adjustment | None],
) -> FeeRule:
    # The version is a digest of the rule's own words: it changes exactly when the rule does.
    version = hashlib.sha256(repr(attrs.astuple(words)).encode()).hexdigest()[:12]
    return FeeRule(
        name=name,
        stage=stage,
        services=(service,),  # type: ignore[arg-type]
        apply=apply,
        version=version,
    )


def _late_fen(fee: LateFee, amount_fen: int, due: date | None, on: date) -> int:
    days = 0 if due is None else (on - due).days - fee.grace_days
    if days <= 0:
        return 0
    return percent_of(amount_fen, min(days * fee.bp_per_day, fee.most_bp), denominator=_BASIS_POINTS)


def _late(fee: LateFee) -> Callable[[PriceRequest, int], Adjustment | None]:
    def late(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        due = request.facts.get("due")
        if request.facts.get("kind") not in fee.kinds:
            return None
        more_fen = _late_fen(fee, amount_fen, due, request.at.date())
        if not more_fen:
            return None
        reason = Phrase("{amount} as it was due on {day}", amount=yuan(more_fen), day=due)
        return Adjustment(amount_fen=amount_fen + more_fen, reason=reason)

    return late


def _priced(price: Price) -> Callable[[PriceRequest, int], Adjustment | None]:
    def priced(request: PriceRequest, _: int) -> Adjustment | None:
        if request.facts.get("kind") != price.kind:
            return None
        units, before = request.facts.get("units", 0), request.facts.get("year_units", 0)
        reason = Phrase("{units} units after {before} in the year", units=yuan(units), before=yuan(before))
        return Adjustment(amount_fen=tiered_fen(price, units, before), reason=reason)

    return priced


def _conceded(concession: Concession) -> Callable[[PriceRequest, int], Adjustment | None]:
    def conceded(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        if request.facts.get("kind") not in concession.kinds:
            return None
        if request.facts.get("card_kind") not in concession.card_kinds:
            return None
        reduced_fen = percent_of(amount_fen, concession.percent)
        return Adjustment(
            amount_fen=reduced_fen, reason=Phrase("pays {percent} %", percent=concession.percent)
        )

    return conceded
