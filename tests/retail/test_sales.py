"""Sales are paid once with their fee, on both databases and when many ask at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from unittest.mock import Mock

import pytest

from citycard.city import charging
from citycard.errors import CitycardError, FundsMissing, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.kernel.services import Refusal
from citycard.store import reading, writing
from citycard.testing.town import Town
from citycard.wallet import available_fen, online_account
from citycard_retail import sales
from citycard_retail.closing import close_runs
from citycard_retail.errors import (
    MerchantUnknown,
    OrderRefused,
    RetailActDiffers,
    RetailValueInvalid,
    StockMissing,
)
from citycard_retail.iso import write_message
from citycard_retail.market import digest_of
from citycard_retail.merchants import merchants
from citycard_retail.orders import place
from citycard_retail.refunds import refund_sale
from citycard_retail.sales import find_sale, sell
from citycard_retail.services import ONLINE
from citycard_retail.shop import Product, add_products, products, put_into_basket
from citycard_retail.statement import merchant_statement
from citycard_retail.tables import sale


@pytest.fixture
def busy(tmp_path, store_url, shops_in):
    """Return the shops of a town on each of the databases."""
    town = Town.make(tmp_path, domains=["retail"], more=f'[store]\nurl = "{store_url}"\n')
    yield shops_in(town)
    town.close()


def at_once(work, count):
    """Do something in so many threads at once, and return what each gave or was refused with."""

    def tried(place):
        try:
            return work(place)
        except CitycardError as refused:
            return type(refused)

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(tried, range(count)))


def free_fen(shops, number):
    city = shops.town.city
    with reading(city.engine) as conn:
        return available_fen(conn, city.wallet, online_account(number))


def test_many_who_ask_at_once_get_what_one_after_the_other_would(busy, pos_of):
    town, market = busy.town, busy.market
    busy.open("harbour-mart", "supermarket", tier="standard")
    busy.open("e-supermarket", "online-shop", terminals=0)
    card = town.card()
    number = town.account(card, 100_000)

    once = new_id()
    sold = at_once(lambda _: sell(market, once, number, "harbour-mart", 10_000), 6)
    assert {(one.id, one.fee_fen) for one in sold} == {(once, 60)}
    assert free_fen(busy, number) == 90_000

    back = at_once(lambda _: refund_sale(market, new_id(), str(once), 3_000, reason="x", approved_by="y"), 6)
    assert sum(not isinstance(one, type) for one in back) == 3
    assert (find_sale(market, str(once)).left_fen, free_fen(busy, number)) == (1_000, 99_000)

    add_products(
        market, [Product(sku="tea", title="Tea", title_zh="", price_fen=1_000, stock=2, on_sale=True)]
    )
    buyers = [town.card() for _ in range(4)]
    for buyer in buyers:
        town.account(buyer, 5_000)
        put_into_basket(market, buyer.asn, "tea", 1)
    placed = at_once(lambda at: place(market, new_id(), buyers[at].asn, address="here"), 4)
    assert sorted(str(getattr(one, "state", one)) for one in placed) == sorted(
        ["paid", "paid", str(StockMissing), str(StockMissing)]
    )
    with reading(town.city.engine) as conn:
        assert [one.stock for one in products(conn)] == [0]
    with reading(town.city.engine) as conn:
        mart = merchants(market, conn, partner="harbour-mart")[0]
    pos = pos_of(busy, mart.terminals[0], mart)
    raw = write_message(pos.purchase(number, 5_000), pos.key)
    assert len(set(at_once(lambda _: pos.host.answer(raw), 4))) == 1
    totals = {"_74": "0" * 10, "_76": f"{1:010d}", "_86": "0" * 16, "_88": f"{5_000:016d}"}
    assert pos.ask("0500", _60="1", _97=f"C{5_000:016d}", **totals)["39"] == "00"
    counter = busy.counter(mart.terminals[0])
    town.load(card, 2_000)
    counter.sell(card.reader, busy.day(), 500)
    counter.void(card.reader, busy.day())

    town.clear(counter)
    assert town.statement("harbour-mart").carried_fen == 1_000 - 6 + 5_000 - 30
    assert town.statement("e-supermarket").carried_fen == 2_000 - 12
    told = merchant_statement(market, "harbour-mart")
    assert (told.till_fen, told.online_fen, told.paid_fen) == (500, 15_000, 497 + 5_964)
    assert close_runs(market).voids == 1
    town.check_books()


def test_what_cannot_be_sold_is_told_and_nothing_is_paid(shops):
    shops.open("harbour-mart", "supermarket", tier="standard")
    number = shops.town.account(shops.town.card(), 1_000)
    for told, error in (
        ({"partner": "city-desk"}, MerchantUnknown),
        ({"number": "9" * 20}, OnlineAccountUnknown),
        ({"amount_fen": 0}, RetailValueInvalid),
        ({"amount_fen": 500_001}, RetailValueInvalid),
        ({"amount_fen": 1_001}, FundsMissing),
    ):
        asked = {"number": number, "partner": "harbour-mart", "amount_fen": 100} | told
        with pytest.raises(error):
            sell(shops.market, new_id(), **asked)
    assert free_fen(shops, number) == 1_000
    once = new_id()
    with pytest.raises(FundsMissing):
        sell(shops.market, once, number, "harbour-mart", 2_000)
    shops.town.account(shops.town.cards[0], 5_000)
    with pytest.raises(
        FundsMissing
    ):  # a refusal stands for its id, as whoever was told no paid in another way
        sell(shops.market, once, number, "harbour-mart", 2_000)
    with pytest.raises(RetailActDiffers):
        sell(shops.market, once, number, "harbour-mart", 2_001)
    assert find_sale(shops.market, str(once)).state == "refused"
    with pytest.raises(OrderRefused, match="address"):
        place(shops.market, new_id(), number, address="")


@pytest.fixture
def account(shops):
    shops.open("harbour-mart", "supermarket", tier="standard")
    return shops.town.account(shops.town.card(), 100_000)


def broken_off(monkeypatch, work, *, where=sales, what="_end"):
    """Do something that stops before it is noted how it ended."""

    def stop(*_args, **_named):
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(where, what, stop)
        with pytest.raises(KeyboardInterrupt):
            work()


def test_a_sale_that_stopped_behind_its_payment_is_paid_whatever_is_in_the_way_now(
    shops, account, monkeypatch
):
    def asked(**more):
        return sell(shops.market, **({"identity": once, "number": account} | told | more))

    once, told = new_id(), {"partner": "harbour-mart", "amount_fen": 1_000}
    broken_off(monkeypatch, asked)
    assert find_sale(shops.market, str(once)).state == "begun"
    unknown = OnlineAccountUnknown(number=account)
    refused = Refusal(code="no", reason="no", plugin="x")
    for where, what, way in (
        (sales, "merchants", Mock(side_effect=MerchantUnknown(what="harbour-mart"))),
        (sales, "find_account", Mock(side_effect=unknown)),
        (charging, "price", Mock(side_effect=unknown)),
        (type(shops.town.city.plugins), "veto", Mock(return_value=refused)),
    ):
        with monkeypatch.context() as now:
            now.setattr(where, what, way)
            assert asked().state == "paid"
        with writing(shops.town.city.engine) as conn:
            conn.execute(sale.update().values(state="begun"))
    with pytest.raises(RetailActDiffers):
        asked(amount_fen=999)
    assert (asked().fee_fen, free_fen(shops, account)) == (6, 99_000)


def test_what_is_refused_while_it_is_paid_by_somebody_else_is_paid(shops, account):
    def pay():
        sell(shops.market, begun.id, account, "harbour-mart", 1_000)
        raise MerchantUnknown(what="harbour-mart")

    digest = {"account": account, "partner": "harbour-mart", "amount_fen": 1_000}
    begun = sales.begin(
        shops.market,
        new_id(),
        "harbour-mart",
        account,
        lambda: 1_000,
        digest_of(digest | {"note": "", "service": ONLINE}),
        service=ONLINE,
        note="",
    )
    assert sales.pay_begun(shops.market, begun, pay).state == "paid"
    assert free_fen(shops, account) == 99_000


def test_what_is_paid_and_its_fee_are_of_the_price_that_a_sale_was_begun_with(shops, account, monkeypatch):
    real, prices = charging.price, [10_000, 9_000, 9_000]

    def changing(*args, **named):
        return real(*args, **(named | {"list_price_fen": prices.pop(0)}))

    monkeypatch.setattr(charging, "price", changing)
    sold = sell(shops.market, new_id(), account, "harbour-mart", 10_000)
    assert 100_000 - free_fen(shops, account) == sold.amount_fen == 10_000
    assert sold.fee_fen == 60

    once = new_id()
    broken_off(monkeypatch, lambda: sell(shops.market, once, account, "harbour-mart", 9_000), what="_pay")
    prices[:] = [8_000]
    sold = sell(shops.market, once, account, "harbour-mart", 9_000)
    assert (90_000 - free_fen(shops, account), sold.amount_fen, sold.fee_fen) == (9_000, 9_000, 54)


def test_a_sale_is_of_what_was_paid(shops, account, monkeypatch):
    sold = sell(shops.market, new_id(), account, "harbour-mart", 900)
    with writing(shops.town.city.engine) as conn:  # as if it had been begun for more
        conn.execute(sale.update().values(state="begun", amount_fen=1_000))
    shops.town.pass_time(timedelta(minutes=16))
    assert [one.amount_fen for one in sales.finish_sales(shops.market)] == [900]
    assert find_sale(shops.market, str(sold.id)).left_fen == 900


def test_sales_that_were_broken_off_are_ended_as_paid_or_as_refused(shops, account, monkeypatch):
    def begin(identity):
        return lambda: sell(shops.market, identity, account, "harbour-mart", 1_000)

    paid, not_paid = new_id(), new_id()
    broken_off(monkeypatch, begin(paid))
    broken_off(monkeypatch, begin(not_paid), what="_pay")
    assert sales.finish_sales(shops.market) == ()
    shops.town.pass_time(timedelta(minutes=16))
    shops.town.city.plugins.run_job("retail.finish")
    assert [find_sale(shops.market, str(one)).state for one in (paid, not_paid)] == ["paid", "refused"]
    assert begin(not_paid)().state == "paid"
    assert free_fen(shops, account) == 98_000


def test_a_sale_that_was_paid_after_it_was_refused_and_broke_off_then_is_ended_as_paid(
    shops, account, monkeypatch
):
    once = new_id()

    def sold():
        return sell(shops.market, once, account, "harbour-mart", 1_000)

    broken_off(monkeypatch, sold, what="_pay")
    shops.town.pass_time(timedelta(minutes=16))
    shops.town.city.plugins.run_job("retail.finish")
    assert find_sale(shops.market, str(once)).state == "refused"
    broken_off(monkeypatch, sold)
    for _ in range(2):
        shops.town.city.plugins.run_job("retail.finish")
        assert find_sale(shops.market, str(once)).state == "paid"
    assert free_fen(shops, account) == 99_000
