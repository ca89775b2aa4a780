"""Top-ups and agents for programs and people: each for what is theirs, at a provider in its own process."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from starlette.testclient import TestClient

from citycard import registry
from citycard.city import City
from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.ledger import Ledger
from citycard.store import reading, writing
from citycard.wallet import Accounts
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tokens import grant

# The provider lives by the machine's own clock.
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
TODAY = NOW.date()
OWN, OTHER = "03109901000000000001", "03109901000000000002"
CITY_TOML = """\
[city]
name = "Haibin"
code = "9901"

[plugins]
allow = ["park"]
enable = ["park"]

"""


@pytest.fixture(scope="module")
def city(tmp_path_factory, _park_is_installed, payment_sandbox):
    folder = tmp_path_factory.mktemp("topups")
    template = folder / "template.toml"
    template.write_text(CITY_TOML + payment_sandbox.section(), encoding="utf-8")
    city = City.create(folder / "city", template, clock=FixedClock(NOW))
    city.issuing.publish()
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(asn, "park-pass", TODAY) for asn in (OWN, OTHER)])
        registry.add_partners(
            conn,
            [
                registry.Partner(id="kiosk-7", name="Kiosk 7", kind="agent"),
                registry.Partner(id="kiosk-8", name="Kiosk 8", kind="agent"),
                registry.Partner(id="ferry", name="Ferry"),
            ],
        )
    yield city
    city.close()


@pytest.fixture(scope="module")
def client(city):
    app = create_app(city)
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


@pytest.fixture(scope="module")
def bearer(city, client):
    subjects = {Role.PARTNER: "kiosk-7", Role.CITIZEN: OWN}
    with writing(city.engine) as conn:
        secrets = {
            role: grant(conn, role=role, days=1, at=NOW, subject=subjects.get(role, ""))[1]
            for role in Role
            if role is not Role.PUBLIC
        }
    return {role: {"authorization": f"Bearer {secret}"} for role, secret in secrets.items()}


@pytest.fixture
def citizen(bearer):
    return bearer[Role.CITIZEN]


@pytest.fixture
def operator(bearer):
    return bearer[Role.OPERATOR]


def wanted(**more):
    return {"id": str(new_id()), "amount_fen": 5000} | more


def test_a_citizen_orders_pays_and_sees_it_paid(client, citizen, payment_sandbox):
    asked = wanted()
    made = client.post(f"/api/cards/{OWN}/topups", json=asked, headers=citizen).json()
    again = client.post(f"/api/cards/{OWN}/topups", json=asked, headers=citizen).json()
    assert (made["state"], again) == ("created", made)
    assert made["pay_url"].startswith(payment_sandbox.settings["url"])
    payment_sandbox.pay(asked["id"].replace("-", ""))
    # Who comes back to the page sees what became of it.
    page = client.get(f"/cards/{OWN}/topup", headers=citizen | {"accept": "text/html"})
    assert (page.status_code, "paid, hold the card to a reader" in page.text) == (200, True)
    found = client.get(f"/api/topups/{asked['id']}", headers=citizen).json()
    assert (found["state"], found["pay_url"]) == ("paid", "")
    listed = client.get(f"/api/cards/{OWN}/topups", headers=citizen).json()["orders"]
    assert found in listed


def test_an_order_is_seen_and_made_by_its_own_citizen_alone(client, citizen, bearer):
    asked = wanted()
    clerk = bearer[Role.CLERK]
    assert client.post(f"/api/cards/{OTHER}/topups", json=asked, headers=clerk).status_code == 200
    for answer in (
        client.post(f"/api/cards/{OTHER}/topups", json=wanted(), headers=citizen),
        client.get(f"/api/topups/{asked['id']}", headers=citizen),
        client.get(f"/cards/{OTHER}/topup", headers=citizen),
        client.post(f"/api/topups/{asked['id']}/refund", json={"id": asked["id"]}, headers=citizen),
    ):
        assert answer.status_code == 403
    assert client.post(f"/api/cards/{OWN}/topups", json=wanted()).status_code in {401, 403}


def test_what_cannot_be_ordered_is_said_with_its_field(client, citizen):
    path = f"/api/cards/{OWN}/topups"
    wrong = client.post(path, json=wanted(amount_fen="50"), headers=citizen)
    assert (wrong.status_code, "body.amount_fen: expected a whole number" in wrong.json()["detail"]) == (
        422,
        True,
    )
    wrong = client.post(path, json=wanted(amount_fen=0), headers=citizen)
    assert (wrong.status_code, wrong.json()["type"]) == (422, "/api#order-invalid")
    missing = client.post(path, json=wanted(account=OTHER), headers=citizen)
    assert (missing.status_code, missing.json()["type"]) == (404, "/api#online-account-unknown")


def test_a_paid_order_is_sent_back_by_a_clerk_once(client, bearer, payment_sandbox):
    clerk, asked = bearer[Role.CLERK], wanted()
    client.post(f"/api/cards/{OTHER}/topups", json=asked, headers=clerk)
    payment_sandbox.pay(asked["id"].replace("-", ""))
    client.get(f"/cards/{OTHER}/topup", headers=clerk)
    back = [
        client.post(f"/api/topups/{asked['id']}/refund", json={"id": str(new_id())}, headers=clerk).json()
        for _ in range(2)
    ]
    assert [one["state"] for one in back] == ["refunded", "refunded"]


def test_a_citizen_lets_the_own_account_top_the_card_up(city, client, citizen):
    for asn in (OWN, OTHER):
        Accounts(city.wallet).open(new_id(), asn)
    path = f"/api/cards/{OWN}/auto-topup"
    rule = {
        "id": str(new_id()),
        "threshold_fen": 1000,
        "amount_fen": 2000,
        "daily_limit_fen": 4000,
        "source": f"account/{OWN}",
    }
    assert client.get(path, headers=citizen).json() == {"rule": None}
    assert client.post(path, json=rule, headers=citizen).json()["rule"]["threshold_fen"] == 1000
    assert client.get(path, headers=citizen).json()["rule"]["source"] == f"account/{OWN}"
    for source in (f"account/{OTHER}", "agreement/somebody"):
        assert client.post(path, json=rule | {"source": source}, headers=citizen).status_code == 403
    low = client.post(path, json=rule | {"daily_limit_fen": 1000}, headers=citizen)
    assert (low.status_code, low.json()["type"]) == (422, "/api#top-up-rule-invalid")
    other = rule | {"id": str(new_id()), "threshold_fen": 1500}
    assert client.post(path, json=other, headers=citizen).json()["rule"]["threshold_fen"] == 1500
    again = client.post(path, json=rule, headers=citizen)
    assert (again.status_code, again.json()["rule"]["threshold_fen"]) == (200, 1500)
    differs = client.post(path, json=rule | {"threshold_fen": 7}, headers=citizen)
    assert (differs.status_code, differs.json()["type"]) == (409, "/api#act-differs")
    assert client.delete(path, headers=citizen).json() == {"rule": None}
    assert client.post(path, json=other, headers=citizen).json() == {"rule": None}


def test_the_rule_of_a_card_that_is_not_there_is_not_taken_away(client, operator):
    assert client.delete("/api/cards/abc/auto-topup", headers=operator).status_code == 404


def test_an_amount_button_makes_an_order_and_leads_back_to_where_it_is_paid(client, citizen, bearer):
    page = client.get(f"/cards/{OWN}/topup", headers=citizen | {"accept": "text/html"})
    (identity, *_) = re.findall(r'name="id" value="([0-9a-f-]{36})"', page.text)
    form = {"id": identity, "amount_fen": "5000"}
    for _ in range(2):
        answer = client.post(f"/cards/{OWN}/topup", data=form, headers=citizen)
        assert (answer.status_code, answer.headers["location"]) == (303, f"/cards/{OWN}/topup")
    again = client.get(f"/cards/{OWN}/topup", headers=citizen | {"accept": "text/html"})
    assert "waits for payment" in again.text
    wrong = client.post(f"/cards/{OWN}/topup", data=form | {"amount_fen": "1"}, headers=citizen)
    assert wrong.status_code == 422


def test_nobody_but_the_provider_notifies(client, citizen):
    answer = client.post("/api/providers/pay/notifications", content=b"{}")
    assert (answer.status_code, answer.json()["type"]) == (401, "/api#notification-refused")
    assert client.post("/api/providers/other/notifications", content=b"{}").status_code == 401


# ── agents ───────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def kiosk(client, bearer):
    body = {"id": str(new_id()), "partner": "kiosk-7", "commission_bp": 50, "credit_fen": 10_000}
    return client.post("/api/agents", json=body, headers=bearer[Role.OPERATOR]).json()


def test_an_operator_opens_agents_gives_credit_and_notes_deposits(client, operator, kiosk):
    assert (kiosk["quota_left_fen"], kiosk["agent"]["commission_bp"]) == (10_000, 50)
    credit = {"id": str(new_id()), "credit_fen": 20_000}
    deposit = {"id": str(new_id()), "amount_fen": 500, "ref": "bank/1/1"}
    for _ in range(2):
        given = client.post("/api/agents/kiosk-7/credit", json=credit, headers=operator).json()
        noted = client.post("/api/agents/kiosk-7/deposits", json=deposit, headers=operator).json()
    assert (given["agent"]["credit_fen"], noted["quota_left_fen"], noted["owed_fen"]) == (
        20_000,
        20_500,
        -500,
    )
    listed = client.get("/api/agents", headers=operator).json()["agents"]
    assert [one["agent"]["id"] for one in listed] == ["kiosk-7"]


def test_only_a_partner_of_the_kind_agent_becomes_one(client, operator):
    body = {"id": str(new_id()), "partner": "ferry"}
    answer = client.post("/api/agents", json=body, headers=operator)
    assert (answer.status_code, "kind is operator, not agent" in answer.json()["detail"]) == (409, True)


def test_an_agent_sees_itself_and_closes_its_own_day_once(city, client, bearer, kiosk):
    agent = bearer[Role.PARTNER]
    body = {"id": str(new_id()), "day": str(city.now_local().date())}
    closed = [client.post("/api/agents/kiosk-7/days", json=body, headers=agent).json() for _ in range(2)]
    assert (closed[0], closed[0]["loads"]) == (closed[1], 0)
    assert client.get("/api/agents/kiosk-7", headers=agent).json()["days"] == [closed[0]]
    page = client.get("/agents/kiosk-7", headers=agent | {"accept": "text/html"})
    assert (page.status_code, "May still load" in page.text, 'name="day"' in page.text) == (200, True, False)
    for answer in (
        client.get("/api/agents/kiosk-8", headers=agent),
        client.post("/api/agents/kiosk-8/days", json=body, headers=agent),
        client.get("/agents/kiosk-8", headers=agent),
        client.get("/api/agents", headers=agent),
        client.post("/api/agents/kiosk-7/credit", json={"id": str(new_id()), "credit_fen": 1}, headers=agent),
    ):
        assert answer.status_code == 403


def test_the_money_adds_up_at_the_end(city):
    with reading(city.engine) as conn:
        assert Ledger(city.engine).audit(conn) == []
