"""Plugins come and go while the server runs, and one that breaks takes nobody down."""

from __future__ import annotations

import threading
import time

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from citycard.store import writing
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.switchboard import Switchboard
from citycard.web.tokens import grant


@pytest.fixture
def town_app(empty_city):
    """A server of its own whose plugins are switched; a second has passed at every look."""
    return create_app(empty_city)


def look_again(app):
    """Make the next request look at the plugins' states, as it would a second later."""
    app.state.web.switchboard._followed = 0.0


def test_a_plugins_endpoints_are_under_its_name(client):
    assert client.get("/park").text == client.get("/park/", follow_redirects=True).text == "Haibin for public"


def test_the_core_enforces_the_permission_an_endpoint_names(client, bearer):
    answers = {
        role: client.get("/park/visits/west", headers=bearer.get(role, {})).status_code for role in Role
    }
    expected = dict.fromkeys(Role, 403) | {Role.PUBLIC: 401, Role.OPERATOR: 200, Role.AUDITOR: 200}
    assert answers == expected


def test_an_endpoint_answers_with_records(client, operator):
    assert client.get("/park/visits/west", headers=operator).json() == {"gate": "west", "inside": 7}


def test_a_person_sees_an_endpoints_answer_as_a_page(browser, operator):
    answer = browser.get("/park/visits/<west>", headers=operator | {"accept-language": "zh"})
    assert answer.headers["content-type"].startswith("text/html")
    assert (
        "<dt>gate</dt><dd>&lt;west&gt;</dd>" in answer.text,
        "<dt>inside</dt><dd>7</dd>" in answer.text,
    ) == (True, True)
    assert "<h1>How many people came in at a gate</h1>" in answer.text


def test_a_plain_function_is_an_endpoint_too(client):
    assert client.get("/park/plain").text == "from a thread"


def test_an_endpoint_can_ask_for_more(client, operator):
    assert client.get("/park/mine", headers=operator).text == "yes"


def test_a_form_of_a_plugin_is_guarded_and_a_token_needs_no_form(browser, tokens, operator):
    assert browser.post("/park/ducks", content=b"bread", headers=operator).json() == {"fed": 5}
    browser.get("/sign-in", params={"token": tokens[Role.OPERATOR]})
    refused = browser.post("/park/ducks", content=b"bread").status_code
    csrf = browser.get("/").text.partition('name="csrf" value="')[2][:64]
    accepted = browser.post("/park/ducks", content=b"bread", headers={"x-csrf-token": csrf}).status_code
    assert (refused, accepted) == (403, 201)
    # The endpoint reads the whole form, although the core has looked into it before.
    form = f"csrf={csrf}&bread=1"
    answer = browser.post(
        "/park/ducks", content=form, headers={"content-type": "application/x-www-form-urlencoded"}
    )
    assert answer.json() == {"fed": len(form)}


def test_static_files_of_a_plugin_are_found_by_looking(client):
    assert client.get("/park/static/pond.txt").text == "the duck pond\n"
    assert client.get("/park/static/../plugin.py").status_code == 404
    assert client.get("/park/static/%2e%2e/plugin.py").status_code == 404


def test_words_of_a_plugin_are_said_in_the_readers_language(browser):
    assert "公园概览。" in browser.get("/api?lang=zh").text


def test_the_menu_shows_a_plugins_entry_to_who_may_use_it(client, operator, bearer):
    html = {"accept": "text/html"}
    shown = [
        'href="/park/plain"' in client.get("/", headers=header | html).text
        for header in (operator, bearer[Role.CLERK], {})
    ]
    assert shown == [True, False, False]
    assert "入园人数" in client.get("/?lang=zh", headers=operator | html).text


def test_the_menu_shows_a_partner_what_concerns_it_and_no_other(client, city, operator, bearer):
    with writing(city.engine) as conn:
        other = grant(conn, role=Role.PARTNER, days=1, at=city.clock.now(), subject="metro-1")[1]
    html = {"accept": "text/html"}
    shown = [
        'href="/park/address"' in client.get("/", headers=header | html).text
        for header in (bearer[Role.PARTNER], {"authorization": f"Bearer {other}"}, operator, {})
    ]
    assert shown == [True, False, True, True]


def test_reverse_addresses_know_the_plugin(client):
    assert client.get("/park/address").text == "/park/visits/west"


def test_a_failure_is_counted_and_only_that_request_fails(town_app, empty_city):
    with TestClient(town_app, raise_server_exceptions=False) as client:
        statuses = [
            client.get(path).status_code for path in ("/park/broken", "/park/wrong", "/park/plain", "/")
        ]
    assert statuses == [500, 500, 200, 200]
    report = empty_city.plugins.report("park")
    assert (report.failures, report.state.value) == (1, "failed")


def test_switching_off_and_on_needs_no_restart(town_app, empty_city):
    with TestClient(town_app) as client:
        statuses = []
        for switch in (None, empty_city.plugins.disable, empty_city.plugins.enable):
            if switch:
                switch("park", by="test")
            look_again(town_app)
            statuses.append(client.get("/park/plain").status_code)
    assert statuses == [200, 404, 200]


def test_what_is_off_is_named_and_what_was_never_there_is_not_found(town_app, empty_city):
    empty_city.plugins.disable("park", by="test")
    with TestClient(town_app) as client:
        off, unknown = client.get("/park/plain").json(), client.get("/zoo/lions").json()
        listed = client.get("/openapi.json").json()["paths"]
    assert off["detail"] == "the plugin park is not enabled here: it is disabled"
    assert (unknown["status"], unknown["type"]) == (404, "about:blank")
    assert "/park/plain" not in listed


def test_another_process_switches_and_this_one_follows_within_a_second(town_app, empty_city):
    from citycard.city import City

    with TestClient(town_app) as client:
        other = City.open(empty_city.folder)
        before = client.get("/park/plain").status_code
        other.plugins.disable("park", by="another process")
        other.close()
        deadline = time.monotonic() + 3
        while client.get("/park/plain").status_code == 200 and time.monotonic() < deadline:
            time.sleep(0.1)
        after = client.get("/park/plain").status_code
    assert (before, after) == (200, 404)


def test_a_request_in_flight_ends_on_the_plugin_it_began_with(town_app, empty_city):
    with TestClient(town_app) as client:
        answers = []
        slow = threading.Thread(target=lambda: answers.append(client.get("/park/slow")))
        slow.start()
        time.sleep(0.1)
        empty_city.plugins.disable("park", by="test")
        look_again(town_app)
        refused = client.get("/park/plain").status_code
        slow.join()
    assert (refused, answers[0].status_code, answers[0].text) == (404, 200, "/park/visits/west")


def test_a_plugin_on_its_way_up_says_come_again(town_app, empty_city, monkeypatch):
    with TestClient(town_app) as client:
        empty_city.plugins.disable("park", by="test")
        look_again(town_app)
        client.get("/park/plain")
        empty_city.plugins.enable("park", by="test")
        # Before the next look the plugin is wanted, and its lifespan not yet entered.
        answer = client.get("/park/plain")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert "being started" in answer.json()["detail"]


def test_a_websocket_is_closed_politely(client):
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/park/plain"):
        pass


def test_the_map_is_replaced_and_never_edited(empty_city):
    switchboard = Switchboard(empty_city)
    before = switchboard._map
    switchboard._replace()
    assert switchboard._map is before
    empty_city.plugins.disable("park", by="test")
    switchboard._replace()
    assert ("park" in before.live, "park" in switchboard._map.live) == (True, False)
