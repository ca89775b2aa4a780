from datetime import timedelta

from citycard.ids import new_id
from citycard.store import writing
from citycard.testing.town import Town
from citycard_retail.market import market_of
from citycard_retail.merchants import MerchantWish, apply, decide
from citycard_retail.refunds import refund_sale
from citycard_retail.sales import sell
from citycard_retail.shop import Product, add_products
from citycard_retail.tables import refund


def said(town):
    found = town.city.plugins.health()
    return {check.record.name: words for check, words in found if check.owner.plugin == "retail"}


def test_it_says_that_merchants_pay_two_fees_and_how_to_mend_it(tmp_path):
    town = Town.make(tmp_path, domains=["retail"], more="[clearing]\nfee_bp = 40\n")
    market = market_of(town.city)
    wish = MerchantWish(id=new_id(), partner="kiosk", name="Kiosk", category="kiosk")
    apply(market, wish, actor="Li")
    decide(market, wish.id, approve=True, actor="Wang")
    words = said(town)["one-fee"]
    assert "kind_fees_bp = {kiosk = 0, retail-fees = 0} under [clearing]" in words
    town.close()


def test_it_says_what_waits_and_that_the_supermarket_cannot_be_paid(shops):
    assert set(said(shops.town).values()) == {None}
    shops.open("harbour-mart", "supermarket")
    account = shops.town.account(shops.town.card(), 5_000)
    sold = sell(shops.market, new_id(), account, "harbour-mart", 1_000)
    refund_sale(shops.market, new_id(), str(sold.id), 100, reason="x", approved_by="y")
    add_products(
        shops.market, [Product(sku="tea", title="Tea", title_zh="", price_fen=1, stock=1, on_sale=True)]
    )
    with writing(shops.town.city.engine) as conn:
        conn.execute(refund.update().values(state="begun"))
    shops.town.pass_time(timedelta(hours=2))
    found = said(shops.town)
    assert "1 refunds and 0 orders wait" in found["waiting"]
    assert "e-supermarket is no merchant" in found["supermarket"]
    assert found["one-fee"] is None
    shops.town.city.plugins.run_job("retail.finish")
    assert said(shops.town)["waiting"] is None
