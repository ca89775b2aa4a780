"""Online accounts over HTTP: whose is whose, once for each id, and problems that say why."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from lxml import html
from starlette.testclient import TestClient

from citycard import registry
from citycard.city.accounts import add_acceptance, add_rate, make_programme, make_scheme
from citycard.ids import new_id
from citycard.ledger import AccountSpec
from citycard.store import writing
from citycard.wallet import TRUST_BANK, ExchangeRate, Programme, Scheme, online_account
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tables import ensure_tables
from citycard.web.tokens import grant

MINE, OTHER = "03109901000000000001", "03109901000000000002"
DAY = dt.date(2026, 3, 2)


@pytest.fixture
def city(empty_city):
    """A city with two cards, three partners, a programme and two schemes, and money on the first account."""
    ensure_tables(empty_city.engine)
    empty_city.issuing.publish()
    with writing(empty_city.engine) as conn:
        partners = [
            registry.Partner(id=name, name=name.title(), kind=kind)
            for name, kind in (("hotel", "hotel"), ("canteen", "food"), ("shop", "shop"))
        ]
        registry.add_partners(conn, partners)
        registry.add_cards(conn, [empty_city.issuing.card(asn, "park-pass", DAY) for asn in (MINE, OTHER)])
    make_programme(
        empty_city,
        Programme(
            id="meals",
            title="School meals",
            title_zh="学生餐补",
            funder="Education office",
            partner_kinds=("food",),
            starts_on=DAY,
            ends_on=dt.date(2026, 3, 31),
        ),
    )
    for name in ("shop", "hotel"):
        make_scheme(
            empty_city, Scheme(partner=name, title="Stars", points_per_yuan=1, rate_fen=2, valid_days=60)
        )
    add_acceptance(empty_city, "shop", "canteen", 1)
    add_rate(empty_city, ExchangeRate(source="shop", target="hotel", give=2, get=1))
    return empty_city


@pytest.fixture
def ask(city):
    """Return a function that sends a request as somebody and gives status and answer."""
    subjects = {Role.PARTNER: "hotel", Role.CITIZEN: MINE}
    now = city.clock.now()
    with writing(city.engine) as conn:
        tokens = {
            role: grant(conn, role=role, days=1, at=now, subject=subjects.get(role, ""))[1]
            for role in Role
            if role is not Role.PUBLIC
        }
        shop = grant(conn, role=Role.PARTNER, days=1, at=now, subject="shop")[1]
    tokens["shop"] = shop
    with TestClient(create_app(city), follow_redirects=False) as client:

        def send(who, path, body=None, **more):
            headers = {"authorization": f"Bearer {tokens[who]}"}
            if body is None:
                answer = client.get(path, headers=headers | more)
            else:
                answer = client.post(path, headers=headers, json={"id": str(uuid4())} | body)
            kind = answer.headers["content-type"]
            return answer.status_code, answer.json() if "json" in kind else answer.text

        yield send


@pytest.fixture
def opened(city, ask):
    """Open the account of the first card with 100 yuan in it."""
    assert ask(Role.CLERK, "/api/accounts", {"card": MINE})[0] == 200
    moved = city.wallet.transfer(new_id(), TRUST_BANK, online_account(MINE), 10_000, 90, ref="test")
    with writing(city.engine) as conn:
        city.ledger.open_accounts(conn, [AccountSpec(address=TRUST_BANK, code=1001)])
        city.ledger.post_all(conn, [moved])
    return f"/api/accounts/{MINE}"


def test_a_hotel_holds_and_captures_and_both_sides_see_it(ask, opened):
    wanted = {"partner": "hotel", "amount_fen": 6000, "minutes": 600, "note": "room 7"}
    status, held = ask(Role.PARTNER, f"{opened}/holds", wanted)
    assert (status, held["state"], held["note"]) == (200, "pending", "room 7")
    mine = ask(Role.CITIZEN, opened)[1]
    assert (mine["available_fen"], mine["balance_fen"], mine["holds"][0]["id"]) == (4000, 10_000, held["id"])
    path = f"/api/accounts/holds/{held['id']}"
    capture = {"id": str(uuid4()), "amount_fen": 4500}
    for _ in range(2):
        assert ask(Role.PARTNER, f"{path}/capture", capture)[1]["captured_fen"] == 4500
    assert ask(Role.PARTNER, path)[1]["state"] == "posted"
    charges = ask(Role.PARTNER, "/api/accounts/partners/hotel/charges")[1]
    assert [one["amount_fen"] for one in charges["payments"]] == [4500]
    status, problem = ask(Role.PARTNER, f"{path}/release", {})
    assert (status, problem["type"]) == (409, "/api#hold-refused")
    refund = f"/api/accounts/payments/{capture['id']}/refunds"
    assert ask(Role.PARTNER, refund, {"amount_fen": 500})[1]["returned_fen"] == 500


def test_a_release_frees_what_is_held(ask, opened):
    held = ask(Role.PARTNER, f"{opened}/holds", {"partner": "hotel", "amount_fen": 6000})[1]
    assert ask(Role.PARTNER, f"/api/accounts/holds/{held['id']}/release", {})[1]["state"] == "voided"
    assert ask(Role.CITIZEN, opened)[1]["available_fen"] == 10_000


def test_a_payment_is_made_once_and_pays_with_what_fits(ask, opened):
    assert ask(Role.OPERATOR, "/api/subsidies/meals/funds", {"amount_fen": 50_000})[0] == 200
    grants = {"batch": "2026-03", "grants": [{"number": MINE, "amount_fen": 800}] * 2}
    status, done = ask(Role.CLERK, "/api/subsidies/meals/grants", grants)
    assert (status, done["granted"], [one["line"] for one in done["bad"]]) == (200, 1, [2])
    payment = {"id": str(uuid4()), "partner": "canteen", "amount_fen": 1000}
    first, again = (ask(Role.CITIZEN, f"{opened}/payments", payment) for _ in range(2))
    assert first == again
    assert [(one["programme"], one["amount_fen"]) for one in first[1]["parts"]] == [("meals", 800), ("", 200)]
    report = ask(Role.AUDITOR, "/api/subsidies/meals")[1]
    assert (report["spent_fen"], report["left_fen"], report["difference_fen"]) == (800, 49_200, 0)


def test_what_cannot_be_paid_is_a_problem_that_stays(ask, opened):
    payment = {"id": str(uuid4()), "partner": "canteen", "amount_fen": 10_001}
    for _ in range(2):
        status, problem = ask(Role.CITIZEN, f"{opened}/payments", payment)
        assert (status, problem["type"]) == (409, "/api#funds-missing")
    status, problem = ask(Role.CITIZEN, f"{opened}/payments", payment | {"amount_fen": 1})
    assert (status, problem["type"]) == (409, "/api#act-differs")


def test_an_owner_limits_and_freezes_the_own_account(ask, opened):
    status, mine = ask(Role.CITIZEN, f"{opened}/limits", {"act": "pay", "rule": {"day_fen": 500}})
    assert (status, mine["limits"][0]["together"]["day_fen"]) == (200, 500)
    status, problem = ask(Role.CITIZEN, f"{opened}/payments", {"partner": "shop", "amount_fen": 501})
    assert (status, problem["type"]) == (409, "/api#limit-exceeded")
    assert "pay per day, in fen is limited to 500, 0 are used until 2026-03-03 00:00" in problem["detail"]
    assert ask(Role.CITIZEN, f"{opened}/freeze", {})[1]["status"] == "frozen"
    assert ask(Role.CITIZEN, f"{opened}/unfreeze", {})[0] == 403
    assert ask(Role.CLERK, f"{opened}/unfreeze", {})[1]["status"] == "open"
    assert ask(Role.CLERK, f"{opened}/close", {})[1]["status"] == "closed"


def test_what_is_owed_for_a_closed_account_is_paid_once_by_an_operator(ask, opened):
    assert ask(Role.OPERATOR, f"{opened}/payouts", {})[1]["type"] == "/api#account-not-owed"
    assert ask(Role.CLERK, f"{opened}/close", {})[1]["owed_fen"] == 10_000
    wanted = {"id": str(uuid4()), "amount_fen": 6000, "to_name": "李雷", "to_account": "6222000011112222"}
    first, again = (ask(Role.OPERATOR, f"{opened}/payouts", wanted) for _ in range(2))
    assert first == again
    assert (first[0], first[1]["paid_fen"], first[1]["state"]) == (200, 6000, "ordered")
    assert ask(Role.OPERATOR, f"{opened}/payouts", {})[1]["paid_fen"] == 4000
    assert ask(Role.CLERK, opened)[1]["owed_fen"] == 0


def test_points_are_earned_used_and_exchanged(ask, opened):
    path = f"/api/points/accounts/{MINE}"
    assert ask("shop", f"{path}/earn", {"scheme": "shop", "amount_fen": 2000})[1]["points"] == 20
    done = ask(Role.OPERATOR, f"{path}/use", {"scheme": "shop", "partner": "canteen", "points": 5})[1]
    assert (done["points"], done["amount_fen"]) == (-5, 5)
    swap = {"source": "shop", "target": "hotel", "points": 10}
    assert ask(Role.CITIZEN, f"{path}/exchange", swap)[1]["points"] == 5
    points = {one["scheme"]: one["points"] for one in ask(Role.CITIZEN, opened)[1]["points"]}
    assert points == {"hotel": 5, "shop": 5}
    schemes = ask(Role.CLERK, "/api/points")[1]["schemes"]
    assert [one["report"]["difference"] for one in schemes] == [0, 0]


@pytest.mark.parametrize(
    ("who", "path", "body"),
    [
        (Role.PARTNER, "/charges", {"partner": "shop", "amount_fen": 1}),
        (Role.PARTNER, "/holds", {"partner": "shop", "amount_fen": 1}),
        (Role.PARTNER, "/payments", {"partner": "hotel", "amount_fen": 1}),
        (Role.PARTNER, "", None),
        (Role.CITIZEN, "/charges", {"partner": "hotel", "amount_fen": 1}),
        (Role.CITIZEN, "/close", {}),
        (Role.CITIZEN, "/payouts", {}),
        (Role.CLERK, "/payouts", {}),
        (Role.CLERK, "/payments", {"partner": "hotel", "amount_fen": 1}),
        (Role.AUDITOR, "/freeze", {}),
    ],
)
def test_nobody_does_what_is_not_theirs(ask, opened, who, path, body):
    assert ask(who, opened + path, body)[0] == 403


def test_a_citizen_learns_nothing_of_other_accounts(ask, opened):
    ask(Role.CLERK, "/api/accounts", {"card": OTHER})
    for number in (OTHER, "9" * 20):
        assert ask(Role.CITIZEN, f"/api/accounts/{number}")[0] == 403
        assert (
            ask(Role.CITIZEN, f"/api/accounts/{number}/payments", {"partner": "shop", "amount_fen": 1})[0]
            == 403
        )
    assert ask(Role.CLERK, f"/api/accounts/{'9' * 20}")[0] == 404


def test_a_partner_ends_no_hold_of_another(ask, opened):
    held = ask("shop", f"{opened}/holds", {"partner": "shop", "amount_fen": 100})[1]
    path = f"/api/accounts/holds/{held['id']}"
    assert [ask(Role.PARTNER, path)[0], ask(Role.PARTNER, f"{path}/capture", {})[0]] == [403, 403]
    assert ask(Role.OPERATOR, "/api/accounts/holds/nonsense")[0] == 404


def test_a_partner_charges_an_account(ask, opened):
    status, done = ask(Role.PARTNER, f"{opened}/charges", {"partner": "hotel", "amount_fen": 300})
    assert (status, done["partner"], done["amount_fen"]) == (200, "hotel", 300)


@pytest.mark.parametrize("what", ["charges", "holds"])
def test_a_partner_learns_no_sum_from_what_an_account_does_not_pay(ask, opened, what):
    wanted = {"id": str(uuid4()), "partner": "hotel", "amount_fen": 10_001}
    for _ in range(2):
        status, problem = ask(Role.PARTNER, f"{opened}/{what}", wanted)
        assert (status, problem["type"]) == (409, "/api#charge-refused")
        assert problem["detail"] == f"account {MINE} does not pay this: ask its holder"
    ask(Role.CITIZEN, f"{opened}/limits", {"act": what[:4].replace("char", "pay"), "rule": {"day_fen": 700}})
    status, problem = ask(Role.PARTNER, f"{opened}/{what}", {"partner": "hotel", "amount_fen": 701})
    assert (status, problem["type"]) == (409, "/api#charge-refused")
    assert "700" not in str(problem)


def test_the_page_of_a_card_shows_its_account_in_both_languages(ask, opened):
    ask(Role.OPERATOR, "/api/subsidies/meals/funds", {"amount_fen": 50_000})
    ask(
        Role.CLERK,
        "/api/subsidies/meals/grants",
        {"batch": "1", "grants": [{"number": MINE, "amount_fen": 800}]},
    )
    ask("shop", f"/api/points/accounts/{MINE}/earn", {"scheme": "shop", "amount_fen": 2000})
    ask(Role.PARTNER, f"{opened}/holds", {"partner": "hotel", "amount_fen": 6000})
    ask(Role.CITIZEN, f"{opened}/limits", {"act": "pay", "rule": {"day_fen": 5000, "day_count": 3}})
    ask(Role.CITIZEN, f"{opened}/payments", {"partner": "canteen", "amount_fen": 100, "note": "lunch"})
    for lang, expected in (
        (
            "en",
            [
                "¥40.00",
                "School meals",
                "2026-03-31",
                "¥7.00",
                "20 until 2026-05-01",
                "Hotel",
                "lunch",
                "¥50.00 a day (your own)",
            ],
        ),
        ("zh", ["学生餐补", "预授权中", "20 分", "每日 ¥50.00（自设）"]),
    ):
        page = ask(Role.CITIZEN, f"/cards/{MINE}", **{"accept": "text/html", "accept-language": lang})[1]
        panel = " ".join(html.fromstring(page).get_element_by_id("account").text_content().split())
        assert [word for word in expected if word not in panel] == []


def test_a_card_without_an_account_shows_none(ask):
    page = ask(Role.CITIZEN, f"/cards/{MINE}", accept="text/html")[1]
    assert html.fromstring(page).xpath("//*[@id='account']") == []
