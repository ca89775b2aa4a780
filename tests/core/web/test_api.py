"""What programs are told: true to the books, and as the description says."""

from __future__ import annotations

import re
import typing
from collections import defaultdict

import attrs
import jsonschema
import pytest

from citycard.clearing.run import clear
from citycard.terminal.record import RecordKind
from citycard.web.application import CORE_ENDPOINTS
from citycard.web.sources import DayBook

RECORD = "990100000001-1-3"


@pytest.fixture(scope="module")
def document(running):
    return running.get("/openapi.json").json()


def addresses(town):
    return {
        "/api/day": "/api/day",
        "/api/partners": "/api/partners",
        "/api/partners/{partner}/statement": f"/api/partners/{town.operators[0]}/statement",
        "/api/plugins": "/api/plugins",
        "/api/cards/{asn}": f"/api/cards/{town.cards[0]}",
        "/api/cards/{asn}/records/{record}": f"/api/cards/{town.cards[0]}/records/{RECORD}",
        "/api/health": "/api/health",
        "/api/bank/reconciliation": "/api/bank/reconciliation",
        "/api/bank/payments": "/api/bank/payments?state=instructed",
        "/api/bank/statements": "/api/bank/statements",
        "/api/bank/lines": "/api/bank/lines",
        "/api/bank/exceptions": "/api/bank/exceptions?code=M01",
        "/api/bank/exceptions/{case}": f"/api/bank/exceptions/{town.case}",
        "/api/interconnect": "/api/interconnect",
        "/api/interconnect/cities/{code}": "/api/interconnect/cities/9902",
        "/api/accounts/{number}": f"/api/accounts/{town.cards[0]}",
        "/api/accounts/holds/{hold}": f"/api/accounts/holds/{town.hold}",
        "/api/accounts/partners/{partner}/charges": f"/api/accounts/partners/{town.operators[0]}/charges",
        "/api/subsidies": "/api/subsidies",
        "/api/subsidies/{programme}": f"/api/subsidies/{town.programme}",
        "/api/points": "/api/points",
        "/api/wallet/seals": "/api/wallet/seals",
        "/park/visits/{gate}": "/park/visits/west",
    }


