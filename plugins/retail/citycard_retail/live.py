"""A day of shops in a simulated city (docs/simulate.md): merchants, sales online, a hotel, an order."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from citycard import Lived, derived_id
from citycard.store import reading
from citycard_retail.errors import OrderUnknown
from citycard_retail.hotel import capture, hold
from citycard_retail.merchants import MerchantWish, apply, decide
from citycard_retail.orderbook import find_order
from citycard_retail.orders import place, return_lines, step
from citycard_retail.sales import sell
from citycard_retail.shop import Product, add_products, products, put_into_basket

if TYPE_CHECKING:
    from citycard_retail.market import Market

__all__ = ["live_day"]

_SHOP, _HOTEL = "harbour-mart", "bay-hotel"
_MERCHANTS = ((_SHOP, "Harbour Mart", "supermarket"), (_HOTEL, "Bay Hotel", "hotel"))
_ONLINE = "online-shop"
_ACCOUNT, _BIC = "62009901000002100{:02d}", "CITYCNBJXXX"
_BASKETS_FEN = (3990, 8650, 15_800)
_DEPOSIT_FEN, _STAY_FEN = 30_000, 21_800
_PRODUCTS = (
    Product(
        sku="RICE-5", title="Rice, 5 kg", title_zh="大米5公斤", price_fen=3290, stock=10_000, on_sale=True
    ),
    Product(sku="TEA", title="Green tea", title_zh="绿茶", price_fen=4500, stock=10_000, on_sale=True),
)


def live_day(market: Market, day: dt.date, accounts: Sequence[str]) -> Iterator[Lived]:
    """Let everybody buy something online; the first one also stays at the hotel, and orders and returns.

    The same day again changes nothing.
    """
    yield Lived(what="merchants", count=_opened(market))
    sales = [
        sell(
            market,
            derived_id("simulated sale", day, asn),
            asn,
            _SHOP,
            _BASKETS_FEN[turn % len(_BASKETS_FEN)],
            actor="simulated",
        )
        for turn, asn in enumerate(accounts)
    ]
    yield Lived(what="sales online", count=len(sales), amount_fen=sum(sale.amount_fen for sale in sales))
    guest = accounts[0]
    deposit = hold(market, derived_id("simulated deposit", day, guest), guest, _HOTEL, _DEPOSIT_FEN)
    stay = capture(market, derived_id("simulated stay", day, guest), deposit.id, _STAY_FEN)
    yield Lived(what="hotel stays", count=1, amount_fen=stay.amount_fen)
    yield _ordered(market, day, guest)


def _opened(market: Market) -> int:
    """Let merchants apply and a second person approve them; give how many there are."""
    online = (market.settings.supermarket.partner, "E-supermarket", _ONLINE)
    wanted = (*_MERCHANTS, online)
    for turn, (partner, name, category) in enumerate(wanted):
        wish = MerchantWish(
            id=derived_id("simulated merchant", partner),
            partner=partner,
            name=name,
            category=category,
            account_no=_ACCOUNT.format(turn),
            bank_bic=_BIC,
        )
        apply(market, wish, actor="applicant")
        decide(market, wish.id, approve=True, actor="second person")
    with reading(market.city.engine) as conn:
        there = products(conn)
    if not there:
        add_products(market, _PRODUCTS)
    return len(wanted)


def _ordered(market: Market, day: dt.date, asn: str) -> Lived:
    """Order two of each product, let them be delivered, and give one back."""
    identity = derived_id("simulated order", day, asn)
    try:
        order = find_order(market, identity)
    except OrderUnknown:
        for product in _PRODUCTS:
            put_into_basket(market, asn, product.sku, 2)
        order = place(market, identity, asn, address="1 Harbour Road", actor="simulated")
        for what in ("pack", "ship", "deliver"):
            step(market, identity, what)
    back = derived_id("simulated return", identity)
    return_lines(market, back, identity, {_PRODUCTS[0].sku: 1}, actor="simulated")
    return Lived(what="orders delivered", count=1, amount_fen=order.paid_fen)
