"""Endpoints of the online supermarket: its products, the basket of a card, orders and their steps."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from citycard.errors import Phrase
from citycard.web import actor_of, read_json, read_query, require
from citycard_retail import bodies, orderbook, orders, shop
from citycard_retail.errors import OrderRefused
from citycard_retail.market import Market
from citycard_retail.requests import done, id_in, read
from citycard_retail.web import KEEP, SHOP

__all__ = [
    "basket",
    "cancel",
    "cancelling",
    "fill",
    "give_back",
    "listed",
    "mine",
    "on_sale",
    "place",
    "step",
]


async def on_sale(request: Request) -> Response:
    """List what is on sale."""

    def work(market: Market, _: str) -> object:
        return bodies.ProductList(products=read(market, shop.products))

    return await done(request, work)


async def basket(request: Request) -> Response:
    """Show a basket to its card."""
    card = _card(request)
    return await done(request, lambda market, _: shop.basket_of(market, card))


async def fill(request: Request) -> Response:
    """Put products into a basket."""
    card = _card(request)
    body = await read_json(request, bodies.BasketChange)
    return await done(request, lambda market, _: shop.put_into_basket(market, card, body.sku, body.quantity))


async def mine(request: Request) -> Response:
    """List the orders of a card."""
    card = _card(request)

    def work(market: Market, _: str) -> object:
        return bodies.ShopOrderList(orders=read(market, lambda conn: orderbook.orders(conn, asn=card)))

    return await done(request, work)


async def listed(request: Request) -> Response:
    """List the supermarket's orders."""
    query = read_query(request, bodies.StateQuery)

    def work(market: Market, _: str) -> object:
        _keeps(request, market)
        found = read(market, lambda conn: orderbook.orders(conn, state=query.state, limit=200))
        return bodies.ShopOrderList(orders=found)

    return await done(request, work)


async def place(request: Request) -> Response:
    """Order what is in the basket."""
    body = await read_json(request, bodies.OrderToPlace)
    require(actor_of(request), SHOP, body.card)
    return await done(
        request,
        lambda market, by: orders.place(market, body.id, body.card, address=body.address, actor=by),
    )


async def step(request: Request) -> Response:
    """Take a step of delivery."""
    body, identity = await read_json(request, bodies.OrderStep), id_in(request, "order")

    def work(market: Market, _: str) -> object:
        _keeps(request, market)
        if body.step not in orders.STEPS:
            raise OrderRefused(
                id=identity, reason=Phrase("a step is one of {known}", known=", ".join(orders.STEPS))
            )
        return orders.step(market, identity, body.step)

    return await done(request, work)


def cancelling(request: Request, identity: UUID) -> Callable[[Market, str], orderbook.Order]:
    """Give the work that cancels an order, which its own card's holder or the city's people may do."""

    def work(market: Market, by: str) -> orderbook.Order:
        require(actor_of(request), SHOP, orderbook.find_order(market, identity).card)
        return orders.cancel(market, identity, actor=by)

    return work


async def cancel(request: Request) -> Response:
    """Cancel an order."""
    await read_json(request, bodies.HoldToEnd)
    return await done(request, cancelling(request, id_in(request, "order")))


async def give_back(request: Request) -> Response:
    """Take products of an order back."""
    body, identity = await read_json(request, bodies.ReturnToMake), id_in(request, "order")

    def work(market: Market, by: str) -> object:
        _keeps(request, market)
        return orders.return_lines(market, body.id, identity, dict(body.lines), actor=by)

    return await done(request, work)


def _card(request: Request) -> str:
    card: str = request.path_params["card"]
    require(actor_of(request), SHOP, card)
    return card


def _keeps(request: Request, market: Market) -> None:
    require(actor_of(request), KEEP, market.settings.supermarket.partner)
