"""Retail's addresses: what is where, who may use it, and what it takes and gives.

What answers is in ``endpoints``, ``shopendpoints`` and ``pages``, which are imported with the first request,
and so are the bodies: listing the plugins does without a web framework.
"""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.outside import PUBLIC, MenuItem, Permission, Route

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
    "routes",
]

APPLY, READ, APPROVE = "retail.apply-merchants", "retail.read-merchants", "retail.approve-merchants"
CHARGE, STATEMENTS = "retail.charge-accounts", "retail.read-statements"
SHOP, KEEP = "retail.use-shop", "retail.keep-shop"

_PARTNER = ("partner",)
_HOME, _HOLD = "citycard_retail", "citycard.wallet:AccountHold"
_SALE, _BACK, _ORDER, _BASKET = "sales:Sale", "refunds:GivenBack", "orderbook:Order", "shop:Basket"
_APPLICATION = "merchants:MerchantApplication"
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


def routes() -> Iterator[Route]:
    """Declare the endpoints and pages."""
    yield from _merchants()
    yield from _sales()
    yield from _shop()
    yield from _pages()


def _merchants() -> Iterator[Route]:
    ours = "endpoints"
    yield _post(
        "/applications",
        ours,
        "ask",
        APPLY,
        "merchants:MerchantWish",
        _APPLICATION,
        "Apply for a merchant.",
    )
    yield _get(
        "/applications",
        ours,
        "applied",
        READ,
        "bodies:MerchantApplicationList",
        "Applications, newest first.",
        query="bodies:StateQuery",
    )
    yield _post(
        "/applications/{application}/decision",
        ours,
        "decided",
        APPROVE,
        "bodies:MerchantDecision",
        _APPLICATION,
        "Approve or reject an application of somebody else.",
    )
    yield _get(
        "/merchants", ours, "listed", READ, "bodies:MerchantList", "The merchants with tiers and tills."
    )
    yield _get(
        "/merchants/{partner}/statement",
        ours,
        "statement",
        STATEMENTS,
        "statement:MerchantStatement",
        "A merchant's statement of a run, with every sale and its fee.",
        query="bodies:RunQuery",
    )


def _sales() -> Iterator[Route]:
    ours = "endpoints"
    yield _get("/sales/{sale}", ours, "sold", CHARGE, _SALE, "A sale, by its id or that of a till's record.")
    for path, handler, request, response, summary in (
        ("/sales", "sell_one", "bodies:SaleToMake", _SALE, "Sell, paid from an online account."),
        ("/sales/{sale}/void", "void", "bodies:SaleVoid", _BACK, "Void a sale of today."),
        ("/sales/{sale}/refunds", "refund", "bodies:SaleRefund", _BACK, "Give a sale back, or a part."),
        ("/holds", "hold", "bodies:StayToHold", _HOLD, "Hold a deposit for a stay."),
        ("/holds/{hold}/capture", "capture", "bodies:StayToCapture", _SALE, "Take what a stay came to."),
        ("/holds/{hold}/release", "release", "bodies:HoldToEnd", _HOLD, "Free a deposit."),
    ):
        yield _post(path, ours, handler, CHARGE, request, response, summary)


def _shop() -> Iterator[Route]:
    ours = "shopendpoints"
    yield _get("/products", ours, "on_sale", PUBLIC, "bodies:ProductList", "What the supermarket sells.")
    yield _get("/baskets/{card}", ours, "basket", SHOP, _BASKET, "The basket of a card.")
    yield _get("/cards/{card}/orders", ours, "mine", SHOP, "bodies:ShopOrderList", "The orders of a card.")
    yield _get(
        "/orders",
        ours,
        "listed",
        KEEP,
        "bodies:ShopOrderList",
        "The supermarket's orders.",
        query="bodies:StateQuery",
    )
    for path, handler, permission, request, response, summary in (
        (
            "/baskets/{card}",
            "fill",
            SHOP,
            "bodies:BasketChange",
            _BASKET,
            "Put products into a basket.",
        ),
        ("/orders", "place", SHOP, "bodies:OrderToPlace", _ORDER, "Order what is in the basket."),
        ("/orders/{order}/step", "step", KEEP, "bodies:OrderStep", _ORDER, "Pack, ship or deliver."),
        ("/orders/{order}/cancel", "cancel", SHOP, "bodies:HoldToEnd", _ORDER, "Cancel an order."),
        ("/orders/{order}/returns", "give_back", KEEP, "bodies:ReturnToMake", _ORDER, "Take products back."),
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
        yield _route(path, ours, handler, permission, summary, "POST")


def _get(
    path: str,
    module: str,
    handler: str,
    permission: str,
    response: str,
    summary: str,
    *,
    query: str | None = None,
) -> Route:
    return _route(path, module, handler, permission, summary, request=query, response=response)


def _post(
    path: str,
    module: str,
    handler: str,
    permission: str,
    request: str,
    response: str,
    summary: str,
) -> Route:
    return _route(path, module, handler, permission, summary, "POST", request=request, response=response)


def _route(
    path: str,
    module: str,
    handler: str,
    permission: str,
    summary: str,
    method: str = "GET",
    *,
    request: str | None = None,
    response: str | None = None,
) -> Route:
    return Route(
        path=path,
        endpoint=f"{_HOME}.{module}:{handler}",
        permission=permission,
        methods=(method,),
        summary=summary,
        request=_named(request),
        response=_named(response),
    )


def _named(body: str | None) -> str | None:
    return body if body is None or body.startswith("citycard") else f"{_HOME}.{body}"
