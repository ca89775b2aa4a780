"""Money out by API: who may, that an id counts once, and that statements and the float tell of it."""

from __future__ import annotations

from uuid import uuid4

import pytest

from citycard.web.permissions import Role

CARD, RECORD = "03109901000000000001", "990100000001-1-3"
NOBODY = "00000000-0000-0000-0000-000000000001"
DAYS = "?since=2026-03-01&until=2026-03-31"


def refund(**more):
    asked = {
        "id": str(uuid4()),
        "purchase": RECORD,
        "amount_fen": 1,
        "destination": "cash",
        "reason": "gate stayed shut",
        "approved_by": "Wang",
        "evidence": "ticket 7",
    }
    return asked | more


def test_a_refund_of_a_ride_is_told_to_the_partner_and_the_float_has_no_difference(client, operator, bearer):
    asked = refund(amount_fen=50, destination="purse")
    first = client.post("/api/refunds", json=asked, headers=bearer[Role.CLERK])
    again = client.post("/api/refunds", json=asked, headers=bearer[Role.CLERK])
    assert (first.status_code, first.json()) == (200, again.json())
    assert first.json()["parts"][0]["partner"] == "harbour-ferry"
    found = client.get(f"/api/refunds?card={CARD}", headers=operator).json()["refunds"]
    assert asked["id"] in [one["id"] for one in found]
    partner = client.get(f"/api/partners/harbour-ferry/account{DAYS}", headers=operator).json()
    line = next(one for one in partner["sections"][0]["lines"] if one["code"] == 160)
    assert (line["amount_fen"], line["why"]) == (
        -50,
        f"{RECORD}: gate stayed shut, approved by Wang, ticket 7",
    )
    holder = client.get(f"/api/cards/{CARD}/account{DAYS}", headers=operator).json()
    owed = {one["title"]: one["closing_fen"] for one in holder["sections"]}["Owed to the holder"]
    assert owed == 50
    told = client.get("/api/float", headers=operator).json()
    assert (told["difference_fen"], told["control_fen"], told["cards"]["difference_fen"]) == (0, 0, 0)


def test_more_than_was_paid_is_refused(client, operator):
    answer = client.post("/api/refunds", json=refund(amount_fen=351), headers=operator)
    assert (answer.status_code, answer.json()["type"]) == (409, "/api#purchase-refund-refused")


@pytest.mark.parametrize(
    ("purchase", "status"),
    [("990100000001-1-1", 409), ("990100000001-1-99", 404), ("x", 404), (NOBODY, 409)],
)
def test_what_nobody_paid_for_is_not_refunded(client, operator, purchase, status):
    answer = client.post("/api/refunds", json=refund(purchase=purchase), headers=operator)
    assert answer.status_code == status


def test_a_top_up_is_charged_back_step_by_step(client, operator):
    other = "03109901000000000004"
    told = client.get(f"/api/cards/{other}/account{DAYS}", headers=operator).json()
    topup = next(one["reference"] for one in told["sections"][0]["lines"] if one["code"] == 10)
    opening = {"id": str(uuid4()), "topup": topup, "reason": "stolen", "deadline": "2026-03-20"}
    case = client.post("/api/chargebacks", json=opening, headers=operator).json()
    assert (case["state"], case["amount_fen"], case["taken_from"]) == ("open", 5000, "trust/bank")
    where = f"/api/chargebacks/{case['id']}"
    for state, status in (("won", 409), ("sunk", 422), ("disputed", 200), ("won", 200)):
        step = {"id": str(uuid4()), "state": state, "evidence": "letter 3"}
        assert (state, client.post(f"{where}/steps", json=step, headers=operator).status_code) == (
            state,
            status,
        )
    history = client.get(where, headers=operator).json()
    assert [one["state"] for one in history["steps"]] == ["open", "disputed", "won"]
    assert client.get("/api/float", headers=operator).json()["difference_fen"] == 0


def test_a_partner_that_is_owed_nothing_is_not_paid(client, operator):
    answer = client.post("/api/partners/park-gates/payouts", json={"id": str(uuid4())}, headers=operator)
    assert (answer.status_code, answer.json()["type"]) == (409, "/api#payout-refused")


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/api/refunds", {Role.OPERATOR, Role.CLERK}),
        ("/api/chargebacks", {Role.OPERATOR}),
        (f"/api/chargebacks/{NOBODY}/steps", {Role.OPERATOR}),
        ("/api/partners/park-gates/payouts", {Role.OPERATOR}),
    ],
)
def test_only_those_who_may_move_money(client, bearer, path, allowed):
    found = {
        role
        for role, headers in bearer.items()
        if client.post(path, json={}, headers=headers).status_code != 403
    }
    assert found == allowed


@pytest.mark.parametrize("kind", ["refunds", "chargebacks"])
@pytest.mark.parametrize("name", ["x", NOBODY])
def test_what_nobody_gave_or_opened_is_not_there(client, operator, kind, name):
    assert client.get(f"/api/{kind}/{name}", headers=operator).status_code == 404
