"""The endpoints of culture and leisure: what is on, buying and changing online, what venues see."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from citycard.kernel.outside import PUBLIC, Permission, Route
from citycard_tourism.settings import TourismSettings

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response


__all__ = ["BOOKS", "BUY", "PERMISSIONS", "READ", "SELL", "SLOTS", "VISITS", "routes"]

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
_HOME = "citycard_tourism."


def routes(settings: TourismSettings) -> Iterator[Route]:
    """Declare the endpoints of a city with these settings."""

    def get(
        name: str,
        path: str,
        summary: str,
        permission: str = PUBLIC,
        *,
        request: str | None = None,
        response: str,
    ) -> Route:
        return Route(
            path=path,
            endpoint=_bound(settings, name),
            permission=permission,
            summary=summary,
            request=request and _HOME + request,
            response=_HOME + response,
        )

    def post(name: str, path: str, summary: str, permission: str, body: str, answer: str) -> Route:
        return Route(
            path=path,
            endpoint=_bound(settings, name),
            permission=permission,
            summary=summary,
            methods=("POST",),
            request=_HOME + body,
            response=_HOME + answer,
        )

    yield get("programme", "/programme", "What is on: venues, shows, passes.", response="bodies:Programme")
    told = "The slots of a show on a day."
    yield get("slots", "/slots", told, request="bodies:SlotQuery", response="bodies:SlotLine")
    yield get("rights", "/cards/{asn}", "What a card has at venues.", READ, response="views:Rights")
    told = "How often venues were visited, by what let people in."
    yield get("visits", "/visits", told, VISITS, request="bodies:VisitQuery", response="visits:VenueVisits")
    told = "Buy a ticket from an online account."
    yield post("buy", "/tickets", told, BUY, "bodies:TicketToBuy", "views:TicketView")
    yield post(
        "move", "/tickets/{ticket}/moves", "Move a ticket.", BUY, "bodies:TicketToMove", "views:TicketView"
    )
    told = "Give a ticket back."
    yield post("give_back", "/tickets/{ticket}/returns", told, BUY, "bodies:ActOnRight", "views:TicketView")
    told = "Free the places of a ticket that a counter held and did not sell."
    yield post(
        "free_held", "/tickets/{ticket}/releases", told, SLOTS, "bodies:ActOnRight", "views:TicketView"
    )
    told = "Buy a pass or membership from an online account."
    yield post("buy_plan", "/passes", told, BUY, "bodies:PassToBuy", "views:PassView")
    told = "Sell goods of a venue from an online account, with its points."
    yield post("sell_goods", "/sales", told, SELL, "bodies:GoodsToSell", "bodies:GoodsSold")
    yield post(
        "set_slot", "/slots", "Say how many places a slot has.", SLOTS, "bodies:SlotToSet", "bodies:SlotLine"
    )
    told = "Keep a book for longer."
    yield post("renew_loan", "/loans/{loan}/renewals", told, BUY, "bodies:LoanToRenew", "views:LoanView")
    told = "Pay library fees from an online account."
    yield post("pay_loans", "/fees", told, BUY, "bodies:FeesToPay", "bodies:FeesPaid")
    yield post("book_back", "/books", "Take a book back.", BOOKS, "bodies:BookBack", "views:LoanView")


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