def test_the_description_names_every_endpoint_with_its_permission(document):
    described = {
        (path, method.upper()): operation["x-permission"]
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    expected = {
        (item.path, method): item.route.permission for item in CORE_ENDPOINTS for method in item.route.methods
    }
    assert expected.items() <= described.items()
    assert described["/park/visits/{gate}", "GET"] == "park.read-visits"


def test_the_description_is_openapi_3_1(document):
    assert document["openapi"] == "3.1.0"
    assert document["info"]["title"] == "Haibin city card"
    operations = [operation for path in document["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            declared = {item["name"] for item in operation["parameters"] if item["in"] == "path"}
            assert declared == set(re.findall(r"\{(\w+)\}", path))
            assert {"200", "default"} <= set(operation["responses"])
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_every_reference_leads_somewhere(document):
    references = set(re.findall(r"'\$ref': '#/components/(\w+)/(\w+)'", str(document)))
    assert references
    assert [name for kind, name in references if name not in document["components"][kind]] == []


def test_every_answer_is_as_described(client, operator, document, town):
    for template, path in addresses(town).items():
        schema = document["paths"][template]["get"]["responses"]["200"]["content"]["application/json"][
            "schema"
        ]
        answer = client.get(path, headers=operator)
        assert (path, answer.status_code) == (path, 200)
        jsonschema.validate(answer.json(), {**schema, "components": document["components"]})


def test_a_problem_is_as_described(client, document):
    schema = document["components"]["responses"]["Problem"]["content"]["application/problem+json"]["schema"]
    problem = {"incident": None} | client.get("/nowhere").json()
    jsonschema.validate(problem, {**schema, "components": document["components"]})


def test_the_day_adds_up_to_what_was_tapped(client, town):
    day = client.get("/api/day").json()
    kinds = [tap[3] for tap in town.taps]
    entries, opened = kinds.count(RecordKind.ENTRY), kinds.count(RecordKind.OPENED)
    taps = len(kinds) - opened
    assert (day["day"], day["taps"], day["rides"]) == (str(town.day), taps, taps - entries)
    assert day["opened"] == opened
    assert (day["cards"], day["charged_fen"]) == (len(town.cards), town.charged_fen)
    assert sum(period["taps"] for period in day["periods"]) == taps
    assert sum(period["entries"] for period in day["periods"]) == entries
    assert sum(take["charged_fen"] for take in day["operators"]) == town.charged_fen
    assert sum(band["rides"] for band in day["fares"]) == day["rides"]
    assert sum(state["records"] for state in day["states"]) == len(kinds)


def test_a_day_is_read_again_only_when_something_was_written(waiting_city):
    days = DayBook(waiting_city)
    before, again = days.read(None), days.read(None)
    clear(waiting_city)
    after = days.read(None)
    assert (again is before, before.taps, after.taps) == (True, 0, 8)


def test_the_periods_are_evenly_spaced_and_without_holes(client):
    begins = [period["begins"] for period in client.get("/api/day").json()["periods"]]
    assert begins == sorted(begins)
    assert (begins[0], begins[1], begins[-1], len(begins)) == (
        "2026-03-02T06:00:00",
        "2026-03-02T06:10:00",
        "2026-03-02T07:30:00",
        10,
    )


def test_every_fen_that_was_loaded_is_somewhere(client, town):
    money = client.get("/api/day").json()["float"]
    assert (money["loads_fen"], money["difference_fen"]) == (town.loaded_fen, 0)
    assert money["cards_fen"] == town.loaded_fen - town.charged_fen
    assert money["settled_fen"] + money["fees_fen"] == town.charged_fen


def test_files_that_came_twice_are_counted_as_such(client):
    files = [(one["state"], one["code"], one["files"]) for one in client.get("/api/day").json()["files"]]
    assert files == [("accepted", "OK", 2), ("duplicate", "F04", 1)]


def test_another_day_is_empty_and_the_float_is_as_of_now(client, town):
    day = client.get("/api/day?day=2026-03-01").json()
    assert (day["day"], day["taps"], day["periods"], day["days"]) == ("2026-03-01", 0, [], [str(town.day)])
    assert day["float"]["loads_fen"] == town.loaded_fen


def test_partners_are_paid_what_their_terminals_took_less_the_fee(client, operator, town):
    partners = {one["id"]: one for one in client.get("/api/partners", headers=operator).json()["partners"]}
    gross = {"harbour-ferry": 350 + 275 + 1200, "park-gates": 200}
    assert {name: one["gross_fen"] for name, one in partners.items()} == gross
    assert {name: one["fee_fen"] for name, one in partners.items()} == {"harbour-ferry": 18, "park-gates": 2}
    assert [one["gross_fen"] - one["fee_fen"] - one["net_fen"] for one in partners.values()] == [0, 0]
    assert [(one["unpaid_fen"], one["has_account"]) for one in partners.values()] == [(0, True), (0, True)]


def test_a_statement_adds_up_to_the_partner(client, operator):
    answer = client.get("/api/partners/harbour-ferry/statement", headers=operator).json()
    (run,) = answer["statements"]
    assert (run["gross_fen"], run["net_fen"]) == (
        answer["partner"]["gross_fen"],
        answer["partner"]["net_fen"],
    )
    assert sum(day["gross_fen"] for day in run["days"]) == run["gross_fen"]
    assert sum(code["records"] for code in run["codes"]) == 6


def test_a_card_shows_its_purse_and_its_journeys_in_order(client, operator, town):
    card = client.get(f"/api/cards/{town.cards[0]}", headers=operator).json()
    assert (card["balance_fen"], card["loaded_fen"], card["spent_fen"]) == (4650, 5000, 350)
    assert [(tap["kind"], tap["amount_fen"], tap["balance_after_fen"]) for tap in card["journeys"]] == [
        ("entry", 0, 5000),
        ("exit", 350, 4650),
        ("single", 0, 4650),
    ]
    assert [tap["place"] for tap in card["journeys"]] == ["Ferry · North Pier", "Ferry · North Pier", ""]
    assert card["journeys"][2]["partner"] == "Park & <Gates>"


def test_a_record_is_explained_from_the_file_to_the_bank(client, operator, town):
    record = client.get(f"/api/cards/{town.cards[0]}/records/{RECORD}", headers=operator).json()
    assert (record["tac"], record["terminal_mac"], record["same_rules"], record["failure"]) == (
        True,
        True,
        True,
        "",
    )
    assert (record["file"], record["line"], record["run"]) == ("990100000001.ccb", 3, 1)
    assert [posting["debit"] for posting in record["postings"]][:2] == [
        "cards/spent",
        "control/window",
    ]
    assert (record["shares"], record["off"]) == ([{"partner": "Harbour Ferry", "amount_fen": 350}], None)
    (payment,) = record["payments"]
    assert (payment["partner"], payment["amount_fen"]) == ("Harbour Ferry", 1807)


def test_plugins_are_listed_with_state_and_claims(client, operator, switch):
    # Other tests make it fail; switched off and on again, it counts its failures anew.
    switch("disabled")
    switch("enabled")
    listed = client.get("/api/plugins", headers=operator).json()["plugins"]
    park = next(one for one in listed if one["name"] == "park")
    assert (park["distribution"], park["version"], park["state"]) == ("citycard-park", "0.3", "enabled")
    assert {"kind": "service", "name": "park-gate"} in park["claims"]


def test_an_empty_city_has_a_day_of_nothing(empty_city):
    from starlette.testclient import TestClient

    from citycard.web import create_app

    with TestClient(create_app(empty_city)) as client:
        day = client.get("/api/day").json()
        page = client.get("/", headers={"accept": "text/html"})
    assert (day["day"], day["taps"], day["float"], day["fares"], day["states"]) == (None, 0, None, [], [])
    assert (page.status_code, "No taps yet" in page.text, "<svg role" in page.text) == (200, True, False)


def test_no_two_records_share_a_name_in_the_description():
    found = defaultdict(set)

    def walk(kind):
        if isinstance(kind, type) and attrs.has(kind):
            if kind not in found[kind.__name__]:
                found[kind.__name__].add(kind)
                for inside in typing.get_type_hints(kind).values():
                    walk(inside)
        else:
            for inside in typing.get_args(kind):
                walk(inside)

    for item in CORE_ENDPOINTS:
        for kind in (item.query, item.route.request, item.route.response):
            walk(kind)
    assert {name: kinds for name, kinds in found.items() if len(kinds) > 1} == {}
