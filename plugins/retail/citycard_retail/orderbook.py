"""The book of orders: how they are read, held while they change, and what is told when they did."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Row, select, update

from citycard.store import publish, reading
from citycard_retail.errors import OrderUnknown
from citycard_retail.events import ORDERED
from citycard_retail.market import Market
from citycard_retail.tables import order, order_line

__all__ = [
    "Order",
    "ShopOrderLine",
    "address_of",
    "become",
    "find_order",
    "hold_order",
    "need_order",
    "order_of",
    "orders",
]


@attrs.frozen(kw_only=True)
class ShopOrderLine:
    """So many of a product at the price of the order, and how many of them came back."""

    sku: str
    title: str
    price_fen: int
    quantity: int
    returned: int


@attrs.frozen(kw_only=True)
class Order:
    """An order. ``state`` is placed, paid, packed, shipped, delivered, returned, refused or cancelled.

    One that is cancelling waits for its money to be given back.

    ``total_fen`` is what its lines cost, ``paid_fen`` what was paid after reductions; moments are local.
    """

    id: UUID
    card: str
    state: str
    total_fen: int
    paid_fen: int
    reason: str
    at: datetime
    changed_at: datetime
    lines: tuple[ShopOrderLine, ...]


def find_order(market: Market, identity: UUID) -> Order:
    """Give an order; raise OrderUnknown."""
    with reading(market.city.engine) as conn:
        row = conn.execute(select(order).where(order.c.id == identity)).one_or_none()
        if row is None:
            raise OrderUnknown(id=identity)
        return order_of(conn, row)


def orders(conn: Connection, *, asn: str = "", state: str = "", limit: int = 50) -> tuple[Order, ...]:
    """Give the newest orders, newest first: of a card, or in a state."""
    query = select(order).order_by(order.c.at.desc(), order.c.id).limit(limit)
    if asn:
        query = query.where(order.c.asn == asn)
    if state:
        query = query.where(order.c.state == state)
    return tuple(order_of(conn, row) for row in conn.execute(query).all())


def address_of(market: Market, identity: UUID) -> str:
    """Give the address that an order goes to, empty when it was erased; raise OrderUnknown."""
    with reading(market.city.engine) as conn:
        row = conn.execute(select(order).where(order.c.id == identity)).one_or_none()
    if row is None:
        raise OrderUnknown(id=identity)
    return market.open(row.address)


def hold_order(conn: Connection, identity: UUID) -> Row[Any] | None:
    """Give an order's row, held until the transaction ends; None when there is none."""
    return conn.execute(select(order).where(order.c.id == identity).with_for_update()).one_or_none()


def need_order(conn: Connection, identity: UUID) -> Row[Any]:
    """Give an order's row, held until the transaction ends; raise OrderUnknown."""
    row = hold_order(conn, identity)
    if row is None:
        raise OrderUnknown(id=identity)
    return row


def become(market: Market, conn: Connection, row: Row[Any], state: str, *, reason: str = "") -> None:
    """Put an order into a state, and tell it."""
    at = market.city.now_local()
    mine = update(order).where(order.c.id == row.id)
    conn.execute(mine.values(state=state, changed_at=at, reason=reason or row.reason))
    body = {"order": str(row.id), "card": row.asn, "state": state}
    publish(conn, ORDERED, [body], at=market.city.clock.now())


def order_of(conn: Connection, row: Row[Any]) -> Order:
    """Read an order with its lines."""
    lines = conn.execute(select(order_line).where(order_line.c.order == row.id).order_by(order_line.c.sku))
    names = [field.name for field in attrs.fields(ShopOrderLine)]
    return Order(
        card=row.asn,
        lines=tuple(ShopOrderLine(**{name: getattr(line, name) for name in names}) for line in lines.all()),
        **{
            field.name: getattr(row, field.name)
            for field in attrs.fields(Order)
            if field.name not in {"card", "lines"}
        },
    )
