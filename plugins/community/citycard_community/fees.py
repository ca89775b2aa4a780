"""From the prices of city.toml to the rules that clearing and terminals ask (docs/community.md).

Pure: settings in, FeeRule records out. A rule that does not know the place it is asked about says nothing, so
that the price is unknown and somebody looks at it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

from citycard import Adjustment, FeeRule, PriceRequest, Stage
from citycard.errors import Phrase
from citycard.money import percent_of, yuan
from citycard_community.parking import parking_fen
from citycard_community.sectors import ParkingStep
from citycard_community.settings import CarPark, CommunitySettings

__all__ = ["CLINIC", "DOOR", "FEE", "PARKING", "PASS", "RESIDENT", "WRITE", "fee_rules"]

DOOR, WRITE = "community-door", "community-rights"
PARKING, PASS = "community-parking", "community-parking-pass"
FEE, CLINIC = "community-property-fee", "community-clinic"

RESIDENT = "community-resident"
"""What whoever lives in a community is entitled to, and pays less for at its clinic."""

_UNPAID = {
    ParkingStep.ENTRY: "paid when leaving",
    ParkingStep.PASS_EXIT: "a resident's pass",
    ParkingStep.PAID_EXIT: "paid with the tap before",
}

Apply = Callable[[PriceRequest, int], Adjustment | None]


def fee_rules(settings: CommunitySettings) -> Iterator[FeeRule]:
    """Compile the prices of the settings."""
    parks = tuple((one.number, park) for one in settings.communities for park in one.car_parks)
    clinics = settings.clinics
    yield _rule("door", Stage.BASE, (DOOR, WRITE), _free, "")
    yield _rule("parking", Stage.BASE, (PARKING,), _parking(dict(_keyed(parks))), parks)
    yield _rule("parking-pass", Stage.BASE, (PASS,), _pass(dict(_keyed(parks))), parks)
    yield _rule("property-fee", Stage.BASE, (FEE,), _billed, "")
    visits = {clinic.number: clinic.visit_fen for clinic in clinics}
    yield _rule("clinic", Stage.BASE, (CLINIC,), _clinic(visits), visits)
    percents = {clinic.number: clinic.resident_percent for clinic in clinics}
    yield _rule("clinic-resident", Stage.CONCESSION, (CLINIC,), _resident(percents), percents)


def _rule(name: str, stage: Stage, services: tuple[str, ...], apply: Apply, words: object) -> FeeRule:
    # The version is a digest of what the rule was made of: it changes exactly when the rule does.
    version = hashlib.sha256(repr(words).encode()).hexdigest()[:12]
    return FeeRule(name=name, stage=stage, services=services, apply=apply, version=version)  # type: ignore[arg-type]


def _keyed(parks: tuple[tuple[int, CarPark], ...]) -> Iterator[tuple[tuple[int, int], CarPark]]:
    for community, park in parks:
        yield (community, park.number), park


def _free(_request: PriceRequest, _amount_fen: int) -> Adjustment:
    return Adjustment(amount_fen=0, reason="opening and writing rights are free")


def _billed(request: PriceRequest, _: int) -> Adjustment | None:
    if request.list_price_fen is None:
        return None
    return Adjustment(amount_fen=request.list_price_fen, reason="what is owed of the bill")


def _parking(parks: dict[tuple[int, int], CarPark]) -> Apply:
    def price(request: PriceRequest, _: int) -> Adjustment | None:
        park, step, since = _park(parks, request), request.facts.get("step"), request.facts.get("since")
        if park is None or step is None:
            return None
        if step in _UNPAID:
            return Adjustment(amount_fen=0, reason=_UNPAID[step])
        if step == ParkingStep.LOST_TICKET or since is None:
            return Adjustment(amount_fen=park.lost_ticket_fen, reason="no entry on the card: lost ticket")
        fen = parking_fen(park, since, request.at)
        capped = Phrase(
            "{amount} each started {minutes} minutes, at most {most} in 24 hours",
            amount=yuan(park.unit_fen),
            minutes=park.unit_minutes,
            most=yuan(park.day_cap_fen),
        )
        free = Phrase("within {minutes} free minutes", minutes=park.free_minutes)
        return Adjustment(amount_fen=fen, reason=capped if fen else free)

    return price


def _pass(parks: dict[tuple[int, int], CarPark]) -> Apply:
    def price(request: PriceRequest, _: int) -> Adjustment | None:
        park, months = _park(parks, request), request.facts.get("months", 0)
        if park is None or not months:
            return None
        return Adjustment(
            amount_fen=months * park.pass_fen,
            reason=Phrase("{months} x {amount} a month", months=months, amount=yuan(park.pass_fen)),
        )

    return price


def _park(parks: dict[tuple[int, int], CarPark], request: PriceRequest) -> CarPark | None:
    facts: Any = request.facts
    return parks.get((facts.get("community", 0), facts.get("car_park", 0)))


def _clinic(visits: dict[int, int]) -> Apply:
    def price(request: PriceRequest, _: int) -> Adjustment | None:
        fen = visits.get(request.facts.get("clinic", 0))
        return None if fen is None else Adjustment(amount_fen=fen, reason="visit fee")

    return price


def _resident(percents: dict[int, int]) -> Apply:
    def price(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        percent = percents.get(request.facts.get("clinic", 0))
        if percent is None or RESIDENT not in request.entitlements:
            return None
        reason = Phrase("residents pay {percent} %", percent=percent)
        return Adjustment(amount_fen=percent_of(amount_fen, percent), reason=reason)

    return price
