"""An order is paid once and takes its stock once; whatever comes of it, stock and money agree."""

from datetime import timedelta
from unittest.mock import Mock

import pytest
from sqlalchemy import select

from citycard.city import charging
from citycard.errors import CitycardError, FundsMissing, RefundRefused
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import available_fen, online_account
from citycard_retail import orders as module
from citycard_retail import sales
from citycard_retail.errors import BasketEmpty, OrderDiffers, OrderRefused, ProductUnknown, StockMissing
from citycard_retail.orderbook import address_of, find_order, orders
from citycard_retail.orders import cancel, finish_orders, place, return_lines, step
from citycard_retail.shop import Product, add_products, basket_of, products, put_into_basket
from citycard_retail.tables import order

HOME = "3 Harbour Road"


@pytest.fixture
def card(shops):
    shops.open("e-supermarket", "online-shop", terminals=0)
    goods = (("rice", 333, 10, True), ("tea", 5_001, 3, True), ("old", 100, 9, False))
    add_products(
        shops.market,
        [
            Product(sku=sku, title=sku, title_zh="", price_fen=fen, stock=stock, on_sale=on_sale)
            for sku, fen, stock, on_sale in goods
        ],
    )
    card = shops.town.card()
    shops.town.account(card, 20_000)
    return card.asn


def filled(shops, card, **quantities):
    for sku, quantity in quantities.items():
        put_into_basket(shops.market, card, sku, quantity)


def stock(shops):
    with reading(shops.town.city.engine) as conn:
        return {one.sku: one.stock for one in products(conn)}


def free_fen(shops, card):
    city = shops.town.city
    with reading(city.engine) as conn:
        return available_fen(conn, city.wallet, online_account(card))


def delivered(shops, card, **quantities):
    filled(shops, card, **quantities)
    made = place(shops.market, new_id(), card, address=HOME)
    for what in ("pack", "ship", "deliver"):
        made = step(shops.market, made.id, what)
    return made


def test_a_basket_holds_what_there_is(shops, card):
    filled(shops, card, rice=2, tea=1)
    filled(shops, card, rice=3, tea=0)
    basket = basket_of(shops.market, card)
    assert ([(line.sku, line.quantity) for line in basket.lines], basket.total_fen) == ([("rice", 3)], 999)
    for quantity in (11, -1):
        with pytest.raises(StockMissing, match="10 are there"):
            put_into_basket(shops.market, card, "rice", quantity)
    for sku in ("none", "old"):
        with pytest.raises(ProductUnknown, match=sku):
            put_into_basket(shops.market, card, sku, 1)


def test_an_order_is_placed_and_paid_once(shops, card):
    once = new_id()
    with pytest.raises(BasketEmpty):
        place(shops.market, once, card, address=HOME)
    filled(shops, card, rice=3, tea=1)
    for _ in range(2):
        made = place(shops.market, once, card, address=HOME)
        assert (made.state, made.paid_fen, stock(shops)) == ("paid", 6_000, {"rice": 7, "tea": 2})
    assert (free_fen(shops, card), basket_of(shops.market, card).lines) == (14_000, ())
    assert address_of(shops.market, once) == HOME
    with reading(shops.town.city.engine) as conn:
        assert HOME not in conn.scalar(select(order.c.address))
    with pytest.raises(OrderDiffers):
        place(shops.market, once, shops.town.card().asn, address=HOME)
    with pytest.raises(OrderRefused, match="address"):
        place(shops.market, new_id(), card, address=" ")


def test_two_who_want_the_last_one_do_not_both_get_it(shops, card):
    other = shops.town.card()
    shops.town.account(other, 20_000)
    filled(shops, card, tea=2)
    filled(shops, other.asn, tea=2)
    place(shops.market, new_id(), card, address=HOME)
    with pytest.raises(StockMissing, match="1 are there"):
        place(shops.market, new_id(), other.asn, address=HOME)
    assert (stock(shops)["tea"], free_fen(shops, other.asn)) == (1, 20_000)
    assert len(basket_of(shops.market, other.asn).lines) == 1


def test_an_order_that_stalled_until_it_was_refused_takes_no_money(shops, card, monkeypatch):
    once, price, plugins = new_id(), charging.price, shops.town.city.plugins
    filled(shops, card, rice=3)

    def late(*given, **named):
        quote = price(*given, **named)
        monkeypatch.setattr(charging, "price", price)
        shops.town.pass_time(timedelta(minutes=16))
        plugins.disable("retail", by="tests", partner="e-supermarket")
        finish_orders(shops.market)
        plugins.enable("retail", by="tests", partner="e-supermarket")
        return quote

    monkeypatch.setattr(charging, "price", late)
    for _ in range(2):
        with pytest.raises(CitycardError):
            place(shops.market, once, card, address=HOME)
    assert (find_order(shops.market, once).state, stock(shops)["rice"]) == ("refused", 10)
    assert free_fen(shops, card) == 20_000


def test_an_order_that_is_not_paid_gives_its_stock_back_and_stays_refused(shops, card):
    add_products(
        shops.market,
        [Product(sku="gold", title="gold", title_zh="", price_fen=20_001, stock=1, on_sale=True)],
    )
    filled(shops, card, gold=1)
    once = new_id()
    with pytest.raises(FundsMissing):
        place(shops.market, once, card, address=HOME)
    assert (stock(shops)["gold"], find_order(shops.market, once).state) == (1, "refused")
    assert [line.sku for line in basket_of(shops.market, card).lines] == ["gold"]
    with pytest.raises(OrderRefused, match="it was refused"):
        place(shops.market, once, card, address=HOME)
    assert free_fen(shops, card) == 20_000


