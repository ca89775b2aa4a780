"""Sales are paid once with their fee, on both databases and when many ask at once."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from citycard.errors import CitycardError, FundsMissing, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.town import Town
from citycard.wallet import available_fen, online_account
from citycard_retail.closing import close_runs
from citycard_retail.errors import (
    MerchantUnknown,
    OrderRefused,
    RetailActDiffers,
    RetailValueInvalid,
    StockMissing,
)
from citycard_retail.iso import write_message
from citycard_retail.merchants import merchants
from citycard_retail.orders import place
from citycard_retail.refunds import refund_sale
from citycard_retail.sales import find_sale, sell
from citycard_retail.shop import Product, add_products, products, put_into_basket
from citycard_retail.statement import merchant_statement


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
