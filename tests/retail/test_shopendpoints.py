"""The supermarket's endpoints: each for whom it is, and bad input gets one clear answer."""

from uuid import uuid4

import pytest

from citycard_retail.shop import Product, add_products


@pytest.fixture
def card(shops):
    shops.open("e-supermarket", "online-shop", terminals=0)
    shops.open("corner-kiosk", "kiosk")
    add_products(
        shops.market, [Product(sku="tea", title="Tea", title_zh="茶", price_fen=5_800, stock=3, on_sale=True)]
    )
    card = shops.town.card()
    shops.town.account(card, 20_000)
    return card.asn


def test_everybody_looks_and_each_does_what_is_its_own(shops, card):
    town = shops.town
    public, citizen = town.client("public"), town.client("citizen", card)
    other, kiosk = town.client("citizen", town.card().asn), town.client("partner", "corner-kiosk")
    assert [one["sku"] for one in public.get("/retail/products").json()["products"]] == ["tea"]
    assert public.get(f"/retail/baskets/{card}").status_code == 401
    assert other.get(f"/retail/baskets/{card}").status_code == 403
    change = {"sku": "tea", "quantity": 1}
    assert other.post(f"/retail/baskets/{card}", json=change).status_code == 403
    assert citizen.post(f"/retail/baskets/{card}", json=change).json()["total_fen"] == 5_800
    asked = {"id": str(uuid4()), "card": card, "address": "here"}
    assert other.post("/retail/orders", json=asked).status_code == 403
    assert citizen.post("/retail/orders", json=asked).json()["state"] == "paid"
    assert [one["state"] for one in citizen.get(f"/retail/cards/{card}/orders").json()["orders"]] == ["paid"]
    where = f"/retail/orders/{asked['id']}"
    assert kiosk.post(f"{where}/step", json={"step": "pack"}).status_code == 403
    assert kiosk.get("/retail/orders").status_code == 403
    assert citizen.post(f"{where}/step", json={"step": "pack"}).status_code == 403
    assert other.post(f"{where}/cancel", json={"id": str(uuid4())}).status_code == 403
    keeper = town.client("partner", "e-supermarket")
    assert [one["state"] for one in keeper.get("/retail/orders?state=paid").json()["orders"]] == ["paid"]
    assert citizen.post(f"{where}/cancel", json={"id": str(uuid4())}).json()["state"] == "cancelled"


def test_what_is_no_request_is_told_and_changes_nothing(shops, card):
    citizen, keeper = shops.town.client("citizen", card), shops.town.client("partner", "e-supermarket")
    basket, orders, nothing = f"/retail/baskets/{card}", "/retail/orders", str(uuid4())
    for client, path, body, codes in (
        (citizen, basket, {}, {422}),
        (citizen, basket, {"sku": "tea", "quantity": "1"}, {422}),
        (citizen, basket, {"sku": "tea", "quantity": 4}, {409}),
        (citizen, basket, {"sku": "tea", "quantity": -1}, {409}),
        (citizen, basket, {"sku": "coffee", "quantity": 1}, {404}),
        (citizen, basket, {"sku": "t" * 21, "quantity": 1}, {422}),
        (citizen, basket, {"sku": "tea", "quantity": 1, "more": 1}, {422}),
        (citizen, orders, {"id": nothing, "card": card}, {422}),
        (citizen, orders, {"id": nothing, "card": card, "address": ""}, {422}),
        (citizen, orders, {"id": nothing, "card": card, "address": "x" * 301}, {422}),
        (citizen, orders, {"id": "no", "card": card, "address": "x"}, {422}),
        (citizen, orders, {"id": nothing, "card": card, "address": "x"}, {409}),
        (citizen, f"{orders}/{nothing}/cancel", {"id": nothing}, {404}),
        (keeper, f"{orders}/{nothing}/step", {"step": "pack"}, {404}),
        (keeper, f"{orders}/{nothing}/step", {"step": "fly"}, {409}),
        (keeper, f"{orders}/no/step", {"step": "pack"}, {404}),
        (keeper, f"{orders}/{nothing}/returns", {"id": nothing, "lines": {"tea": 1}}, {404}),
        (keeper, f"{orders}/{nothing}/returns", {"id": nothing, "lines": {"tea": "1"}}, {422}),
        (keeper, f"{orders}/{nothing}/returns", {"id": nothing, "lines": ["tea"]}, {422}),
    ):
        answer = client.post(path, json=body)
        assert (path, body, answer.status_code in codes) == (path, body, True), answer.text
        assert answer.json()["detail"]
    assert citizen.get(basket).json()["lines"] == []
    assert shops.town.client("public").get("/retail/products").json()["products"][0]["stock"] == 3
