"""Orders of the online supermarket: placed out of a basket, paid from the account, delivered, returned.

Stock is taken when an order is placed and comes back when it is not paid, cancelled or returned. Placing,
paying and returning happen once under the id that the client made, wherever they were broken off.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Row, delete, insert, select, update

from citycard.errors import CitycardError, Phrase
from citycard.ids import derived_id
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard_retail.errors import BasketEmpty, OrderDiffers, OrderRefused, StockMissing
from citycard_retail.market import Market
from citycard_retail.orderbook import Order, become, find_order, hold_order, need_order, order_of
from citycard_retail.refunds import refund_sale
from citycard_retail.retrying import is_due, next_try
from citycard_retail.sales import paid_sale, sell
from citycard_retail.services import ORDER
from citycard_retail.tables import basket, order, order_line, order_return, product

__all__ = [
    "STEPS",
    "cancel",
    "finish_orders",
    "place",
    "return_lines",
    "step",
]

#: The steps of delivery: from which state each leads where.
STEPS = {"pack": ("paid", "packed"), "ship": ("packed", "shipped"), "deliver": ("shipped", "delivered")}

_log = logging.getLogger("citycard.retail.orders")
_STALE = timedelta(minutes=15)
_LONGEST_ADDRESS = 300


def place(market: Market, identity: UUID, asn: str, *, address: str, actor: str = "") -> Order:
    """Order what is in the basket of a card, and pay it from the card's account; once for each ``identity``.

    Raise BasketEmpty, StockMissing, OrderDiffers, OrderRefused, and what the account refuses; then the order
    is refused, its products are on sale again, and the basket is as it was.
    """
    if not 0 < len(address.strip()) <= _LONGEST_ADDRESS:
        raise OrderRefused(
            id=identity,
            reason=Phrase("an address of 1 to {longest} characters is needed", longest=_LONGEST_ADDRESS),
        )
    with writing(market.city.engine) as conn:
        row = hold_order(conn, identity)
        if row is None:
            _place(market, conn, identity, asn, address)
        elif row.asn != asn:
            raise OrderDiffers(id=identity)
    return _pay(market, identity, actor)


def step(market: Market, identity: UUID, what: str) -> Order:
    """Take a step of delivery: pack, ship, deliver; taken again, nothing happens. Raise OrderRefused."""
    before, after = STEPS[what]
    with writing(market.city.engine) as conn:
        row = need_order(conn, identity)
        if row.state != after:
            if row.state != before:
                raise OrderRefused(
                    id=identity,
                    reason=Phrase(
                        "it is {state}: only what is {status} can be {wanted}",
                        state=row.state,
                        status=before,
                        wanted=after,
                    ),
                )
            become(market, conn, row, after)
        return order_of(conn, need_order(conn, identity))


def cancel(market: Market, identity: UUID, *, actor: str = "") -> Order:
    """Cancel an order that was not shipped: all of the money comes back, and the stock; once.

    Raise OrderUnknown or OrderRefused.
    """
    with writing(market.city.engine) as conn:
        row = need_order(conn, identity)
        if row.state not in {"paid", "packed", "cancelling", "cancelled"}:
            raise OrderRefused(
                id=identity, reason=Phrase("it is {state}, and cannot be cancelled", state=row.state)
            )
        if row.state in {"paid", "packed"}:
            _restock(conn, row.id)
            become(market, conn, row, "cancelling")
    return _give_back_all(market, identity, actor)


def return_lines(
    market: Market, identity: UUID, order_id: UUID, wanted: dict[str, int], *, actor: str = ""
) -> Order:
    """Take back so many of each product of a delivered order, and give their money back; once.

    Of what was paid each product has its part by price. Raise OrderUnknown or OrderRefused.
    """
    with writing(market.city.engine) as conn:
        row = need_order(conn, order_id)
        known = conn.execute(select(order_return).where(order_return.c.id == identity)).one_or_none()
        if known is None:
            amount_fen = _take_back(market, conn, row, wanted)
            made = {"id": identity, "order": order_id, "amount_fen": amount_fen, "lines": _words(wanted)}
            conn.execute(insert(order_return), made | {"state": "begun", "at": market.city.now_local()})
        elif (known.order, known.lines) != (order_id, _words(wanted)):
            raise OrderRefused(
                id=order_id, reason=Phrase("return {id} is there with other products", id=identity)
            )
    _refund_return(market, identity, actor)
    return find_order(market, order_id)


def finish_orders(market: Market) -> int:
    """Finish what was broken off: placed and not paid, cancelled and returned without money; count it."""
    before = market.city.now_local() - _STALE
    with reading(market.city.engine) as conn:
        query = select(order.c.id).where(order.c.state == "placed", order.c.at <= before)
        placed = list(conn.scalars(query.order_by(order.c.at)))
        gone = select(order.c.id).where(order.c.state == "cancelling", order.c.changed_at <= before)
        cancelled = list(conn.scalars(gone.order_by(order.c.at)))
        again = select(order_return.c.id).where(order_return.c.state == "begun", order_return.c.at <= before)
        returned = list(conn.scalars(again))
    for identity in placed:
        try:
            _pay(market, identity, "retail")
        except CitycardError:
            continue  # it is refused now, and says why
    finished = len(placed)
    back = [(_give_back_all, identity, derived_id("retail cancel", identity)) for identity in cancelled]
    for give, identity, first in back + [(_refund_return, identity, identity) for identity in returned]:
        try:
            if is_due(market, first):
                give(market, identity, "retail")
                finished += 1
        except CitycardError as refused:
            _log.warning("%s was not given back, and is tried again: %s", identity, refused)
    return finished


# ── placing and paying ───────────────────────────────────────────────────────────────────────────


def _place(market: Market, conn: Connection, identity: UUID, asn: str, address: str) -> None:
    query = select(basket.c.sku, basket.c.quantity, product.c.title, product.c.price_fen, product.c.stock)
    query = query.join(product, product.c.sku == basket.c.sku).where(basket.c.asn == asn)
    lines = conn.execute(query.where(product.c.on_sale == 1).order_by(basket.c.sku)).all()
    if not lines:
        raise BasketEmpty(asn=asn)
    at = market.city.now_local()
    made = {
        "id": identity,
        "asn": asn,
        "total_fen": sum(line.quantity * line.price_fen for line in lines),
        "paid_fen": 0,
        "state": "placed",
        "address": market.seal(address.strip()),
        "reason": "",
        "at": at,
        "changed_at": at,
    }
    if not insert_missing(conn, order, [made]):
        return  # placed at this very moment by somebody else
    for line in lines:
        left = product.c.stock - line.quantity
        taken = update(product).where(product.c.sku == line.sku, product.c.stock >= line.quantity)
        if conn.execute(taken.values(stock=left)).rowcount != 1:
            raise StockMissing(sku=line.sku, quantity=line.quantity, stock=line.stock)
    conn.execute(
        insert(order_line),
        [
            {
                "order": identity,
                "sku": line.sku,
                "title": line.title,
                "price_fen": line.price_fen,
                "quantity": line.quantity,
                "returned": 0,
            }
            for line in lines
        ],
    )
    conn.execute(delete(basket).where(basket.c.asn == asn))


def _pay(market: Market, identity: UUID, actor: str) -> Order:
    with reading(market.city.engine) as conn:
        row = conn.execute(select(order).where(order.c.id == identity)).one()
    if row.state == "refused":
        raise OrderRefused(id=identity, reason=Phrase("it was refused: {reason}", reason=row.reason))
    if row.state != "placed":
        return find_order(market, identity)
    try:
        # Paid is paid, whatever would be in the way of paying it now.
        paid = paid_sale(market, _payment_id(identity)) or sell(
            market,
            _payment_id(identity),
            row.asn,
            market.settings.supermarket.partner,
            row.total_fen,
            service=ORDER,
            note=f"order {identity}",
            actor=actor,
        )
    except CitycardError as refused:
        if _refuse(market, identity, str(refused)[:200], actor):
            raise
        settled_now = paid_sale(market, _payment_id(identity))
        assert settled_now is not None
        paid = settled_now
    with writing(market.city.engine) as conn:
        held = need_order(conn, identity)
        if held.state == "placed":
            conn.execute(update(order).where(order.c.id == identity).values(paid_fen=paid.amount_fen))
            become(market, conn, held, "paid")
    return find_order(market, identity)


def _refuse(market: Market, identity: UUID, reason: str, actor: str) -> bool:
    """Refuse an order unless it was paid, and say so: nothing is paid for one that is refused any more."""
    from citycard.city.charging import give_up_charge

    with writing(market.city.engine) as conn:
        held = need_order(conn, identity)
        if give_up_charge(market.city, conn, _payment_id(identity), actor=actor) is not None:
            return False
        if held.state == "placed":
            _restock(conn, identity)
            _fill_basket(conn, held)
            become(market, conn, held, "refused", reason=reason)
        return True


def _payment_id(identity: UUID) -> UUID:
    return derived_id("retail order", identity)


def _fill_basket(conn: Connection, row: Row[Any]) -> None:
    there = set(conn.scalars(select(basket.c.sku).where(basket.c.asn == row.asn)))
    for line in conn.execute(select(order_line).where(order_line.c.order == row.id)).all():
        if line.sku not in there:
            conn.execute(insert(basket), {"asn": row.asn, "sku": line.sku, "quantity": line.quantity})


# ── coming back ──────────────────────────────────────────────────────────────────────────────────


def _restock(conn: Connection, identity: UUID) -> None:
    for line in conn.execute(select(order_line).where(order_line.c.order == identity)).all():
        left = line.quantity - line.returned
        mine = update(product).where(product.c.sku == line.sku)
        conn.execute(mine.values(stock=product.c.stock + left))


def _give_back_all(market: Market, identity: UUID, actor: str) -> Order:
    with reading(market.city.engine) as conn:
        row = conn.execute(select(order).where(order.c.id == identity)).one()
    if row.paid_fen:
        refund_sale(
            market,
            next_try(market, derived_id("retail cancel", identity)),
            str(_payment_id(identity)),
            row.paid_fen,
            reason="order cancelled",
            approved_by="the supermarket",
            actor=actor,
        )
    with writing(market.city.engine) as conn:
        held = need_order(conn, identity)
        if held.state == "cancelling":
            become(market, conn, held, "cancelled")
        return order_of(conn, need_order(conn, identity))


def _take_back(market: Market, conn: Connection, row: Row[Any], wanted: dict[str, int]) -> int:
    """Note what comes back and put it in stock; give the money of it."""
    if row.state not in {"delivered", "returned"}:
        raise OrderRefused(
            id=row.id,
            reason=Phrase("it is {state}: only what was delivered can be returned", state=row.state),
        )
    last = row.changed_at + timedelta(days=market.settings.supermarket.return_days)
    if row.state == "delivered" and market.city.now_local() > last:
        raise OrderRefused(
            id=row.id, reason=Phrase("it could be returned until {last:%Y-%m-%d %H:%M}", last=last)
        )
    lines = {one.sku: one for one in conn.execute(select(order_line).where(order_line.c.order == row.id))}
    if not wanted:
        raise OrderRefused(id=row.id, reason="it says nothing that comes back")
    before = sum(line.price_fen * line.returned for line in lines.values())
    for sku, quantity in wanted.items():
        line = lines.get(sku)
        left = line.quantity - line.returned if line is not None else 0
        if not 0 < quantity <= left:
            raise OrderRefused(
                id=row.id,
                reason=Phrase(
                    "{quantity} of {sku} come back, it has {left} of it",
                    quantity=quantity,
                    sku=sku,
                    left=left,
                ),
            )
        conn.execute(
            update(order_line)
            .where(order_line.c.order == row.id, order_line.c.sku == sku)
            .values(returned=order_line.c.returned + quantity)
        )
        conn.execute(update(product).where(product.c.sku == sku).values(stock=product.c.stock + quantity))
    after = before + sum(lines[sku].price_fen * quantity for sku, quantity in wanted.items())
    # From sums, so that all parts together are what was paid, to the fen.
    amount_fen = _paid_part(row, after) - _paid_part(row, before)
    if after == row.total_fen:
        become(market, conn, row, "returned")
    return amount_fen


def _paid_part(row: Row[Any], listed_fen: int) -> int:
    part: int = row.paid_fen * listed_fen // row.total_fen if row.total_fen else 0
    return part


def _refund_return(market: Market, identity: UUID, actor: str) -> None:
    with reading(market.city.engine) as conn:
        row = conn.execute(select(order_return).where(order_return.c.id == identity)).one()
    if row.state == "done":
        return
    if row.amount_fen:
        refund_sale(
            market,
            next_try(market, identity),
            str(_payment_id(row.order)),
            row.amount_fen,
            reason="order returned",
            approved_by="the supermarket",
            actor=actor,
        )
    with writing(market.city.engine) as conn:
        conn.execute(update(order_return).where(order_return.c.id == identity).values(state="done"))


def _words(wanted: dict[str, int]) -> str:
    return " ".join(f"{sku}:{quantity}" for sku, quantity in sorted(wanted.items()))
