"""Whatever anybody asks for with GET, the server answers, and never with an error of its own."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.web.application import CORE_ENDPOINTS

GETS = sorted(item.path for item in CORE_ENDPOINTS if "GET" in item.route.methods)
# What people and machines really try, and everything else.
WORDS = st.one_of(
    st.sampled_from(
        [
            "",
            "0",
            "-1",
            "2018-09-01",
            "0001-01-01",
            "9999-12-31",
            "03109901000000000001",
            "%",
            "_",
            "'",
            "\x00",
            "..",
            "999999999999-9999999999-9999999999",
            "harbour-ferry",
            "zh",
            "１２３",
        ]
    ),
    st.text(max_size=30),
)
NAMES = st.one_of(
    st.sampled_from(["day", "q", "lang", "next", "limit", "csrf", "token", "state", "code", "statement"]),
    st.text(max_size=8),
)
QUERIES = st.lists(st.tuples(NAMES, WORDS), max_size=4).map(lambda pairs: urlencode(pairs, errors="replace"))
SETTINGS = settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])


def segment(text):
    return quote(text, safe="", errors="replace")


@pytest.fixture(params=["nobody", "operator"])
def somebody(request, client, operator):
    headers = operator if request.param == "operator" else {}
    return lambda path, accept: client.get(f"http://testserver{path}", headers=headers | {"accept": accept})


@SETTINGS
@given(
    st.sampled_from(GETS),
    st.lists(WORDS, min_size=4, max_size=4),
    QUERIES,
    st.sampled_from(["*/*", "text/html"]),
)
def test_no_input_to_an_endpoint_breaks_the_server(somebody, path, values, query, accept):
    for name, value in zip(("{asn}", "{partner}", "{record}", "{case}"), values, strict=True):
        path = path.replace(name, segment(value))
    assert somebody(f"{path}?{query}", accept).status_code < 500


@SETTINGS
@given(st.lists(WORDS, max_size=4), QUERIES, st.sampled_from(["*/*", "text/html"]))
def test_no_address_at_all_breaks_the_server(somebody, segments, query, accept):
    path = "/" + "/".join(segment(one) for one in segments)
    assert somebody(f"{path}?{query}", accept).status_code < 500


@SETTINGS
@given(
    st.dictionaries(
        st.sampled_from(["accept", "accept-language", "cookie", "authorization", "origin", "x-csrf-token"]),
        st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=60),
    ),
    st.sampled_from(["/", "/cards", "/api/day", "/sign-in", "/park/plain"]),
)
def test_no_header_breaks_the_server(client, headers, path):
    assert client.get(path, headers=headers).status_code < 500


@SETTINGS
@given(
    st.binary(max_size=200),
    st.sampled_from(["application/x-www-form-urlencoded", "text/plain", "multipart/form-data"]),
)
def test_no_form_breaks_the_server(client, body, kind):
    for path in ("/sign-in", "/sign-out"):
        assert client.post(path, content=body, headers={"content-type": kind}).status_code < 500
