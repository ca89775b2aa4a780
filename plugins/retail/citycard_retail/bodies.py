"""What endpoints of retail take and give: a class for each body, with names that are its own."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

import attrs
from attrs.validators import ge, le, max_len, min_len

from citycard.wallet.refunds import Destination
from citycard_retail.merchants import Merchant, MerchantApplication
from citycard_retail.orderbook import Order
from citycard_retail.shop import Product

__all__ = [
    "BasketChange",
    "HoldToEnd",
    "MerchantApplicationList",
    "MerchantDecision",
    "MerchantList",
    "OrderStep",
    "OrderToPlace",
    "ProductList",
    "ReturnToMake",
    "RunQuery",
    "SaleRefund",
    "SaleToMake",
    "SaleVoid",
    "ShopOrderList",
    "StateQuery",
    "StayToCapture",
    "StayToHold",
]


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


@attrs.frozen(kw_only=True)
class MerchantDecision:
    """Approve an application or reject it; a rejection has a reason."""

    approve: bool
    reason: str = attrs.field(default="", validator=max_len(200))


@attrs.frozen(kw_only=True)
class SaleToMake:
    """A sale that a merchant charges to an online account, by its number or that of the card."""

    id: UUID
    partner: str
    account: str
    amount_fen: int
    note: str = attrs.field(default="", validator=max_len(100))


@attrs.frozen(kw_only=True)
class SaleVoid:
    """Take a whole sale back, on its own day."""

    id: UUID


@attrs.frozen(kw_only=True)
class SaleRefund:
    """Give a sale back: all that is left of it, or an amount. ``to`` counts for what a till sold."""

    id: UUID
    reason: str = attrs.field(validator=[min_len(1), max_len(200)])
    approved_by: str = attrs.field(validator=[min_len(1), max_len(100)])
    amount_fen: int | None = None
    to: Destination | None = None


@attrs.frozen(kw_only=True)
class StayToHold:
    """A deposit that a hotel holds; without ``days`` as long as the city says."""

    id: UUID
    partner: str
    account: str
    amount_fen: int
    days: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.and_(ge(1), le(31)))
    )
    note: str = attrs.field(default="", validator=max_len(100))


@attrs.frozen(kw_only=True)
class StayToCapture:
    """What a stay came to, out of its hold; all of it without an amount."""

    id: UUID
    amount_fen: int | None = None


@attrs.frozen(kw_only=True)
class HoldToEnd:
    """Free a hold."""

    id: UUID


@attrs.frozen(kw_only=True)
class BasketChange:
    """So many of a product in the basket, 0 for none."""

    sku: str = attrs.field(validator=max_len(20))
    quantity: int


@attrs.frozen(kw_only=True)
class OrderToPlace:
    """Order what is in the basket of a card."""

    id: UUID
    card: str
    address: str = attrs.field(validator=[min_len(1), max_len(300)])


@attrs.frozen(kw_only=True)
class OrderStep:
    """A step of delivery: pack, ship or deliver."""

    step: str


@attrs.frozen(kw_only=True)
class ReturnToMake:
    """So many of each product of an order come back."""

    id: UUID
    lines: Mapping[str, int]


@attrs.frozen(kw_only=True)
class MerchantApplicationList:
    """Applications, newest first."""

    applications: tuple[MerchantApplication, ...]


@attrs.frozen(kw_only=True)
class MerchantList:
    """Merchants by number."""

    merchants: tuple[Merchant, ...]


@attrs.frozen(kw_only=True)
class ProductList:
    """What the supermarket sells."""

    products: tuple[Product, ...]


@attrs.frozen(kw_only=True)
class ShopOrderList:
    """Orders, newest first."""

    orders: tuple[Order, ...]
