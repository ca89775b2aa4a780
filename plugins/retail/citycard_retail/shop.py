"""The online E-supermarket: what it sells and has, and the basket of each card."""

from __future__ import annotations

from collections.abc import Sequence

import attrs
from sqlalchemy import Connection, delete, insert, select, update

from citycard.errors import Phrase
from citycard.store import reading, writing
from citycard.store.bulk import insert_missing
from citycard.store.engine import write_alone
from citycard_retail.errors import FileLineInvalid, ProductUnknown, StockMissing
from citycard_retail.market import Market
from citycard_retail.tables import basket, product

__all__ = ["Basket", "BasketLine", "Product", "add_products", "basket_of", "products", "put_into_basket"]


@attrs.frozen(kw_only=True)
class Product:
    """What the supermarket sells, and how many of it are there."""

    sku: str
    title: str
    title_zh: str
    price_fen: int
    stock: int
    on_sale: bool


@attrs.frozen(kw_only=True)
class BasketLine:
    """So many of a product in a basket; ``amount_fen`` is what they cost now."""

    sku: str
    title: str
    title_zh: str
    price_fen: int
    quantity: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class Basket:
    """The basket of a card, at the prices of now."""

    card: str
    lines: tuple[BasketLine, ...]
    total_fen: int


def add_products(market: Market, found: Sequence[Product], *, file: str = "products") -> int:
    """Add products or change those that are there, all or none; return how many there are in all.

    ``stock`` is what is there now. Raise FileLineInvalid for a number twice.
    """
    seen: dict[str, int] = {}
    for line, one in enumerate(found, start=2):
        if one.sku in seen:
            expected = Phrase("each product once, it stands on line {line}", line=seen[one.sku])
            raise FileLineInvalid(file=file, line=line, field="sku", value=one.sku, expected=expected)
        seen[one.sku] = line
    with writing(market.city.engine) as conn:
        write_alone(conn, product)
        for one in found:
            row = attrs.asdict(one) | {"on_sale": int(one.on_sale)}
            changed = conn.execute(update(product).where(product.c.sku == one.sku).values(row)).rowcount
            if not changed:
                conn.execute(insert(product), row)
    return len(found)


def products(conn: Connection, *, all_of_them: bool = False) -> tuple[Product, ...]:
    """Give what is on sale, by number; also what is not, when all of them are wanted."""
    query = select(product).order_by(product.c.sku)
    if not all_of_them:
        query = query.where(product.c.on_sale == 1)
    return tuple(
        Product(**(dict(row._mapping) | {"on_sale": bool(row.on_sale)}))  # noqa: SLF001 - a Row's own way
        for row in conn.execute(query)
    )


def put_into_basket(market: Market, asn: str, sku: str, quantity: int) -> Basket:
    """Say how many of a product are in the basket of a card, 0 for none; said again, nothing changes.

    Raise ProductUnknown, or StockMissing for more than are there or may be ordered at once.
    """
    with writing(market.city.engine) as conn:
        row = conn.execute(select(product).where(product.c.sku == sku)).one_or_none()
        if row is None or not row.on_sale:
            raise ProductUnknown(sku=sku)
        most = min(row.stock, market.settings.supermarket.most_of_one)
        if not 0 <= quantity <= most:
            raise StockMissing(sku=sku, quantity=quantity, stock=most)
        mine = (basket.c.asn == asn) & (basket.c.sku == sku)
        if not quantity:
            conn.execute(delete(basket).where(mine))
        else:
            insert_missing(conn, basket, [{"asn": asn, "sku": sku, "quantity": quantity}])
            conn.execute(update(basket).where(mine).values(quantity=quantity))
        return _basket(conn, asn)


def basket_of(market: Market, asn: str) -> Basket:
    """Give the basket of a card."""
    with reading(market.city.engine) as conn:
        return _basket(conn, asn)


def _basket(conn: Connection, asn: str) -> Basket:
    query = (
        select(basket.c.sku, basket.c.quantity, product.c.title, product.c.title_zh, product.c.price_fen)
        .join(product, product.c.sku == basket.c.sku)
        .where(basket.c.asn == asn)
        .order_by(basket.c.sku)
    )
    lines = tuple(
        BasketLine(**row._mapping, amount_fen=row.quantity * row.price_fen)  # noqa: SLF001 - a Row's own way
        for row in conn.execute(query)
    )
    return Basket(card=asn, lines=lines, total_fen=sum(line.amount_fen for line in lines))
