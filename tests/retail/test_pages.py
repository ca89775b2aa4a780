"""What people see and send from pages: the supermarket in English and Chinese, and the desk."""

import re

import pytest

from citycard.ids import new_id
from citycard.store import writing
from citycard_retail.merchants import apply
from citycard_retail.orders import place, step
from citycard_retail.shop import Product, add_products, put_into_basket

PAGE = {"accept": "text/html"}


@pytest.fixture
def card(shops):
    shops.open("e-supermarket", "online-shop", terminals=1)
    add_products(
        shops.market,
        [Product(sku="tea", title="Tea <b>", title_zh="茶", price_fen=5_800, stock=3, on_sale=True)],
    )
    card = shops.town.card()
    shops.town.account(card, 20_000)
    return card.asn


def signed_in(shops, role, subject=""):
    """Return a browser that signed in, and a function that sends a form of a page as a person would."""
    from citycard.web import Role
    from citycard.web.tokens import grant

    city = shops.town.city
    browser = shops.town.client("public")
    with writing(city.engine) as conn:
        _, token = grant(conn, role=Role(role), days=1, at=city.clock.now(), subject=subject, label="t")
    page = browser.get("/sign-in", headers=PAGE).text
    secret = re.search(r'name="csrf" value="(\w+)"', page)[1]
    done = browser.post(
        "/sign-in", data={"csrf": secret, "token": token}, headers=PAGE, follow_redirects=False
    )
    assert done.status_code == 303, done.text

    def send(path, page, **form):
        csrf = re.search(r'name="csrf" value="(\w+)"', browser.get(page, headers=PAGE).text)[1]
        return browser.post(path, data={"csrf": csrf} | form, headers=PAGE, follow_redirects=True)

    return browser, send


def test_a_citizen_fills_the_basket_orders_and_cancels(shops, card):
    browser, send = signed_in(shops, "citizen", card)
    page = browser.get("/retail/shop", headers=PAGE).text
    assert "Tea &lt;b&gt;" in page
    assert "The basket is empty" in page
    assert "网上超市" in browser.get("/retail/shop?lang=zh", headers=PAGE).text
    browser.get("/retail/shop?lang=en", headers=PAGE)
    page = send("/retail/shop/basket", "/retail/shop", card=card, sku="tea", quantity="2").text
    assert "Order and pay ¥116.00" in page
    identity = re.search(r'action="/retail/shop/orders".*?name="id" value="([0-9a-f-]+)"', page, re.DOTALL)[1]
    for _ in range(2):
        page = send(
            "/retail/shop/orders", "/retail/shop", card=card, id=identity, address="3 Harbour Road"
        ).text
    assert (page.count("¥116.00"), "paid" in page) == (1, True)
    page = send("/retail/shop/cancel", "/retail/shop", id=identity).text
    assert "cancelled" in page

    for path, form, code in (
        ("/retail/shop/basket", {"card": card, "sku": "none", "quantity": "1"}, 404),
        ("/retail/shop/basket", {"card": card, "sku": "tea", "quantity": "many"}, 422),
        ("/retail/shop/basket", {"card": "0" * 20, "sku": "tea", "quantity": "1"}, 403),
        ("/retail/shop/orders", {"card": card, "id": "no", "address": "x"}, 422),
        ("/retail/shop/orders", {"card": card, "id": str(new_id()), "address": "x"}, 409),
        ("/retail/shop/cancel", {"id": str(new_id())}, 404),
    ):
        answer = send(path, "/retail/shop", **form)
        assert (path, form, answer.status_code in {code, 400}) == (path, form, True), answer.status_code
    assert browser.get(f"/retail/shop?card={'0' * 20}", headers=PAGE).status_code == 403
    assert browser.get("/retail/desk", headers=PAGE).status_code == 403


def test_an_operator_approves_and_delivers_at_the_desk(shops, card):
    wish = shops.wish("corner-kiosk", "kiosk")
    apply(shops.market, wish, actor="clerk Li")
    put_into_basket(shops.market, card, "tea", 1)
    order = place(shops.market, new_id(), card, address="3 Harbour Road")
    browser, send = signed_in(shops, "operator")
    page = browser.get("/retail/desk", headers=PAGE).text
    assert "Corner Kiosk" in page
    assert "Harbour Road" not in page
    assert "报刊亭" not in page
    refused = send("/retail/desk/decision", "/retail/desk", id=str(wish.id), approve="no", reason="")
    assert (refused.status_code, "needs a reason" in refused.text) == (409, True)
    page = send("/retail/desk/decision", "/retail/desk", id=str(wish.id), approve="yes").text
    assert "990159940000002" in page
    page = send("/retail/desk/step", "/retail/desk", id=str(order.id), step="pack").text
    assert "packed" in page
    wrong = send("/retail/desk/step", "/retail/desk", id=str(order.id), step="fly")
    assert wrong.status_code in {400, 422}
    assert step(shops.market, order.id, "pack").state == "packed"
    assert "报刊亭" in browser.get("/retail/desk?lang=zh", headers=PAGE).text
