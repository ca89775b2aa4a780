from __future__ import annotations

import logging
import re

import pytest
from starlette.testclient import TestClient

from citycard.web import create_app
from citycard.web.forms import FORM_COOKIE, SESSION_COOKIE
from citycard.web.limits import Attempts
from citycard.web.permissions import Role

CSRF = re.compile(r'name="csrf" value="([0-9a-f]{64})"')


def csrf_of(answer):
    return CSRF.search(answer.text)[1]


def sign_in(browser, secret, **more):
    form = browser.get("/sign-in", params=more)
    return browser.post("/sign-in", data={"csrf": csrf_of(form), "token": secret, **more})


def test_a_link_is_exchanged_for_a_cookie_and_left(browser, tokens):
    answer = browser.get("/sign-in", params={"token": tokens[Role.OPERATOR], "next": "/cards"})
    cookie = answer.headers["set-cookie"]
    assert (answer.status_code, answer.headers["location"]) == (303, "/cards")
    assert cookie.startswith(f"{SESSION_COOKIE}=cview_")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Max-Age=43200" in cookie
    assert browser.get("/cards").status_code == 200


def test_a_link_followed_from_another_site_goes_on_by_a_page_of_our_own(browser, tokens):
    answer = browser.get(
        "/sign-in", params={"token": tokens[Role.OPERATOR]}, headers={"sec-fetch-site": "cross-site"}
    )
    assert (answer.status_code, 'http-equiv="refresh"' in answer.text) == (200, True)
    assert browser.get("/cards").status_code == 200


def test_under_https_the_cookie_is_secure(app, tokens):
    client = TestClient(app, base_url="https://city.test", follow_redirects=False)
    answer = client.get("/sign-in", params={"token": tokens[Role.CLERK]})
    assert "Secure" in answer.headers["set-cookie"]


def test_the_form_signs_in_and_the_page_wanted_comes_next(browser, tokens):
    answer = sign_in(browser, f" {tokens[Role.AUDITOR]}\n", next="/partners")
    assert (answer.status_code, answer.headers["location"]) == (303, "/partners")
    assert "Auditor" in browser.get("/partners").text


@pytest.mark.parametrize(
    "wish", ["https://evil.test/", "//evil.test", "/\\evil.test", "javascript:x", "/sign-out", ""]
)
def test_nobody_is_sent_to_another_site(browser, tokens, wish):
    answer = browser.get("/sign-in", params={"token": tokens[Role.CLERK], "next": wish})
    assert answer.headers["location"] == "/"


def test_a_page_that_needs_somebody_shows_the_form_and_remembers_itself(browser, town):
    answer = browser.get(f"/cards/{town.cards[0]}")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")
    assert f'name="next" value="/cards/{town.cards[0]}"' in answer.text


def test_a_wrong_token_shows_the_form_again_and_says_so(browser):
    answer = sign_in(browser, "ccard_000000000000_guess")
    assert (answer.status_code, "not valid" in answer.text, "guess" in answer.text) == (401, True, False)


def test_signing_out_ends_the_session_in_the_store_too(browser, tokens):
    browser.get("/sign-in", params={"token": tokens[Role.OPERATOR]})
    stolen = browser.cookies[SESSION_COOKIE]
    answer = browser.post("/sign-out", data={"csrf": csrf_of(browser.get("/"))})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    browser.cookies.set(SESSION_COOKIE, stolen)
    assert browser.get("/cards").status_code == 401


def test_a_session_of_another_day_is_merely_not_signed_in(browser):
    browser.cookies.set(SESSION_COOKIE, "cview_000000000000_old")
    assert (browser.get("/").status_code, browser.get("/cards").status_code) == (200, 401)


def test_a_form_without_its_token_is_refused(browser, tokens):
    browser.get("/sign-in")
    answers = [
        browser.post("/sign-in", data={"token": tokens[Role.OPERATOR], "csrf": csrf}).status_code
        for csrf in ("", "0" * 64, "ä")
    ]
    assert (answers, SESSION_COOKIE in browser.cookies) == ([403, 403, 403], False)


def test_a_form_token_belongs_to_one_browser(browser, app, tokens):
    foreign = csrf_of(browser.get("/sign-in"))
    other = TestClient(app, headers={"accept": "text/html"}, follow_redirects=False)
    other.get("/sign-in")
    answer = other.post("/sign-in", data={"token": tokens[Role.OPERATOR], "csrf": foreign})
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "header",
    [
        {"origin": "https://evil.test"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_another_site_is_refused_even_with_its_token(browser, tokens, header):
    form = {"csrf": csrf_of(browser.get("/sign-in")), "token": tokens[Role.OPERATOR]}
    assert browser.post("/sign-in", data=form, headers=header).status_code == 403
    assert browser.post("/sign-in", data=form, headers={"origin": "http://testserver"}).status_code == 303


def test_a_form_without_a_cookie_is_refused(browser, tokens):
    csrf = csrf_of(browser.get("/sign-in"))
    browser.cookies.delete(FORM_COOKIE)
    assert browser.post("/sign-in", data={"csrf": csrf, "token": tokens[Role.CLERK]}).status_code == 403


def test_a_form_that_is_too_large_is_not_read(browser):
    browser.get("/sign-in")
    answer = browser.post("/sign-in", data={"token": "x" * 70_000})
    assert (answer.status_code, "65536" in answer.text) == (413, True)


def test_too_many_wrong_tokens_from_one_address_have_to_wait(city, tokens):
    clock = [1000.0]
    app = create_app(city, attempts=Attempts(allowed=3, span_s=60, clock=lambda: clock[0]))
    client = TestClient(app, follow_redirects=False)
    link = {"token": tokens[Role.CLERK]}
    statuses = [client.get("/sign-in", params={"token": "wrong"}).status_code for _ in range(4)]
    refused = client.get("/sign-in", params=link)
    # Machines behind the same address that have a valid token are not locked out.
    bearer = client.get("/api/day", headers={"authorization": f"Bearer {link['token']}"})
    clock[0] += 60
    later = client.get("/sign-in", params=link)
    assert statuses == [401, 401, 401, 429]
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert (bearer.status_code, later.status_code) == (200, 303)


def test_no_token_is_ever_logged(browser, tokens, town, operator, caplog):
    caplog.set_level(logging.DEBUG)
    browser.get("/sign-in", params={"token": tokens[Role.OPERATOR]})
    browser.get("/sign-in", params={"token": "ccard_000000000000_wrong"})
    browser.get(f"/cards/{town.cards[0]}")
    browser.get(f"/park/broken?token={tokens[Role.OPERATOR]}")
    ours = "\n".join(record.getMessage() for record in caplog.records if record.name.startswith("citycard"))
    secret = tokens[Role.OPERATOR].rpartition("_")[2]
    assert "GET /sign-in 303" in ours
    assert [word for word in (secret, "wrong", "cview_", town.cards[0]) if word in ours] == []
