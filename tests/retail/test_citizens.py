from datetime import timedelta
from uuid import UUID

import pytest

from citycard.ids import new_id
from citycard.store import reading, writing
from citycard_retail.citizens import personal_data
from citycard_retail.orderbook import find_order
from citycard_retail.orders import place
from citycard_retail.refunds import refund_sale
from citycard_retail.sales import sales_of, sell
from citycard_retail.shop import Product, add_products, put_into_basket


@pytest.fixture
def card(shops):
    """Return a card that bought at a mart, got something back, ordered, and has something in its basket."""
    shops.open("harbour-mart", "supermarket")
    shops.open("e-supermarket", "online-shop", terminals=0)
    add_products(
        shops.market, [Product(sku="tea", title="Tea", title_zh="", price_fen=5_800, stock=3, on_sale=True)]
    )
    card = shops.town.card()
    number = shops.town.account(card, 20_000)
    sold = sell(shops.market, new_id(), number, "harbour-mart", 2_000, note="milk")
    shops.day()
    refund_sale(shops.market, new_id(), str(sold.id), 500, reason="sour", approved_by="Mr Wu")
    shops.day()
    put_into_basket(shops.market, card.asn, "tea", 1)
    place(shops.market, new_id(), card.asn, address="3 Harbour Road")
    put_into_basket(shops.market, card.asn, "tea", 2)
    return card.asn


def test_a_citizen_sees_what_happened_newest_first(shops, card):
    lines = [owned.record for owned in shops.town.city.plugins.citizen_lines(card)]
    assert [(line.title, line.amount_fen) for line in lines] == [
        ("Purchase at E Supermarket", -5_800),
        ("Your order is paid", None),
        ("Money back from Harbour Mart", 500),
        ("Purchase at Harbour Mart", -2_000),
    ]
    assert all(line.title_zh for line in lines)
    assert list(shops.town.city.plugins.citizen_lines("0" * 20)) == []


def test_what_is_kept_is_handed_over_and_forgotten_and_the_books_stay(shops, card):
    city = shops.town.city
    kinds = {kind.name: kind for kind in personal_data()}
    with writing(city.engine) as conn:
        sales = list(kinds["retail-sales"].export(conn, card))
        orders = list(kinds["retail-orders"].export(conn, card))
        assert [one["amount_fen"] for one in sales] == [2_000, 5_800]
        assert (sales[0]["note"], orders[0], orders[1]["lines"]) == (
            "milk", {"basket": "tea", "quantity": 2}, {"tea": 1},
        )  # fmt: skip
        assert [kind.erase(conn, card) for kind in kinds.values()] == [2, 2]
        assert [list(kind.export(conn, card)) for kind in kinds.values()] == [[], []]
        assert [kind.erase(conn, card) for kind in kinds.values()] == [0, 0]
    with reading(city.engine) as conn:
        kept = sales_of(conn, partner="harbour-mart")
    assert [(one.amount_fen, one.asn, one.note) for one in kept] == [(2_000, "", "")]
    shops.town.pass_time(timedelta(days=1))
    given = refund_sale(shops.market, new_id(), str(kept[0].id), reason="late", approved_by="Mr Wu")
    assert given.amount_fen == 1_500
    assert find_order(shops.market, UUID(orders[1]["order"])).card == ""
