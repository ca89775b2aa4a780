"""Who gets in where: every role at every endpoint, bearer tokens, and what is told to whom."""

from __future__ import annotations

import pytest

from citycard.store import writing
from citycard.web.application import CORE_ENDPOINTS
from citycard.web.permissions import PUBLIC, ROLES, Role
from citycard.web.tokens import grant, revoke

NOBODY = "00000000-0000-4000-8000-000000000000"
GETS = [item for item in CORE_ENDPOINTS if "GET" in item.route.methods]


def fill(path, town):
    return (
        path.replace("{asn}", town.cards[0])
        .replace("{partner}", town.operators[0])
        .replace("{record}", "990100000001-1-3")
        .replace("{case}", town.case)
        .replace("{number}", town.cards[0])
        .replace("{hold}", town.hold)
        .replace("{programme}", town.programme)
        .replace("{code}", "2001")
        .replace("{agent}", town.operators[0])
        .replace("{provider}", "nobody")
        .replace("{refund}", NOBODY)
        .replace("{order}", NOBODY)
        .replace("{transfer}", NOBODY)
        .replace("{dispute}", NOBODY)
        .replace("{piece}", NOBODY)
        .replace("{run}", "1")
    )


_NOT_HERE = (
    "{agent}",
    "{refund}",
    "{order}",
    "{transfer}",
    "{dispute}",
    "{upload}",
    "chargebacks/",
    "exceptions/",
    "interconnect/",
)


def opened(path, status):
    """Tell a role that may ask, and is told that this town has none, from one that may not."""
    none = status == 404 and any(word in path for word in _NOT_HERE)
    return 200 if none else status


@pytest.mark.parametrize("role", Role)
def test_every_role_gets_exactly_what_its_permissions_open(client, town, bearer, role):
    answers = {
        item.path: opened(
            item.path, client.get(fill(item.path, town), headers=bearer.get(role, {})).status_code
        )
        for item in GETS
    }
    refused = 401 if role is Role.PUBLIC else 403
    expected = {item.path: 200 if item.route.permission in ROLES[role] else refused for item in GETS}
    assert answers == expected


def test_every_endpoint_names_a_permission_that_exists():
    assert {item.route.permission for item in CORE_ENDPOINTS} <= frozenset().union(*ROLES.values())


def test_what_is_public_names_no_card_and_no_token(client, town, bearer):
    secrets = [header["authorization"].partition(" ")[2] for header in bearer.values()]
    public = [fill(item.path, town) for item in GETS if item.route.permission == PUBLIC]
    for path in public:
        text = client.get(path).text
        assert [word for word in (*town.cards, *secrets) if word in text] == []


@pytest.mark.parametrize("page", ["/partners/{}", "/api/partners/{}/statement"])
def test_a_partner_reads_its_own_statement_and_no_other(client, town, bearer, page):
    answers = [
        client.get(page.format(name), headers=bearer[Role.PARTNER]).status_code
        for name in (*town.operators, "nobody")
    ]
    assert answers == [200, 403, 403]


@pytest.mark.parametrize("page", ["/cards/{}", "/api/cards/{}", "/api/cards/{}/records/990100000001-1-3"])
def test_a_citizen_sees_the_own_card_and_no_other(client, town, bearer, page):
    answers = [
        client.get(page.format(asn), headers=bearer[Role.CITIZEN]).status_code
        for asn in (*town.cards[:2], "0" * 20)
    ]
    assert answers == [200, 403, 403]


def test_a_citizens_search_finds_the_own_card_only(client, town, bearer):
    text = client.get("/cards?q=0310", headers=bearer[Role.CITIZEN]).text
    assert [asn for asn in town.cards if asn in text] == [town.cards[0]]


def test_a_record_of_another_card_is_not_shown_under_the_own_one(client, town, bearer):
    other = "990100000001-1-4"  # the second card's exit
    answer = client.get(f"/api/cards/{town.cards[0]}/records/{other}", headers=bearer[Role.CITIZEN])
    assert (answer.status_code, town.cards[1] in answer.text) == (404, False)


@pytest.mark.parametrize(
    "header", ["Bearer wrong", "Bearer ", "Bearer ccard_000000000000_x", "Basic YTpi", "bearer", ""]
)
def test_a_bearer_token_that_is_not_valid_is_refused_even_where_none_is_needed(client, header):
    answer = client.get("/api/day", headers={"authorization": header})
    assert (answer.status_code, answer.headers["www-authenticate"], answer.json()["type"]) == (
        401,
        "Bearer",
        "/api#token-refused",
    )


def test_a_revoked_token_is_refused_at_once(client, city, town):
    with writing(city.engine) as conn:
        access, secret = grant(conn, role=Role.AUDITOR, days=1, at=town.now)
    header = {"authorization": f"Bearer {secret}"}
    before = client.get("/api/partners", headers=header).status_code
    with writing(city.engine) as conn:
        revoke(conn, access.id, at=town.now)
    assert (before, client.get("/api/partners", headers=header).status_code) == (200, 401)


def test_why_a_part_is_not_well_is_told_only_to_those_who_may_know(client, switch, bearer):
    client.get("/park/broken")
    for role, told in ((Role.CLERK, False), (Role.OPERATOR, True)):
        parts = client.get("/api/health", headers=bearer[role]).json()["parts"]
        park = next(part for part in parts if part["name"] == "plugin park")
        assert (park["well"], "duck pond" in park["words"]) == (False, told)
        assert park["words"]
    switch("disabled")
