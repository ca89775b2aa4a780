"""What passes, tickets and overdue books cost, and what comes back of them (docs/tourism.md).

Pure: settings in, FeeRule records and amounts out. A counter, the pages and clearing ask the same rules.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, Stage
from citycard.errors import Phrase
from citycard.money import percent_of
from citycard_tourism.settings import Concession, GroupPrice, Library, Plan, Show, TourismSettings

__all__ = ["fee_rules", "pass_refund_fen", "ticket_refund_fen", "ticket_refund_points", "unused_days"]

Apply = Callable[[PriceRequest, int], Adjustment | None]


def fee_rules(settings: TourismSettings) -> Iterator[FeeRule]:
    """Compile every price of the settings; the order of the settings does not matter."""
    yield _rule("places", Stage.BASE, ("tourism-ticket",), _tickets(settings.shows), settings.shows)
    yield _rule("plans", Stage.BASE, ("tourism-pass",), _plans(settings.plans), settings.plans)
    yield _rule("days-too-long", Stage.BASE, ("tourism-fee",), _fees(settings.libraries), settings.libraries)
    yield _rule("visits", Stage.BASE, ("tourism-visit",), _free, "free")
    for concession in settings.concessions:
        yield _rule(
            concession.name, Stage.CONCESSION, concession.services, _concession(concession), concession
        )
    for group in settings.groups:
        yield _rule(group.name, Stage.DISCOUNT, ("tourism-ticket",), _group(group), group)
    yield _rule("paid-with-points", Stage.FEE, ("tourism-ticket",), _points, "points")


def ticket_refund_fen(show: Show, paid_fen: int) -> int:
    """Say what comes back of a ticket that was not used: a part of what was paid, rounded half up."""
    return percent_of(paid_fen, show.refund_percent)


def ticket_refund_points(show: Show, points: int) -> int:
    """Say how many of the points that paid for a ticket come back, by the same part, rounded half up."""
    return percent_of(points, show.refund_percent)


def pass_refund_fen(plan: Plan, paid_fen: int, days: int, unused: int) -> int:
    """Say what comes back of a period of ``days`` that cost ``paid_fen``, of which some days are unused.

    The plan keeps its percentage; a part of a fen stays with the venues.
    """
    return paid_fen * unused * (100 - plan.keep_percent) // (days * 100)


def unused_days(periods: Sequence[int], left: int) -> list[int]:
    """Spread the days that are left over periods that were paid one after the other, the last one first."""
    spread = []
    for days in reversed(periods):
        spread.append(min(days, max(left, 0)))
        left -= days
    return spread[::-1]


def _rule(name: str, stage: Stage, services: tuple[str, ...], apply: Apply, content: object) -> FeeRule:
    # The version is a digest of what the rule was made of: it changes exactly when the rule does.
    version = hashlib.sha256(repr(content).encode()).hexdigest()[:12]
    return FeeRule(
        name=name,
        stage=stage,
        services=services,  # type: ignore[arg-type]
        apply=apply,
        version=version,
    )


def _tickets(shows: tuple[Show, ...]) -> Apply:
    prices_fen = {show.name: show.price_fen for show in shows}

    def base(request: PriceRequest, _: int) -> Adjustment | None:
        price_fen = prices_fen.get(_word(request, "show"))
        if price_fen is None:
            return None
        people = request.facts.get("people", 1)
        return Adjustment(amount_fen=price_fen * people, reason=Phrase("{people} places", people=people))

    return base


def _plans(plans: tuple[Plan, ...]) -> Apply:
    prices_fen = {(plan.name, turn): fen for plan in plans for turn, fen in _periods(plan)}

    def base(request: PriceRequest, _: int) -> Adjustment | None:
        turn = min(request.facts.get("turn", 0), 1)
        price_fen = prices_fen.get((_word(request, "plan"), turn))
        if price_fen is None:
            return None
        return Adjustment(amount_fen=price_fen, reason="an extension" if turn else "a first period")

    return base


def _periods(plan: Plan) -> Iterator[tuple[int, int]]:
    yield 0, plan.price_fen
    if plan.extend_days:
        yield 1, plan.extend_fen


def _fees(libraries: tuple[Library, ...]) -> Apply:
    by_venue = {library.venue: library for library in libraries}

    def base(request: PriceRequest, _: int) -> Adjustment | None:
        library = by_venue.get(_word(request, "venue"))
        if library is None:
            return None
        days = request.facts.get("days", 0)
        fee_fen = min(days * library.fee_fen, library.fee_most_fen)
        return Adjustment(amount_fen=fee_fen, reason=Phrase("{days} days too long", days=days))

    return base


def _free(_: PriceRequest, __: int) -> Adjustment:
    return Adjustment(amount_fen=0, reason="a right that was paid for before")


def _concession(concession: Concession) -> Apply:
    only_for = frozenset(concession.only_for)
    reason = Phrase(
        "{percent} % of one place for {rights}",
        percent=concession.percent,
        rights=", ".join(concession.only_for),
    )

    def concede(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        if only_for.isdisjoint(request.entitlements):
            return None
        # It is the holder's own: of a ticket for several people one place is cheaper.
        place_fen = amount_fen // max(request.facts.get("people", 1), 1)
        conceded_fen = amount_fen - place_fen + percent_of(place_fen, concession.percent)
        return Adjustment(amount_fen=conceded_fen, reason=reason)

    return concede


def _group(group: GroupPrice) -> Apply:
    shows = frozenset(group.shows)
    reason = Phrase("{percent} % for {people} people or more", percent=group.percent, people=group.people)

    def reduce(request: PriceRequest, amount_fen: int) -> Adjustment | None:
        if request.facts.get("people", 1) < group.people or (shows and _word(request, "show") not in shows):
            return None
        return Adjustment(amount_fen=percent_of(amount_fen, group.percent), reason=reason)

    return reduce


def _points(request: PriceRequest, amount_fen: int) -> Adjustment | None:
    points_fen = request.facts.get("points_fen", 0)
    if not points_fen:
        return None
    return Adjustment(amount_fen=max(0, amount_fen - points_fen), reason="the rest was paid with points")


def _word(request: PriceRequest, name: str) -> str:
    found: Any = request.facts.get(name, "")
    return str(found)
