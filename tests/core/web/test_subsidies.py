"""The pages of subsidy programmes: who may see them, and what they say."""

from __future__ import annotations

import pytest
from lxml import html

from citycard.web.permissions import Role


@pytest.mark.parametrize(
    ("role", "status"),
    [(Role.OPERATOR, 200), (Role.CLERK, 200), (Role.AUDITOR, 200), (Role.CITIZEN, 403), (Role.PARTNER, 403)],
)
def test_programmes_are_for_the_citys_people(client, bearer, role, status):
    for path in ("/subsidies", "/subsidies/meals"):
        assert client.get(path, headers=bearer[role] | {"accept": "text/html"}).status_code == status


def test_a_programme_says_who_pays_and_where_it_can_be_spent(client, operator):
    for lang, title in (("en", "Meals"), ("zh", "餐补")):
        answer = client.get(
            "/subsidies/meals", headers=operator | {"accept": "text/html", "accept-language": lang}
        )
        page = html.fromstring(answer.text)
        assert page.xpath("//h1")[0].text_content() == title
        assert "park-gates" in answer.text
        assert "Office" in answer.text


def test_a_programme_nobody_made_is_not_there(client, operator):
    answer = client.get("/api/subsidies/gone", headers=operator)
    assert (answer.status_code, answer.json()["type"]) == (404, "/api#programme-unknown")
    nobody = {"id": "018f4e2a-7c1b-7d3a-9f00-5a6b7c8d9e0f", "batch": "2026-11", "grants": []}
    answer = client.post("/api/subsidies/gone/grants", headers=operator, json=nobody)
    assert (answer.status_code, answer.json()["type"]) == (404, "/api#programme-unknown")


def test_clerks_grant_and_do_not_fund(client, bearer):
    body = {"id": "018f4e2a-7c1b-7d3a-9f00-5a6b7c8d9e0f", "amount_fen": 5}
    assert client.post("/api/subsidies/meals/funds", headers=bearer[Role.CLERK], json=body).status_code == 403
