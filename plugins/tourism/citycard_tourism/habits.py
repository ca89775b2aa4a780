"""How people use venues in a simulated city (docs/simulate.md): made of the settings."""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.habits import Habit, HabitTap
from citycard_tourism.sectors import FeeFacts, PassFacts, RightKind, Step, TicketFacts, VisitFacts
from citycard_tourism.settings import Plan, Show, TourismSettings

__all__ = ["habits"]

# Of ten thousand: tickets are bought often, passes seldom, and a pass is used about once a week.
_TICKET, _VISIT, _GOODS, _FEE, _PLAN = 300, 400, 200, 10, 5
_INSIDE_MINUTES, _GOODS_FEN = 90, 3500


def habits(settings: TourismSettings, service: str) -> Iterator[Habit]:
    """Give what people do of one service: a way in and out, a ticket, a pass, a fee, a book."""
    if service == "tourism-ticket":
        yield from (_ticket(settings, show) for show in settings.shows)
    elif service == "tourism-pass":
        yield from (_plan(settings, plan) for plan in settings.plans)
    elif service == "tourism-visit":
        for plan in settings.plans:
            yield from (_visit(settings, plan, venue) for venue in plan.venues)
    elif service == "tourism-fee":
        for library in settings.libraries:
            number = settings.venue(library.venue).number
            tap = HabitTap(partner=library.venue, facts=FeeFacts(venue=number, days=3))
            yield Habit(there=(tap,), weight=_FEE)
    else:
        shops = [venue for venue in settings.venues if venue.kind == "bookshop"]
        for shop in shops:
            yield Habit(there=(HabitTap(partner=shop.id, list_price_fen=_GOODS_FEN),), weight=_GOODS)


def _ticket(settings: TourismSettings, show: Show) -> Habit:
    # A pair buys one ticket for both on the way there, and two single ones on the way back.
    there = HabitTap(partner=settings.venue(show.venue).id, facts=TicketFacts(show=show.number, people=2))
    back = HabitTap(partner=settings.venue(show.venue).id, facts=TicketFacts(show=show.number))
    return Habit(there=(there,), back=(back,), weight=_TICKET)


def _plan(settings: TourismSettings, plan: Plan) -> Habit:
    venue = settings.venue(plan.venues[0])
    facts = PassFacts(plan=plan.number, serial=0, seller=venue.number)
    return Habit(there=(HabitTap(partner=venue.id, facts=facts),), weight=_PLAN)


def _visit(settings: TourismSettings, plan: Plan, name: str) -> Habit:
    venue = settings.venue(name)
    right = RightKind.MEMBERSHIP if plan.kind == "membership" else RightKind.PASS

    def tap(step: Step, minutes: int) -> HabitTap:
        facts = VisitFacts(venue=venue.number, right=right, number=plan.number, step=step, group=venue.gates)
        return HabitTap(partner=venue.id, facts=facts, minutes=minutes)

    return Habit(there=(tap(Step.ENTER, 0), tap(Step.LEAVE, _INSIDE_MINUTES)), weight=_VISIT)