def test_a_cancelled_order_gives_everything_back_once(shops, card):
    filled(shops, card, rice=3)
    made = place(shops.market, new_id(), card, address=HOME)
    for _ in range(2):
        assert cancel(shops.market, made.id).state == "cancelled"
        assert (free_fen(shops, card), stock(shops)["rice"]) == (20_000, 10)
    gone = delivered(shops, card, rice=1)
    with pytest.raises(OrderRefused, match="it is delivered, and cannot be cancelled"):
        cancel(shops.market, gone.id)
    with pytest.raises(OrderRefused, match="only what is paid can be packed"):
        step(shops.market, gone.id, "pack")


def test_an_order_comes_back_in_parts_whose_money_is_the_whole(shops, card):
    made = delivered(shops, card, rice=3, tea=1)
    for wrong in ({}, {"rice": 4}, {"rice": 0}, {"gold": 1}):
        with pytest.raises(OrderRefused):
            return_lines(shops.market, new_id(), made.id, wrong)
    once = new_id()
    for _ in range(2):
        return_lines(shops.market, once, made.id, {"rice": 2})
    assert free_fen(shops, card) == 14_000 + 666
    with pytest.raises(OrderRefused, match="with other products"):
        return_lines(shops.market, once, made.id, {"rice": 1})
    back = return_lines(shops.market, new_id(), made.id, {"rice": 1, "tea": 1})
    assert (back.state, free_fen(shops, card), stock(shops)) == ("returned", 20_000, {"rice": 10, "tea": 3})


def test_what_was_delivered_long_ago_is_kept(shops, card):
    made = delivered(shops, card, tea=1)
    shops.town.pass_time(timedelta(days=8))
    with pytest.raises(OrderRefused, match="could be returned until"):
        return_lines(shops.market, new_id(), made.id, {"tea": 1})


def test_an_order_that_was_broken_off_is_paid_or_cancelled_later(shops, card):
    filled(shops, card, rice=1)
    placed = place(shops.market, new_id(), card, address=HOME)
    filled(shops, card, rice=2)
    gone = place(shops.market, new_id(), card, address=HOME)
    with writing(shops.town.city.engine) as conn:  # as if each had stopped in the middle
        conn.execute(order.update().where(order.c.id == placed.id).values(state="placed", paid_fen=0))
        conn.execute(order.update().where(order.c.id == gone.id).values(state="cancelling"))
    assert finish_orders(shops.market) == 0
    shops.town.pass_time(timedelta(minutes=16))
    assert finish_orders(shops.market) == 2
    with reading(shops.town.city.engine) as conn:
        assert {one.id: one.state for one in orders(conn, asn=card)} == {
            placed.id: "paid",
            gone.id: "cancelled",
        }
    assert free_fen(shops, card) == 20_000 - 333
    assert finish_orders(shops.market) == 0


def test_an_order_whose_sale_was_paid_is_paid_whatever_is_in_the_way_now(shops, card, monkeypatch):
    filled(shops, card, rice=1)
    once = new_id()
    with monkeypatch.context() as broken:
        broken.setattr(sales, "_end", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            place(shops.market, once, card, address=HOME)
    monkeypatch.setattr(module, "sell", Mock(side_effect=StockMissing(sku="x", quantity=1, stock=0)))
    made = place(shops.market, once, card, address=HOME)
    assert (made.state, made.paid_fen, stock(shops)["rice"]) == ("paid", 333, 9)


def test_a_refund_that_is_refused_is_tried_again_and_keeps_nobody_else_waiting(shops, card, monkeypatch):
    made = []
    for _ in range(2):
        filled(shops, card, rice=1)
        made.append(place(shops.market, new_id(), card, address=HOME).id)
    back = delivered(shops, card, rice=2).id
    real, refused = charging.give_back, {"yes": True}

    def give_back(city, identity, payment, *args, **named):
        if refused["yes"] and payment != module._payment_id(made[1]):
            raise RefundRefused(id=payment, left_fen=0, wanted_fen=1)
        return real(city, identity, payment, *args, **named)

    monkeypatch.setattr(charging, "give_back", give_back)
    with pytest.raises(RefundRefused):
        cancel(shops.market, made[0])
    with pytest.raises(RefundRefused):
        return_lines(shops.market, new_id(), back, {"rice": 2})
    with writing(shops.town.city.engine) as conn:  # as if it had stopped in the middle
        conn.execute(order.update().where(order.c.id == made[1]).values(state="cancelling"))
    shops.town.pass_time(timedelta(minutes=31))
    assert finish_orders(shops.market) == 1
    assert [find_order(shops.market, one).state for one in made] == ["cancelling", "cancelled"]
    refused["yes"] = False
    assert finish_orders(shops.market) == 0  # not yet: it was refused just now
    shops.town.pass_time(timedelta(hours=1))
    assert finish_orders(shops.market) == 2
    assert [find_order(shops.market, one).state for one in made] == ["cancelled", "cancelled"]
    assert free_fen(shops, card) == 20_000
    assert finish_orders(shops.market) == 0
