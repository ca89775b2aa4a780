"""Retail's addresses: what is where, who may use it, and what it takes and gives.

What answers is in ``endpoints``, ``shopendpoints`` and ``pages``, which are imported with the first request:
listing the plugins does without a web framework.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from importlib import import_module
from typing import TYPE_CHECKING, Any

import attrs

from citycard.kernel.outside import PUBLIC, MenuItem, Permission, Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

__all__ = [
    "APPLY",
    "APPROVE",
    "CHARGE",
    "KEEP",
    "MENU",
    "PERMISSIONS",
    "READ",
    "SHOP",
    "STATEMENTS",
    "RunQuery",
    "StateQuery",
    "routes",
]

APPLY, READ, APPROVE = "retail.apply-merchants", "retail.read-merchants", "retail.approve-merchants"
CHARGE, STATEMENTS = "retail.charge-accounts", "retail.read-statements"
SHOP, KEEP = "retail.use-shop", "retail.keep-shop"

_PARTNER = ("partner",)
PERMISSIONS = (
    Permission(name=APPLY, title="Apply for merchants, and for other tiers.", roles=("clerk",)),
    Permission(name=READ, title="See merchants, applications and tiers.", roles=("clerk",)),
    Permission(name=APPROVE, title="Approve and reject applications of others."),
    Permission(name=CHARGE, title="Charge accounts for a merchant: sell, give back, hold.", roles=_PARTNER),
    Permission(name=STATEMENTS, title="Read a merchant's statements.", roles=_PARTNER),
    Permission(name=SHOP, title="Order in the online supermarket.", roles=("citizen",)),
    Permission(name=KEEP, title="Keep the supermarket's products and deliver orders.", roles=_PARTNER),
)
MENU = (
    MenuItem(path="/shop", title="Supermarket", title_zh="网上超市", permission=SHOP, own=True),
    MenuItem(path="/desk", title="Merchants", title_zh="商户", permission=READ),
)


@attrs.frozen(kw_only=True)
class RunQuery:
    """A run of clearing; 0 is the last one."""

    run: int = attrs.field(
        default=0, metadata={"expected": "the number of a run, 0 for the last", "range": (0, 10**9)}
    )


@attrs.frozen(kw_only=True)
class StateQuery:
    """A state, or all."""

    state: str = attrs.field(default="", metadata={"expected": "a state", "range": (0, 10)})


def routes() -> Iterator[Route]:
    """Declare the endpoints and pages."""
    yield from _merchants()
    yield from _sales()
    yield from _shop()
    yield from _pages()


def _merchants() -> Iterator[Route]:
    from citycard_retail import bodies
    from citycard_retail.merchants import MerchantApplication, MerchantWish
    from citycard_retail.statement import MerchantStatement

    ours = "endpoints"
    yield _post(
        "/applications", ours, "ask", APPLY, MerchantWish, MerchantApplication, "Apply for a merchant."
    )
    yield _get(
        "/applications",
        ours,
        "applied",
        READ,
        bodies.MerchantApplicationList,
        "Applications, newest first.",
        query=StateQuery,
    )
    yield _post(
        "/applications/{application}/decision",
        ours,
        "decided",
        APPROVE,
        bodies.MerchantDecision,
        MerchantApplication,
        "Approve or reject an application of somebody else.",
    )
    yield _get("/merchants", ours, "listed", READ, bodies.MerchantList, "The merchants with tiers and tills.")
    yield _get(
        "/merchants/{partner}/statement",
        ours,
        "statement",
        STATEMENTS,
        MerchantStatement,
        "A merchant's statement of a run, with every sale and its fee.",
        query=RunQuery,
    )


def _sales() -> Iterator[Route]:
    from citycard.wallet import AccountHold
    from citycard_retail import bodies
    from citycard_retail.refunds import GivenBack
    from citycard_retail.sales import Sale

    ours = "endpoints"
    yield _get("/sales/{sale}", ours, "sold", CHARGE, Sale, "A sale, by its id or that of a till's record.")
    for path, handler, request, response, summary in (
        ("/sales", "sell_one", bodies.SaleToMake, Sale, "Sell, paid from an online account."),
        ("/sales/{sale}/void", "void", bodies.SaleVoid, GivenBack, "Void a sale of today."),
        ("/sales/{sale}/refunds", "refund", bodies.SaleRefund, GivenBack, "Give a sale back, or a part."),
        ("/holds", "hold", bodies.StayToHold, AccountHold, "Hold a deposit for a stay."),
        ("/holds/{hold}/capture", "capture", bodies.StayToCapture, Sale, "Take what a stay came to."),
        ("/holds/{hold}/release", "release", bodies.HoldToEnd, AccountHold, "Free a deposit."),
    ):
        yield _post(path, ours, handler, CHARGE, request, response, summary)


def _shop() -> Iterator[Route]:
    from citycard_retail import bodies
    from citycard_retail.orderbook import Order
    from citycard_retail.shop import Basket

    ours = "shopendpoints"
    yield _get("/products", ours, "on_sale", PUBLIC, bodies.ProductList, "What the supermarket sells.")
    yield _get("/baskets/{card}", ours, "basket", SHOP, Basket, "The basket of a card.")
    yield _get("/cards/{card}/orders", ours, "mine", SHOP, bodies.ShopOrderList, "The orders of a card.")
    yield _get(
        "/orders", ours, "listed", KEEP, bodies.ShopOrderList, "The supermarket's orders.", query=StateQuery
    )
    for path, handler, permission, request, response, summary in (
        ("/baskets/{card}", "fill", SHOP, bodies.BasketChange, Basket, "Put products into a basket."),
        ("/orders", "place", SHOP, bodies.OrderToPlace, Order, "Order what is in the basket."),
        ("/orders/{order}/step", "step", KEEP, bodies.OrderStep, Order, "Pack, ship or deliver."),
        ("/orders/{order}/cancel", "cancel", SHOP, bodies.HoldToEnd, Order, "Cancel an order."),
        ("/orders/{order}/returns", "give_back", KEEP, bodies.ReturnToMake, Order, "Take products back."),
    ):
        yield _post(path, ours, handler, permission, request, response, summary)


def _pages() -> Iterator[Route]:
    ours = "pages"
    yield _route("/shop", ours, "shopping", SHOP, "The online supermarket.")
    yield _route("/desk", ours, "desk", READ, "Merchants, applications, orders.")
    for path, handler, permission, summary in (
        ("/shop/basket", "fill", SHOP, "Put a product into the basket, from the page."),
        ("/shop/orders", "buy", SHOP, "Order the basket, from the page."),
        ("/shop/cancel", "call_off", SHOP, "Cancel an order, from the page."),
        ("/desk/decision", "decided", APPROVE, "Decide an application, from the page."),
        ("/desk/step", "stepped", KEEP, "Take a step of delivery, from the page."),
    ):
        yield _route(path, ours, handler, permission, summary, methods=("POST",))


def _get(
    path: str,
    module: str,
    handler: str,
    permission: str,
    response: type[Any],
    summary: str,
    *,
    query: type[Any] | None = None,
) -> Route:
    return _route(path, module, handler, permission, summary, request=query, response=response)


def _post(
    path: str,
    module: str,
    handler: str,
    permission: str,
    request: type[Any],
    response: type[Any],
    summary: str,
) -> Route:
    told: dict[str, Any] = {"request": request, "response": response, "methods": ("POST",)}
    return _route(path, module, handler, permission, summary, **told)


def _route(path: str, module: str, handler: str, permission: str, summary: str, **more: Any) -> Route:
    return Route(
        path=path, endpoint=_handler(module, handler), permission=permission, summary=summary, **more
    )


def _handler(module: str, name: str) -> Callable[[Request], Awaitable[Response]]:
    async def enter(request: Request) -> Response:
        found: Callable[[Request], Awaitable[Response]] = getattr(
            import_module(f"citycard_retail.{module}"), name
        )
        return await found(request)

    enter.__name__ = name
    return enter
