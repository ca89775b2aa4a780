"""Every endpoint that takes a JSON body, the core's and the domains', is tried with bodies that are wrong.

Each has one clear problem document that names what is wrong, and nothing is written by any of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import attrs
import pytest
from sqlalchemy import func, select
from starlette.testclient import TestClient

from citycard.kernel.outside import Route
from citycard.store import metadata, reading
from citycard.testing.town import Town
from citycard.web.application import CORE_ENDPOINTS

HAIBIN = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
JSON = "application/json"
LARGE = b'{"a": "' + b"x" * 6_000_000 + b'"}'
BAD = {
    "malformed": (b"{", JSON, 422, "JSON"),
    "no object": (b"[]", JSON, 422, "JSON"),
    "no text": (b'{"a": "\xff"}', JSON, 422, "JSON"),
    "repeated": (b'{"nonsense": 1, "nonsense": 2}', JSON, 422, "once"),
    "foreign": (b'{"nonsense": 1}', JSON, 422, "nonsense"),
    "of another kind": (b"a=1", "text/plain", 415, JSON),
    "oversized": (LARGE, JSON, 413, "bytes"),
}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with closing(Town.of(tmp_path_factory.mktemp("haibin"), HAIBIN, hierarchies=["health"])) as made:
        yield made


@pytest.fixture(scope="module")
def clients(town: Town) -> list[TestClient]:
    """Somebody of every role; who may nothing at all is asked last."""
    with reading(town.city.engine) as conn:
        partner = conn.scalar(select(metadata.tables["partner"].c.id).limit(1))
    card = town.card()
    roles = {"operator": "", "clerk": "", "citizen": card.asn, "partner": partner or "", "auditor": ""}
    return [town.client(role, subject) for role, subject in roles.items()]


def endpoints(town: Town) -> Iterator[tuple[str, Route]]:
    yield from (
        (one.path, one.route)
        for one in CORE_ENDPOINTS
        if takes_json(one.route) and not one.media and not one.signed
    )
    for owned in town.city.plugins.routes():
        if takes_json(owned.record):
            yield f"/{owned.owner.plugin}{owned.record.path}", owned.record


def takes_json(route: Route) -> bool:
    return route.bodies[0] is not None and set(route.methods) != {"GET"}


def written_by(route: Route) -> str:
    return next(method for method in route.methods if method != "GET")


def written(town: Town) -> dict[str, int]:
    """Count the rows of everything but what is kept of who asked."""
    with reading(town.city.engine) as conn:
        return {
            name: conn.scalar(select(func.count()).select_from(table)) or 0
            for name, table in metadata.tables.items()
            if table.name not in {"access", "session", "pii_read", "look", "attempt"}
        }


def asked(clients: list[TestClient], path: str, method: str, body: bytes, kind: str) -> Any:
    """Send a body as the first who may do that at all."""
    for client in clients:
        answer = client.request(method, path, content=body, headers={"content-type": kind})
        if answer.status_code not in {401, 403}:
            break
    return answer


@pytest.mark.parametrize("wrong", BAD)
def test_a_wrong_body_has_a_problem_document_that_says_what_is_wrong(town, clients, wrong):
    body, kind, status, told = BAD[wrong]
    before, left, tried = written(town), [], 0
    for path, route in endpoints(town):
        address = re.sub(r"{[^}]*}", "1", path)
        answer = asked(clients, address, written_by(route), body, kind)
        tried += 1
        # An address of something that there is not may say so before anybody reads the body.
        fits = answer.status_code == status or (address != path and answer.status_code == 404)
        document = answer.headers["content-type"].startswith("application/problem+json")
        said = told in answer.text or answer.status_code == 404
        if not (fits and document and said):
            left.append((path, answer.status_code, answer.text[:200]))
    assert left == []
    assert tried > 100
    assert written(town) == before


def test_a_body_without_what_is_required_has_each_field_named(town, clients):
    before, left = written(town), []
    for path, route in endpoints(town):
        required = [field.name for field in attrs.fields(route.bodies[0]) if field.default is attrs.NOTHING]
        address = re.sub(r"{[^}]*}", "1", path)
        if not required:
            continue
        answer = asked(clients, address, written_by(route), b"{}", JSON)
        named = all(f"body.{name}: missing" in answer.text for name in required)
        if not (answer.status_code == 422 and named) and not (address != path and answer.status_code == 404):
            left.append((path, answer.status_code, required, answer.text[:200]))
    assert left == []
    assert written(town) == before
