"""Keep the orders that are paid online: one row each, locked for every step."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Select, insert, select, update

from citycard.errors import LoadRefused, OrderConflict, OrderUnknown, Phrase
from citycard.wallet.load import Load
from citycard.wallet.order import OrderState, PaymentOrder
from citycard.wallet.payer import PayerKind
from citycard.wallet.tables import load, payment_order

__all__ = [
    "add_order",
    "change_order",
    "due_orders",
    "find_order",
    "hold_order",
    "live_orders_of_account",
    "order_delivered",
    "order_let_go",
    "order_reserved",
    "orders",
    "uncollected_orders",
]

_ASKED = ("provider", "asn", "account", "amount_fen", "agreement")


def add_order(conn: Connection, wanted: PaymentOrder) -> PaymentOrder:
    """Write an order, or give it as it is when it was made before; raise OrderConflict if it was another."""
    found = _one(conn, select(payment_order).where(payment_order.c.id == wanted.id))
    if found is None:
        conn.execute(insert(payment_order), _row(wanted))
        return wanted
    for field in _ASKED:
        existing, asked = getattr(found, field), getattr(wanted, field)
        if existing != asked:
            raise OrderConflict(order=wanted.id, field=field, existing=existing, wanted=asked)
    return found


def find_order(conn: Connection, identity: UUID) -> PaymentOrder:
    """Give an order; raise OrderUnknown."""
    found = _one(conn, select(payment_order).where(payment_order.c.id == identity))
    if found is None:
        raise OrderUnknown(order=identity)
    return found


def hold_order(conn: Connection, identity: UUID) -> PaymentOrder:
    """Give an order that nobody else takes a step with until the transaction ends; raise OrderUnknown."""
    query = select(payment_order).where(payment_order.c.id == identity).with_for_update()
    found = _one(conn, query)
    if found is None:
        raise OrderUnknown(order=identity)
    return found


def change_order(conn: Connection, before: PaymentOrder, **changed: Any) -> PaymentOrder:
    """Write what changed of an order that is held, and give it."""
    after = attrs.evolve(before, **changed)
    values = {name: _plain(getattr(after, name)) for name in changed}
    conn.execute(update(payment_order).where(payment_order.c.id == before.id).values(values))
    return after


def orders(
    conn: Connection, *, asn: str = "", states: Iterable[OrderState] = (), limit: int = 1000
) -> list[PaymentOrder]:
    """Give orders, newest first: those of a card, those in some states, or all."""
    query = select(payment_order).order_by(payment_order.c.created_at.desc(), payment_order.c.id.desc())
    if asn:
        query = query.where(payment_order.c.asn == asn)
    wanted = [str(state) for state in states]
    if wanted:
        query = query.where(payment_order.c.state.in_(wanted))
    return _all(conn, query.limit(limit))


def live_orders_of_account(
    conn: Connection, names: Iterable[str], created_from: datetime
) -> list[PaymentOrder]:
    """Give the orders for an account, by all its names, that were neither closed nor refunded."""
    gone = [str(OrderState.CLOSED), str(OrderState.REFUNDED)]
    query = select(payment_order).where(
        payment_order.c.account.in_(list(names)),
        payment_order.c.created_at >= created_from,
        payment_order.c.state.not_in(gone),
    )
    return _all(conn, query)


def due_orders(conn: Connection, now: datetime, *, limit: int = 200) -> list[PaymentOrder]:
    """Give the orders about which the provider is to be asked now, those that wait longest first."""
    query = select(payment_order).where(payment_order.c.look_at <= now)
    return _all(conn, query.order_by(payment_order.c.look_at).limit(limit))


def uncollected_orders(conn: Connection, paid_before: datetime) -> list[PaymentOrder]:
    """Give the orders for a purse that were paid long ago and that no load reserves."""
    paid = (payment_order.c.state == str(OrderState.PAID)) & (payment_order.c.paid_at <= paid_before)
    return _all(conn, select(payment_order).where(paid, payment_order.c.load.is_(None)))


# ── what a load does with its order, inside the step of the load ─────────────────────────────────


def order_reserved(conn: Connection, one: Load) -> None:
    """Note the attempt that reserves an order's money; raise LoadRefused with the reason ``order``."""
    order = hold_order(conn, UUID(one.payer.name))
    problem = ""
    if order.state is not OrderState.PAID:
        problem = Phrase("it is {state}", state=order.state)
    elif not order.for_purse or order.asn != one.asn:
        problem = "it is not for the purse of this card"
    elif order.amount_fen != one.amount_fen:
        problem = Phrase("it is for {amount_fen} fen", amount_fen=order.amount_fen)
    elif order.load is not None and order.load != one.id:
        problem = "another load with its money began, and nobody knows yet whether it was done"
    if problem:
        raise LoadRefused(
            reason="order",
            explanation=Phrase("order {id} cannot be loaded: {problem}", id=order.id, problem=problem),
        )
    change_order(conn, order, load=one.id)


def order_delivered(conn: Connection, one: Load, at: datetime) -> bool:
    """Note that an order's money is on the card; False when it was given back meanwhile."""
    order = hold_order(conn, UUID(one.payer.name))
    if order.state is not OrderState.PAID:
        trouble = f"card {one.asn} shows a load of it that was given back: the city bore {one.amount_fen} fen"
        change_order(conn, order, trouble=trouble)
        return False
    change_order(conn, order, state=OrderState.DELIVERED, load=one.id, ended_at=at, look_at=None)
    return True


def order_let_go(conn: Connection, one: Load) -> None:
    """Note that an attempt is over without having been done: the order's money is free again."""
    if one.payer.kind is not PayerKind.ORDER:
        return
    order = hold_order(conn, UUID(one.payer.name))
    if order.state is not OrderState.PAID or order.load is None:
        return
    holding = conn.scalar(select(load.c.hold).where(load.c.id == order.load))
    if order.load == one.id or holding == one.hold:
        change_order(conn, order, load=None)


def _one(conn: Connection, query: Select[Any]) -> PaymentOrder | None:
    row = conn.execute(query).one_or_none()
    return None if row is None else PaymentOrder(**row._mapping)  # noqa: SLF001 - how a row is read by name


def _all(conn: Connection, query: Select[Any]) -> list[PaymentOrder]:
    return [PaymentOrder(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001


def _row(order: PaymentOrder) -> dict[str, Any]:
    return {field.name: _plain(getattr(order, field.name)) for field in attrs.fields(PaymentOrder)}


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, StrEnum) else value
