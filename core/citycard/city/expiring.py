"""What the city does about top-ups whose time has run out: give the money back, refund the order."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import attrs

from citycard.city.orders import look_after_due, refund_uncollected
from citycard.wallet.expiry import expire_loads

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.wallet.load import Load
    from citycard.wallet.order import PaymentOrder

__all__ = ["Expired", "expire"]


@attrs.frozen(kw_only=True)
class Expired:
    """What ran out: loads whose money was given back, and orders that were paid and never collected."""

    loads: tuple[Load, ...]
    orders: tuple[PaymentOrder, ...]


def expire(city: City) -> Expired:
    """Give back the money of loads and orders whose time is over, and ask the provider for the refunds."""
    at = city.now_local()
    before = at - dt.timedelta(days=city.config.topup.open_days)
    loads = expire_loads(city.ledger, before=before, at=at)
    orders = refund_uncollected(city)
    look_after_due(city)
    return Expired(loads=tuple(loads), orders=tuple(orders))
