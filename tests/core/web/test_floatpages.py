"""The float on the pages: at any moment, day by day, and down to accounts."""

from __future__ import annotations

import pytest

from citycard.web.permissions import Role


def test_the_float_has_no_difference_and_knows_what_the_cards_say(client, operator, town):
    told = client.get("/api/float", headers=operator).json()
    assert (told["difference_fen"], told["control_fen"]) == (0, 0)
    assert told["cards"]["loads_fen"] == town.loaded_fen
    assert told["cards"]["spends_fen"] == town.charged_fen
    assert told["cards"]["difference_fen"] == 0
    sums = {row["code"]: row["balance_fen"] for row in told["rows"]}
    assert sums[2001] == town.loaded_fen - town.charged_fen


def test_before_the_first_transfer_the_float_is_empty(client, operator):
    told = client.get("/api/float?at=2026-03-02T19:59:59", headers=operator).json()
    assert (told["number"], told["rows"], told["assets_fen"]) == (0, [], 0)
    assert told["at"] == "2026-03-02T19:59:59"


def test_days_lead_up_to_the_moment(client, operator, town):
    days = client.get("/api/float/days?until=2026-03-03&days=3", headers=operator).json()["days"]
    assert [(day["day"], day["cards_fen"]) for day in days] == [
        ("2026-03-01", 0),
        ("2026-03-02", town.loaded_fen - town.charged_fen),
        ("2026-03-03", town.loaded_fen - town.charged_fen),
    ]
    assert {day["difference_fen"] for day in days} == {0}


def test_a_line_leads_to_its_accounts_page_by_page(client, operator, town):
    found, after = [], ""
    while True:
        query = f"?limit=3&after={after}"
        told = client.get(f"/api/float/2001/accounts{query}", headers=operator).json()
        found += told["accounts"]
        after = told["after"]
        if not after:
            break
    assert [one["owner"] for one in found] == [*town.cards, ""]
    assert sum(one["balance_fen"] for one in found) == town.loaded_fen - town.charged_fen


def test_at_an_earlier_moment_there_is_no_account_yet(client, operator):
    told = client.get("/api/float/2001/accounts?at=2026-03-01T00:00", headers=operator).json()
    assert told["accounts"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/api/float?at=noon",
        "/api/float?at=2026-03-02T10:00%2B08:00",
        "/api/float/days?days=0",
        "/api/float/cards/accounts",
        "/float?at=x",
    ],
)
def test_what_is_no_moment_and_no_code_is_refused(client, operator, path):
    assert client.get(path, headers=operator).status_code == 422


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OPERATOR, 200), (Role.AUDITOR, 200), (Role.CLERK, 403), (Role.PARTNER, 403), (Role.CITIZEN, 403)],
)
def test_the_float_is_for_operators_and_auditors(client, bearer, role, status):
    for path in ("/float", "/float/2001", "/api/float", "/api/float/days", "/api/float/2001/accounts"):
        assert client.get(path, headers=bearer[role]).status_code == status


def test_an_empty_city_has_a_float_of_nothing(empty_city):
    from citycard.city.floatview import float_statement

    assert float_statement(empty_city).rows == ()
