"""What registering for a doctor and an hour of sports cost, from the settings. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from citycard import Adjustment, FeeRule, PriceRequest, Stage, percent_of
from citycard.errors import Phrase
from citycard_health.settings import REGISTRATION, SPORTS, Concession, HealthSettings

__all__ = ["fee_rules"]


def fee_rules(settings: HealthSettings) -> Iterator[FeeRule]:
    """Give the rules of a city: a fee for each level of doctor, a price for each venue, and concessions."""
    fees = {level.number: (level.fee_fen, level.name) for level in settings.levels}
    prices = {venue.id: (venue.price_fen, venue.name) for venue in settings.sports.venues}

    def register(request: PriceRequest, _: int) -> Adjustment | None:
        found = fees.get(request.facts.get("level", 0))
        return found and Adjustment(amount_fen=found[0], reason=Phrase("registration: {name}", name=found[1]))

    def play(request: PriceRequest, _: int) -> Adjustment | None:
        found = prices.get(request.partner)
        return found and Adjustment(amount_fen=found[0], reason=Phrase("entrance: {name}", name=found[1]))

    yield FeeRule(
        name="registration-fee",
        stage=Stage.BASE,
        services=(REGISTRATION,),  # type: ignore[arg-type]
        apply=register,
        version=_version(sorted(fees.items())),
    )
    yield FeeRule(
        name="sports-price",
        stage=Stage.BASE,
        services=(SPORTS,),  # type: ignore[arg-type]
        apply=play,
        version=_version(sorted(prices.items())),
    )
    for concession in settings.concessions:
        yield _conceded(concession)


def _conceded(concession: Concession) -> FeeRule:
    reason = Phrase("{name}: {percent} %", name=concession.name, percent=concession.percent)

    def concede(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        if request.entitlements.isdisjoint(concession.only_for):
            return None
        return Adjustment(amount_fen=percent_of(amount_fen, concession.percent), reason=reason)

    return FeeRule(
        name=concession.name,
        stage=Stage.CONCESSION,
        services=concession.services,  # type: ignore[arg-type]
        apply=concede,
        version=_version(concession),
    )


def _version(words: object) -> str:
    # A digest of the rule's own words: it changes exactly when the rule does.
    return hashlib.sha256(repr(words).encode()).hexdigest()[:12]
