"""What retail shows and keeps of a citizen: sales and orders of a card, handed over and erased when asked."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, delete, func, select, update

from citycard.kernel.data import PersonalData
from citycard.kernel.services import CitizenLine
from citycard_retail.tables import basket, merchant, message, order, order_line, refund, sale

if TYPE_CHECKING:
    from citycard.kernel.identity import PluginContext

__all__ = ["citizen_lines", "personal_data"]

_SHOWN = 20
_OPEN = ("placed", "cancelling")
_STATES = {
    "placed": ("was placed", "已提交"),
    "paid": ("is paid", "已支付"),
    "packed": ("is packed", "已打包"),
    "shipped": ("is on its way", "配送中"),
    "delivered": ("was delivered", "已送达"),
    "refused": ("was refused", "被拒绝"),
    "cancelling": ("is being cancelled", "取消中"),
    "cancelled": ("was cancelled", "已取消"),
    "returned": ("came back", "已退货"),
}


def citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    """Give the newest purchases, refunds and orders of a card, newest first."""
    if context.city is None:
        return ()
    from citycard.store import reading

    with reading(context.city.engine) as conn:
        lines = [*_sales(conn, asn), *_refunds(conn, asn), *_orders(conn, asn)]
    return sorted(lines, key=lambda line: line.at, reverse=True)[:_SHOWN]


def personal_data() -> Iterator[PersonalData]:
    """Declare what is kept of the holder of a card."""
    yield PersonalData(
        name="retail-sales", title="Purchases in shops", export=_export_sales, erase=_erase_sales
    )
    yield PersonalData(
        name="retail-orders",
        title="Basket and orders of the online supermarket",
        export=_export_orders,
        erase=_erase_orders,
    )


def _sales(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = (
        select(sale.c.at, sale.c.amount_fen, sale.c.partner, merchant.c.name)
        .outerjoin(merchant, merchant.c.partner == sale.c.partner)
        .where(sale.c.asn == asn, sale.c.state == "paid", sale.c.channel == "online")
    )
    for row in conn.execute(query.order_by(sale.c.at.desc(), sale.c.id).limit(_SHOWN)):
        name = row.name or row.partner
        yield CitizenLine(
            at=row.at, title=f"Purchase at {name}", title_zh=f"在{name}消费", amount_fen=-row.amount_fen
        )


def _refunds(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = (
        select(refund.c.at, refund.c.amount_fen, refund.c.to, merchant.c.name, sale.c.partner)
        .join(sale, sale.c.id == refund.c.sale)
        .outerjoin(merchant, merchant.c.partner == sale.c.partner)
        .where(sale.c.asn == asn, refund.c.state == "done")
    )
    for row in conn.execute(query.order_by(refund.c.at.desc(), refund.c.id).limit(_SHOWN)):
        name = row.name or row.partner
        where, where_zh = (
            (", hold the card to a reader to get it", "，请在读卡器上领取") if row.to == "purse" else ("", "")
        )
        yield CitizenLine(
            at=row.at,
            title=f"Money back from {name}{where}",
            title_zh=f"{name}退款{where_zh}",
            amount_fen=row.amount_fen,
        )


def _orders(conn: Connection, asn: str) -> Iterator[CitizenLine]:
    query = select(order.c.changed_at, order.c.state).where(order.c.asn == asn)
    for row in conn.execute(query.order_by(order.c.changed_at.desc(), order.c.id).limit(_SHOWN)):
        words, words_zh = _STATES[row.state]
        yield CitizenLine(
            at=row.changed_at,
            title=f"Your order {words}",
            title_zh=f"订单{words_zh}",
            path="/retail/shop",
        )


def _export_sales(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    query = select(sale).where(sale.c.asn == asn).order_by(sale.c.at, sale.c.id)
    for row in conn.execute(query):
        yield {
            "at": row.at.isoformat(),
            "merchant": row.partner,
            "amount_fen": row.amount_fen,
            "returned_fen": row.returned_fen,
            "state": row.state,
            "note": row.note,
        }


def _erase_sales(conn: Connection, asn: str) -> int:
    """Keep what merchants were paid, and forget by whom; what POS sent about it forgets it too."""
    conn.execute(update(message).where(message.c.account == asn).values(account=""))
    mine = update(sale).where(sale.c.asn == asn, sale.c.state != "begun")
    return int(conn.execute(mine.values(asn="", note="")).rowcount)


def _export_orders(conn: Connection, asn: str) -> Iterator[Mapping[str, Any]]:
    for row in conn.execute(select(basket).where(basket.c.asn == asn).order_by(basket.c.sku)):
        yield {"basket": row.sku, "quantity": row.quantity}
    query = select(order).where(order.c.asn == asn).order_by(order.c.at, order.c.id)
    for row in conn.execute(query).all():
        lines = conn.execute(select(order_line).where(order_line.c.order == row.id)).all()
        yield {
            "order": str(row.id),
            "at": row.at.isoformat(),
            "state": row.state,
            "paid_fen": row.paid_fen,
            "address": "kept sealed" if row.address else "",
            "lines": {line.sku: line.quantity for line in lines},
        }


def _erase_orders(conn: Connection, asn: str) -> int:
    """Forget whose orders they were and where they went; what is not finished is forgotten later."""
    emptied = conn.execute(delete(basket).where(basket.c.asn == asn)).rowcount
    mine = update(order).where(order.c.asn == asn, order.c.state.not_in(_OPEN))
    left = conn.scalar(select(func.count()).where(order.c.asn == asn, order.c.state.not_in(_OPEN))) or 0
    conn.execute(mine.values(asn="", address=""))
    return int(emptied) + int(left)
