"""What retail tells, once it was committed: the class of each body."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from citycard.kernel.data import EventType

__all__ = [
    "APPROVED",
    "ORDERED",
    "RETURNED",
    "SOLD",
    "MerchantApproved",
    "OrderChanged",
    "PurchaseMade",
    "PurchaseReturned",
    "event_types",
]

APPROVED, SOLD, RETURNED, ORDERED = (
    "retail.merchant-approved",
    "retail.purchase-made",
    "retail.purchase-returned",
    "retail.order-changed",
)


@attrs.frozen(kw_only=True)
class MerchantApproved:
    """A second person approved a merchant: its partner, category and fee tier."""

    partner: str
    category: str
    tier: str


@attrs.frozen(kw_only=True)
class PurchaseMade:
    """A purchase was paid from an online account."""

    sale: str
    partner: str
    card: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class PurchaseReturned:
    """Money of a purchase went back, ``kind`` void or refund."""

    sale: str
    partner: str
    card: str
    kind: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class OrderChanged:
    """An order of the online supermarket took a step."""

    order: str
    card: str
    state: str


def event_types() -> Iterator[EventType]:
    """Declare what retail tells."""
    yield EventType(name=APPROVED, title="A merchant was approved", body=MerchantApproved)
    yield EventType(name=SOLD, title="A purchase was paid from an online account", body=PurchaseMade)
    yield EventType(name=RETURNED, title="Money of a purchase went back", body=PurchaseReturned)
    yield EventType(name=ORDERED, title="An order of the online supermarket changed", body=OrderChanged)
