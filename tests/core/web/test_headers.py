from __future__ import annotations

import pytest

from citycard.web.headers import SECURITY_HEADERS, masked


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/api/day",
        "/openapi.json",
        "/static/citycard.css",
        "/nowhere",
        "/park",
        "/park/broken",
        "/cards",
        "/sign-in",
    ],
)
def test_every_answer_carries_the_security_headers(client, path):
    headers = client.get(path).headers
    assert {name: headers.get(name) for name in SECURITY_HEADERS} == dict(SECURITY_HEADERS)


def test_nothing_but_our_own_style_sheet_may_be_loaded():
    policy = SECURITY_HEADERS["content-security-policy"]
    assert "default-src 'none'" in policy
    assert [
        word
        for word in ("unsafe-inline", "unsafe-eval", "script-src", "http:", "data:", "*")
        if word in policy
    ] == []


@pytest.mark.parametrize("path", ["/", "/cards", "/partners", "/plugins", "/api", "/sign-in", "/nowhere"])
def test_no_page_needs_what_the_policy_forbids(client, operator, path):
    text = client.get(path, headers=operator | {"accept": "text/html"}).text
    assert [
        word for word in ("<script", " style=", "onclick", "javascript:", "http://", "//cdn") if word in text
    ] in ([], ["http://"])
    assert "<style" not in text


def test_pages_are_not_kept_by_anybody(client, operator, town):
    assert client.get(f"/cards/{town.cards[0]}", headers=operator).headers["cache-control"] == "no-store"


def test_our_own_forms_are_sent_with_their_origin_and_no_token_goes_to_another_site():
    assert SECURITY_HEADERS["referrer-policy"] == "same-origin"


def test_files_are_kept_and_asked_for_again(client):
    first = client.get("/static/citycard.css")
    again = client.get("/static/citycard.css", headers={"if-none-match": first.headers["etag"]})
    assert (first.headers["cache-control"], again.status_code) == ("no-cache", 304)


def test_a_path_is_logged_without_the_numbers_of_cards():
    assert masked("/cards/03109901000000000001/records/990100000001-1-3") == "/cards/…/records/…-1-3"
