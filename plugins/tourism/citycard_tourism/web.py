"""The endpoints of culture and leisure: what is on, buying and changing online, what venues see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs

from citycard.kernel.outside import PUBLIC, Permission, Route
from citycard_tourism.settings import TourismSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response


__all__ = [
    "BOOKS",
    "BUY",
    "PERMISSIONS",
    "READ",
    "SELL",
    "SLOTS",
    "VISITS",
    "ActOnRight",
    "BookBack",
    "FeesPaid",
    "FeesToPay",
    "GoodsSold",
    "GoodsToSell",
    "LoanToRenew",
    "PassToBuy",
    "PlanShown",
    "Programme",
    "ShowShown",
    "SlotLine",
    "SlotQuery",
    "SlotToSet",
    "TicketToBuy",
    "TicketToMove",
    "VenueShown",
    "VisitQuery",
    "routes",
]

BUY, READ, SELL = "tourism.buy-rights", "tourism.read-rights", "tourism.sell-goods"
SLOTS, VISITS, BOOKS = "tourism.manage-slots", "tourism.read-visits", "tourism.take-books"
PERMISSIONS = (
    Permission(name=READ, title="See what a card has at venues.", roles=("citizen", "clerk")),
    Permission(
        name=BUY, title="Buy, move and give back tickets and passes online.", roles=("citizen", "clerk")
    ),
    Permission(name=SELL, title="Sell goods of a venue from online accounts.", roles=("partner",)),
    Permission(name=SLOTS, title="Change how many places a slot has.", roles=("partner",)),
    Permission(name=VISITS, title="See how often a venue was visited.", roles=("partner",)),
    Permission(name=BOOKS, title="Take books back at a library.", roles=("partner", "clerk")),
)


def _local(_: Any, field: attrs.Attribute[dt.datetime], value: dt.datetime) -> None:
    if value.tzinfo is not None:
        msg = "the city's local time without a zone, such as 2018-09-01T10:00"
        raise ValueError(msg, field, value)


def _fen(most: int = 10_000_000) -> Any:
    return [attrs.validators.gt(0), attrs.validators.le(most)]


@attrs.frozen(kw_only=True)
class TicketToBuy:
    """A ticket to buy from a card's online account; ``points`` of ``scheme`` pay a part of it."""

    id: UUID
    card: str
    show: str
    starts: dt.datetime = attrs.field(validator=_local)
    people: int = 1
    scheme: str = ""
    points: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(10_000_000)])


@attrs.frozen(kw_only=True)
class TicketToMove:
    """The slot that a ticket is moved to."""

    id: UUID
    starts: dt.datetime = attrs.field(validator=_local)


@attrs.frozen(kw_only=True)
class ActOnRight:
    """An act on what was bought before, with the id that its client made."""

    id: UUID


@attrs.frozen(kw_only=True)
class PassToBuy:
    """A pass to buy from a card's online account."""

    id: UUID
    card: str
    plan: str


@attrs.frozen(kw_only=True)
class GoodsToSell:
    """Goods of a venue, to be paid from a card's online account."""

    id: UUID
    card: str
    venue: str
    list_price_fen: int = attrs.field(validator=_fen())


@attrs.frozen(kw_only=True)
class GoodsSold:
    """What was paid, and the points that it earned."""

    id: UUID
    amount_fen: int
    points: int


@attrs.frozen(kw_only=True)
class LoanToRenew:
    """The card that a book was lent to."""

    card: str


@attrs.frozen(kw_only=True)
class FeesToPay:
    """The card whose library fees are paid; each fee is paid once, so that this needs no id of its own."""

    card: str


@attrs.frozen(kw_only=True)
class FeesPaid:
    """What was paid for late books."""

    card: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class BookBack:
    """A book that came back to a library, today or on an earlier day."""

    venue: str
    item: str
    day: dt.date | None = None


@attrs.frozen(kw_only=True)
class SlotToSet:
    """How many places a slot has."""

    show: str
    starts: dt.datetime = attrs.field(validator=_local)
    capacity: int = attrs.field(validator=[attrs.validators.ge(0), attrs.validators.le(1_000_000)])


@attrs.frozen(kw_only=True)
class SlotQuery:
    """A show and a day; today when left out."""

    show: str = ""
    day: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})


