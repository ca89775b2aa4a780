"""Pages: the supermarket for citizens, and the desk where merchants are approved and orders go out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Connection
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from citycard.errors import QueryInvalid
from citycard.ids import new_id, uuid_in
from citycard.web import actor_of, read_form, render, require, whole_in
from citycard_retail import orderbook, orders, shop
from citycard_retail.market import Market
from citycard_retail.merchants import applications, decide, merchants
from citycard_retail.requests import read, worked
from citycard_retail.shopendpoints import cancelling
from citycard_retail.web import APPROVE, KEEP, SHOP

__all__ = ["buy", "call_off", "decided", "desk", "fill", "shopping", "stepped"]

_OTHER = 303


async def shopping(request: Request) -> Response:
    """Show what is on sale, and the basket and orders of the own card, or of the one that is asked for."""
    card = request.query_params.get("card", "")[:20] or actor_of(request).subject
    if card:
        require(actor_of(request), SHOP, card)

    def work(market: Market, _: str) -> tuple[object, ...]:
        goods = read(market, shop.products)
        mine = read(market, lambda conn: orderbook.orders(conn, asn=card)) if card else ()
        return goods, mine, shop.basket_of(market, card)

    goods, mine, basket = await worked(request, work)
    return render(
        request, "retail/shop.html", card=card, goods=goods, basket=basket, orders=mine, id=new_id()
    )


async def fill(request: Request) -> Response:
    """Put a product into the basket."""
    form = await read_form(request)
    card, quantity = _own(request, form), whole_in(form, "quantity")
    sku = form.get("sku", "")[:20]
    await worked(request, lambda market, _: shop.put_into_basket(market, card, sku, quantity))
    return RedirectResponse(f"/retail/shop?card={card}", _OTHER)


async def buy(request: Request) -> Response:
    """Order the basket."""
    form = await read_form(request)
    card, identity, address = _own(request, form), _id(form), form.get("address", "")
    await worked(request, lambda market, by: orders.place(market, identity, card, address=address, actor=by))
    return RedirectResponse(f"/retail/shop?card={card}", _OTHER)


async def call_off(request: Request) -> Response:
    """Cancel an order."""
    found = await worked(request, cancelling(request, _id(await read_form(request))))
    return RedirectResponse(f"/retail/shop?card={found.card}", _OTHER)


async def desk(request: Request) -> Response:
    """Show merchants, what is to be decided, the tiers, and orders on their way."""

    def work(market: Market, _: str) -> dict[str, Any]:
        return {
            "merchants": read(market, lambda conn: merchants(market, conn)),
            "applications": read(market, lambda conn: applications(conn, state="open")),
            "orders": read(market, _to_deliver),
            "tiers": market.settings.tiers,
            "categories": {one.name: one for one in market.settings.categories},
            "may_keep": actor_of(request).may(KEEP, market.settings.supermarket.partner),
        }

    return render(
        request,
        "retail/desk.html",
        next_step={before: name for name, (before, _) in orders.STEPS.items()},
        may_approve=actor_of(request).may(APPROVE),
        **await worked(request, work),
    )


async def decided(request: Request) -> Response:
    """Decide an application."""
    form = await read_form(request)
    identity, approve, reason = _id(form), form.get("approve") == "yes", form.get("reason", "")[:200]
    await worked(
        request, lambda market, by: decide(market, identity, approve=approve, reason=reason, actor=by)
    )
    return RedirectResponse("/retail/desk", _OTHER)


async def stepped(request: Request) -> Response:
    """Take a step of delivery."""
    form = await read_form(request)
    identity, step = _id(form), form.get("step", "")
    if step not in orders.STEPS:
        raise QueryInvalid(field="step", text=step[:40], expected=", ".join(orders.STEPS))

    def work(market: Market, _: str) -> None:
        require(actor_of(request), KEEP, market.settings.supermarket.partner)
        orders.step(market, identity, step)

    await worked(request, work)
    return RedirectResponse("/retail/desk", _OTHER)


def _to_deliver(conn: Connection) -> list[orderbook.Order]:
    states = [before for before, _ in orders.STEPS.values()]
    return [one for state in states for one in orderbook.orders(conn, state=state)]


def _own(request: Request, form: dict[str, str]) -> str:
    card = form.get("card", "") or actor_of(request).subject
    require(actor_of(request), SHOP, card)
    return card


def _id(form: dict[str, str]) -> UUID:
    return uuid_in(form, "id", "an id, as the page's form has it")
