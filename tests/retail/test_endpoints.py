"""Merchants do everything over the endpoints, each only for itself, and bad input gets one clear answer."""

from uuid import uuid4

import pytest

from citycard_retail.closing import close_runs


def wish(partner="harbour-mart", **more):
    told = {"id": str(uuid4()), "partner": partner, "name": "Harbour Mart", "category": "supermarket"}
    return told | {"tier": "standard", "account_no": "6200990100000300001", "bank_bic": "CITYCNBJXXX"} | more


@pytest.fixture
def mart(shops):
    shops.open("harbour-mart", "supermarket", tier="standard")
    return shops.town.client("partner", "harbour-mart")


@pytest.fixture
def account(shops):
    return shops.town.account(shops.town.card(), 100_000)


def test_a_merchant_is_applied_for_by_one_and_approved_by_another(shops):
    clerk, operator = shops.town.client("clerk"), shops.town.client("operator")
    asked = wish(contact="Mrs Chen, 13800000000", terminals=2)
    made = clerk.post("/retail/applications", json=asked)
    assert (made.status_code, made.json()["state"]) == (200, "open")
    assert "contact" not in made.json()
    assert clerk.post("/retail/applications", json=asked).json() == made.json()
    other = clerk.post("/retail/applications", json=asked | {"name": "Other"})
    assert (other.status_code, "another name" in other.json()["detail"]) == (409, True)

    where = f"/retail/applications/{asked['id']}/decision"
    assert clerk.post(where, json={"approve": True}).status_code == 403
    own = operator.post("/retail/applications", json=wish("own-shop"))
    refused = operator.post(f"/retail/applications/{own.json()['id']}/decision", json={"approve": True})
    assert (refused.status_code, "second person" in refused.json()["detail"]) == (409, True)
    assert operator.post(where, json={"approve": True}).json()["state"] == "approved"
    (merchant,) = clerk.get("/retail/merchants").json()["merchants"]
    assert (merchant["code"], len(merchant["terminals"])) == ("990154110000001", 2)
    assert [
        one["partner"] for one in clerk.get("/retail/applications?state=open").json()["applications"]
    ] == ["own-shop"]


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("category", "zoo", "category"),
        ("tier", "hotel", "tier"),
        ("bank_bic", "nobic", "bank_bic"),
        ("partner", "No Good", "id"),
        ("terminals", 201, "terminals"),
        ("district", "nowhere", "district"),
        ("partner", "retail-fees", "fees"),
        ("surprise", 1, "surprise"),
    ],
)
def test_an_application_that_cannot_be_is_told_by_field(one_clerk, field, value, told):
    answer = one_clerk.post("/retail/applications", json=wish(**{field: value}))
    assert answer.status_code in {400, 422}
    assert told in answer.json()["detail"]


def test_a_merchant_sells_gives_back_and_holds_in_its_own_name(shops, mart, account):
    town = shops.town
    asked = {"id": str(uuid4()), "partner": "harbour-mart", "account": account, "amount_fen": 10_000}
    sold = mart.post("/retail/sales", json=asked).json()
    assert (sold["fee_fen"], sold["state"]) == (60, "paid")
    assert mart.post("/retail/sales", json=asked).json() == sold
    assert mart.post("/retail/sales", json=asked | {"amount_fen": 9}).status_code == 409
    assert mart.post("/retail/sales", json=asked | {"partner": "city-desk"}).status_code == 403
    poor = mart.post("/retail/sales", json=asked | {"id": str(uuid4()), "amount_fen": 90_001})
    assert (poor.status_code, "90000" in poor.text) == (409, False)

    back = {"id": str(uuid4()), "amount_fen": 4_000, "reason": "stale", "approved_by": "Mr Wu"}
    given = mart.post(f"/retail/sales/{sold['id']}/refunds", json=back).json()
    assert (given["amount_fen"], given["fee_fen"], given["to"]) == (4_000, 24, "account")
    assert mart.post(f"/retail/sales/{sold['id']}/void", json={"id": str(uuid4())}).status_code == 409
    again = mart.post(
        f"/retail/sales/{sold['id']}/refunds", json=back | {"id": str(uuid4()), "amount_fen": 6_001}
    )
    assert (again.status_code, "6000 fen of it are left" in again.json()["detail"]) == (409, True)
    assert town.client("partner", "city-desk").get(f"/retail/sales/{sold['id']}").status_code == 403

    deposit = {"id": str(uuid4()), "partner": "harbour-mart", "account": account, "amount_fen": 50_000}
    held = mart.post("/retail/holds", json=deposit | {"days": 3}).json()
    assert held["state"] == "pending"
    stay = mart.post(
        f"/retail/holds/{held['id']}/capture", json={"id": str(uuid4()), "amount_fen": 20_000}
    ).json()
    assert (stay["amount_fen"], stay["fee_fen"]) == (20_000, 120)
    free = mart.post("/retail/holds", json=deposit | {"id": str(uuid4())}).json()
    done = mart.post(f"/retail/holds/{free['id']}/release", json={"id": str(uuid4())})
    assert done.json()["state"] == "voided"

    town.clear()
    told = mart.get("/retail/merchants/harbour-mart/statement").json()
    assert (told["paid_fen"], told["online_fee_fen"]) == (26_000 - 60 + 24 - 120, 180)
    assert mart.get("/retail/merchants/city-desk/statement").status_code == 403
    assert mart.get("/retail/merchants/harbour-mart/statement?run=77").status_code == 404


def test_bad_input_for_a_sale_is_told_and_nothing_is_done(shops, mart, account):
    good = {"id": str(uuid4()), "partner": "harbour-mart", "account": account, "amount_fen": 10}
    bad = {
        "amount_fen": (0, -1, 500_001, "ten", 1.5, None),
        "account": ("9" * 20, "", 7),
        "id": ("no id", None),
        "note": ("x" * 101,),
    }
    for field, values in bad.items():
        for value in values:
            answer = mart.post("/retail/sales", json=good | {field: value})
            assert (answer.status_code in {400, 404, 422}, field, value) == (True, field, value), answer.text
    assert mart.post("/retail/sales", content=b"[]").status_code == 415
    assert mart.post("/retail/sales", json={}).status_code == 422
    for name in ("nothing", str(uuid4()), "990120000001-1-1"):
        assert mart.get(f"/retail/sales/{name}").status_code == 404
    shops.town.clear()
    assert close_runs(shops.market).runs == 0