@attrs.frozen(kw_only=True)
class SlotLine:
    """A slot, with the places it has and those that are left."""

    show: str
    starts: dt.datetime
    ends: dt.datetime
    capacity: int
    left: int


@attrs.frozen(kw_only=True)
class VisitQuery:
    """A period, the last thirty days when left out, and a venue, all when left out."""

    since: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})
    until: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})
    venue: str = ""


@attrs.frozen(kw_only=True)
class VenueShown:
    """A venue."""

    id: str
    name: str
    name_zh: str
    kind: str


@attrs.frozen(kw_only=True)
class ShowShown:
    """What timed tickets are sold for."""

    name: str
    title: str
    title_zh: str
    venue: str
    price_fen: int
    times: Sequence[str]
    minutes: int


@attrs.frozen(kw_only=True)
class PlanShown:
    """A pass or membership."""

    name: str
    title: str
    title_zh: str
    kind: str
    venues: Sequence[str]
    price_fen: int
    days: int


@attrs.frozen(kw_only=True)
class Programme:
    """Everything that is on."""

    venues: Sequence[VenueShown]
    shows: Sequence[ShowShown]
    plans: Sequence[PlanShown]


def routes(settings: TourismSettings) -> Iterator[Route]:
    """Declare the endpoints of a city with these settings."""
    from citycard_tourism.views import LoanView, PassView, Rights, TicketView
    from citycard_tourism.visits import VenueVisits

    def get(
        name: str,
        path: str,
        summary: str,
        permission: str = PUBLIC,
        *,
        request: type[Any] | None = None,
        response: type[Any],
    ) -> Route:
        return Route(
            path=path,
            endpoint=_bound(settings, name),
            permission=permission,
            summary=summary,
            request=request,
            response=response,
        )

    def post(
        name: str, path: str, summary: str, permission: str, body: type[Any], answer: type[Any]
    ) -> Route:
        return Route(
            path=path,
            endpoint=_bound(settings, name),
            permission=permission,
            summary=summary,
            methods=("POST",),
            request=body,
            response=answer,
        )

    yield get("programme", "/programme", "What is on: venues, shows, passes.", response=Programme)
    yield get("slots", "/slots", "The slots of a show on a day.", request=SlotQuery, response=SlotLine)
    yield get("rights", "/cards/{asn}", "What a card has at venues.", READ, response=Rights)
    told = "How often venues were visited, by what let people in."
    yield get("visits", "/visits", told, VISITS, request=VisitQuery, response=VenueVisits)
    told = "Buy a ticket from an online account."
    yield post("buy", "/tickets", told, BUY, TicketToBuy, TicketView)
    yield post("move", "/tickets/{ticket}/moves", "Move a ticket.", BUY, TicketToMove, TicketView)
    yield post("give_back", "/tickets/{ticket}/returns", "Give a ticket back.", BUY, ActOnRight, TicketView)
    told = "Free the places of a ticket that a counter held and did not sell."
    yield post("free_held", "/tickets/{ticket}/releases", told, SLOTS, ActOnRight, TicketView)
    told = "Buy a pass or membership from an online account."
    yield post("buy_plan", "/passes", told, BUY, PassToBuy, PassView)
    told = "Sell goods of a venue from an online account, with its points."
    yield post("sell_goods", "/sales", told, SELL, GoodsToSell, GoodsSold)
    yield post("set_slot", "/slots", "Say how many places a slot has.", SLOTS, SlotToSet, SlotLine)
    yield post("renew_loan", "/loans/{loan}/renewals", "Keep a book for longer.", BUY, LoanToRenew, LoanView)
    told = "Pay library fees from an online account."
    yield post("pay_loans", "/fees", told, BUY, FeesToPay, FeesPaid)
    yield post("book_back", "/books", "Take a book back.", BOOKS, BookBack, LoanView)


def _bound(settings: TourismSettings, name: str) -> Callable[[Request], Any]:
    """Give an endpoint that works in the city of its request."""

    async def endpoint(request: Request) -> Response:
        # Imported here: listing the plugins does without the desks, the wallet and clearing.
        from citycard.web import city_of
        from citycard_tourism.endpoints import ENDPOINTS
        from citycard_tourism.office import Office

        return await ENDPOINTS[name](Office(city_of(request), settings), request)

    endpoint.__name__ = name
    return endpoint
