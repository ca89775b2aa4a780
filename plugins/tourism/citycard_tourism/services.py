"""What venues sell, how a record's facts become the question for its price, and who is paid.

The counter asks for its price with the very facts that it then writes into its record, so that clearing,
which asks again from the record, is asked the same question.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from citycard.clearing.pricing import PriceRequest, Quote
from citycard.kernel.outside import TerminalConfig
from citycard.kernel.services import Participant, Service
from citycard.kernel.settings import shown
from citycard_tourism.sectors import FeeFacts, PassFacts, TicketFacts, VisitFacts
from citycard_tourism.settings import Plan, TourismSettings

if TYPE_CHECKING:
    from citycard.clearing.context import Share
    from citycard.kernel.habits import Habit
    from citycard.terminal.record import TransactionRecord

__all__ = [
    "FEE",
    "NUMBERS",
    "PASS_SALE",
    "SALE",
    "TICKET_SALE",
    "VISIT",
    "asked_facts",
    "participants",
    "services",
    "terminal_config",
    "weights_of",
]

PASS_SALE, TICKET_SALE, VISIT = "tourism-pass", "tourism-ticket", "tourism-visit"
FEE, SALE = "tourism-fee", "tourism-sale"
NUMBERS = {PASS_SALE: 300, TICKET_SALE: 301, VISIT: 302, FEE: 303, SALE: 304}

_TITLES = {
    PASS_SALE: ("Pass or membership", "年票与会员"),
    TICKET_SALE: ("Timed ticket", "预约门票"),
    VISIT: ("Visit", "入馆"),
    FEE: ("Library fee", "图书逾期费"),
    SALE: ("Purchase at a venue", "场馆消费"),
}
_LAYOUTS = {PASS_SALE: PassFacts, TICKET_SALE: TicketFacts, VISIT: VisitFacts, FEE: FeeFacts, SALE: None}

Facts = PassFacts | TicketFacts | VisitFacts | FeeFacts | None


def services(settings: TourismSettings) -> Iterator[Service]:
    """Declare the five services."""
    for name, number in NUMBERS.items():
        title, title_zh = _TITLES[name]
        yield Service(
            name=name,
            number=number,
            title=title,
            title_zh=title_zh,
            facts=_LAYOUTS[name],
            request=_asking(settings, name),
            shares=_sharing(settings, name),
            habits=partial(_habits, settings, name),
            # A visit costs nothing whatever its facts are, and every gate has a great many.
            alike=_alike if name == VISIT else None,
        )


def asked_facts(settings: TourismSettings, facts: Facts) -> Mapping[str, Any]:
    """Give what rules look at in facts; names that the settings no longer have are empty."""
    if isinstance(facts, PassFacts):
        return {"plan": _name(settings.plans, facts.plan), "turn": facts.turn}
    if isinstance(facts, TicketFacts):
        show = _name(settings.shows, facts.show)
        return {"show": show, "people": facts.people, "points_fen": facts.points_fen}
    if isinstance(facts, FeeFacts):
        venue = next((one.id for one in settings.venues if one.number == facts.venue), "")
        return {"venue": venue, "days": facts.days}
    return {}


def weights_of(settings: TourismSettings, plan: Plan, facts: PassFacts) -> dict[str, int]:
    """Say who gets what is paid for a plan, by partner: weights of one whole, none of them negative.

    The seller's percentage comes first. The rest goes by the visits of the period before where it is an
    extension of a membership that was used, else by the plan's weights, else evenly.
    """
    visits = dict(zip(plan.venues, facts.visits, strict=False))
    used = plan.kind == "membership" and facts.turn > 0 and sum(visits.values()) > 0
    by = visits if used else plan.weights or dict.fromkeys(plan.venues, 1)
    whole = sum(by.values())
    weights = {name: part * (100 - plan.seller_percent) for name, part in by.items()}
    seller = next((one.id for one in settings.venues if one.number == facts.seller), "")
    if plan.seller_percent and seller:
        weights[seller] = weights.get(seller, 0) + plan.seller_percent * whole
    return {name: weight for name, weight in sorted(weights.items()) if weight}


def participants(settings: TourismSettings) -> Iterator[Participant]:
    """Declare the venues, with the accounts they are paid into; kinds are as in the settings."""
    for venue in settings.venues:
        yield Participant(
            id=venue.id,
            name=f"{venue.name} {venue.name_zh}".strip(),
            kind=venue.kind,
            account_name=venue.name,
            account_no=venue.account,
            bank_bic=venue.bic,
            district=venue.district or None,
        )


def terminal_config(settings: TourismSettings) -> TerminalConfig:
    """Declare what gates need offline: venues with capacity and groups, shows with times, plans."""
    return TerminalConfig(name="venues", values=shown(settings))


def _name(among: Iterable[Any], number: int) -> str:
    return next((one.name for one in among if one.number == number), "")


def _asking(settings: TourismSettings, name: str) -> Callable[[TransactionRecord, Any], PriceRequest]:
    def request(record: TransactionRecord, facts: Any) -> PriceRequest:
        return PriceRequest(
            service=name,
            at=record.at,
            list_price_fen=record.list_price_fen if name == SALE else None,
            entitlements=settings.entitlements(getattr(facts, "rights", 0)),  # type: ignore[arg-type]
            facts=asked_facts(settings, facts),
        )

    return request


def _sharing(
    settings: TourismSettings, name: str
) -> Callable[[TransactionRecord, Any, Quote], Iterable[Share]] | None:
    if name not in {PASS_SALE, TICKET_SALE}:
        return None

    def shares(_: TransactionRecord, facts: Any, __: Quote) -> Iterable[Share]:
        # Imported here: it brings the ledger along, which listing the plugins does without.
        from citycard.clearing.context import Share

        if isinstance(facts, TicketFacts):
            venues = [show.venue for show in settings.shows if show.number == facts.show]
            return tuple(Share(partner=venue) for venue in venues)
        plans = [plan for plan in settings.plans if plan.number == facts.plan]
        weights = weights_of(settings, plans[0], facts) if plans else {}
        return tuple(Share(partner=partner, weight=weight) for partner, weight in weights.items())

    return shares


def _alike(_: Any, __: Any) -> Iterable[Any]:
    return ()


def _habits(settings: TourismSettings, name: str) -> Iterable[Habit]:
    # Imported here: only the simulator asks.
    from citycard_tourism.habits import habits

    return habits(settings, name)
