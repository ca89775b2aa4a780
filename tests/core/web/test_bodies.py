"""JSON bodies: read strictly into records, and told in one problem when they do not fit."""

from __future__ import annotations

import datetime as dt
import json
from enum import StrEnum
from uuid import UUID

import attrs
import pytest
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from citycard.errors import BodyInvalid
from citycard.web import read_json
from citycard.web.bodies import LIMIT_BYTES, read_bytes
from citycard.web.endpoints import endpoint
from citycard.web.openapi import describe
from citycard.web.problems import HANDLERS
from citycard.web.schemas import plain

ID = "018f4e2a-7c1b-7d3a-9f00-5a6b7c8d9e0f"


class Source(StrEnum):
    ACCOUNT = "account"
    CASH = "cash"


@attrs.frozen(kw_only=True)
class Line:
    """One line of an order."""

    what: str
    amount_fen: int = attrs.field(validator=attrs.validators.gt(0))


@attrs.frozen(kw_only=True)
class Order:
    """An order as a program sends it."""

    id: UUID
    lines: tuple[Line, ...]
    source: Source = Source.CASH
    day: dt.date | None = None
    at: dt.datetime | None = None
    fast: bool = False


async def take(request):
    return JSONResponse(plain(await read_json(request, Order)))


async def twice(request):
    return JSONResponse([(await read_bytes(request)).decode(), plain(await read_json(request, Order))])


@pytest.fixture(scope="module")
def client():
    routes = [Route("/take", take, methods=["POST"]), Route("/twice", twice, methods=["POST"])]
    app = Starlette(routes=routes, exception_handlers=dict(HANDLERS))
    with TestClient(app, raise_server_exceptions=False) as client:
        yield client


def order(**changed):
    return {"id": ID, "lines": [{"what": "load", "amount_fen": 5000}], **changed}


def line(what, amount_fen):
    return order(lines=[{"what": what, "amount_fen": amount_fen}])


def detail(answer, status=422):
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    return answer.json()["detail"]


def test_a_body_becomes_the_record_that_its_endpoint_expects(client):
    sent = order(source="account", day="2026-03-02", at="2026-03-02T08:30:00+08:00", fast=True)
    answer = client.post("/take", json=sent)
    assert (answer.status_code, answer.json()) == (200, sent)


def test_what_is_left_out_has_its_default(client):
    answer = client.post("/take", json=order())
    assert answer.json() == order(source="cash", day=None, at=None, fast=False)


def test_a_body_may_be_read_more_than_once(client):
    text, read = client.post("/twice", json=order()).json()
    assert (ID in text, read["id"]) == (True, ID)


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (order(amount=1), "body.amount: unknown key (known: id, lines, source, day, at, fast)"),
        ({"id": ID}, "body.lines: missing, expected a list"),
        (order(id="17"), "body.id: expected a UUID such as"),
        (order(id=17), "body.id: expected a UUID such as"),
        (order(fast=1), "body.fast: expected true or false, got a whole number"),
        (order(fast=None), "body.fast: expected true or false, got null"),
        (line(None, 1), "body.lines[0].what: expected a text, got null"),
        (order(day="today"), "body.day: expected a day such as 2018-09-01"),
        (order(at="noon"), "body.at: expected a moment such as"),
        (order(source="gift"), "body.source: expected one of 'account', 'cash'"),
        (line("load", 50.0), "body.lines[0].amount_fen: expected a whole number, got a number"),
        (line("load", "50"), "body.lines[0].amount_fen: expected a whole number, got a text"),
        (line("load", True), "body.lines[0].amount_fen: expected a whole number, got true or false"),
        (line("load", 2**63), "body.lines[0].amount_fen: expected a whole number"),
        (line("load", 0), "body.lines[0]: not valid: 'amount_fen' must be > 0"),
        (line("a\0b", 1), "body.lines[0].what: expected a text"),
        (line("\ud800", 1), "body.lines[0].what: expected a text"),
        ([], "body: expected a JSON object in UTF-8"),
    ],
)  # fmt: skip
def test_a_problem_names_the_field_and_what_was_expected(client, sent, words):
    # Written with escapes alone, as any program may: the library of the client would refuse half a pair.
    answer = client.post("/take", content=json.dumps(sent), headers={"content-type": "application/json"})
    assert detail(answer).startswith(f"this cannot be read: {words}")
    assert answer.json()["type"] == "/api#body-invalid"


def test_every_problem_of_a_body_is_told_at_once(client):
    told = detail(client.post("/take", json={"id": "x", "lines": 5}))
    assert [one.partition(":")[0] for one in told.removeprefix("this cannot be read: ").split("; ")] == [
        "body.id",
        "body.lines",
    ]


def test_every_problem_of_a_body_is_told_in_the_readers_language(client):
    body = {"id": ID, "lines": [{"what": 5, "amount_fen": 1}], "colour": "red"}
    told = client.post("/take", json=body, headers={"accept-language": "zh"}).json()["detail"]
    known = "id, lines, source, day, at, fast"
    assert told.removeprefix("无法读取：").split("；") == [
        "body.lines[0].what：应为：文字，得到的是整数",
        f"body.colour：未知的字段（可用：{known}）",
    ]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "expected a JSON object in UTF-8"),
        (b"{", "expected a JSON object in UTF-8"),
        (b"\xff{}", "expected a JSON object in UTF-8"),
        (b'{"id": 1, "id": 2}', "expected every field once"),
        (b'{"id": NaN}', "expected numbers that JSON has"),
        (b"[" * 30_000, "expected a JSON object in UTF-8"),
    ],
)
def test_what_is_not_json_for_everybody_is_refused(client, body, words):
    answer = client.post("/take", content=body, headers={"content-type": "application/json"})
    assert detail(answer) == f"this cannot be read: body: {words}"


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("", "without its kind"),
        ("text/plain", "as text/plain"),
        ("application/x-www-form-urlencoded", "as application/x-www-form-urlencoded"),
    ],
)
def test_a_body_of_another_kind_is_refused(client, kind, told):
    answer = client.post("/take", content=b"{}", headers={"content-type": kind})
    assert detail(answer, 415) == f"the body came {told}: send the header Content-Type: application/json"
    assert answer.json()["title"] == "That was sent as another kind"


def test_the_character_set_may_be_named(client):
    answer = client.post(
        "/take",
        content=f'{{"id": "{ID}", "lines": []}}',
        headers={"content-type": "Application/JSON; charset=utf-8"},
    )
    assert answer.status_code == 200


def test_a_body_is_never_larger_than_its_limit(client):
    answer = client.post(
        "/take", content=b" " * (LIMIT_BYTES + 1), headers={"content-type": "application/json"}
    )
    assert detail(answer, 413) == f"the body is larger than {LIMIT_BYTES} bytes: send less"


def test_the_description_shows_the_body():
    item = endpoint("/api/orders", take, methods=("POST",), request=Order, summary="Order.")
    document = describe([("core", item)], title="t", version="1", permissions=())
    body = document["paths"]["/api/orders"]["post"]["requestBody"]
    assert body == {
        "required": True,
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Order"}}},
    }
    assert document["components"]["schemas"]["Order"]["properties"]["id"] == {
        "type": "string",
        "format": "uuid",
    }


def test_the_error_is_one_of_the_product():
    assert (BodyInvalid.status, BodyInvalid.exit_code) == (422, 3)
