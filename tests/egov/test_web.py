"""City hall's endpoints: whoever asks, whatever is sent, one clear answer and nothing half-done."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest

from citycard.ids import new_id
from citycard.store import reading
from citycard.testing.town import Town, TownCard
from citycard_egov import register
from citycard_egov.identity import activate
from citycard_egov.identitycard import prove
from citycard_egov.office import Office
from citycard_egov.tables import metadata

PIN = "246810"


@pytest.fixture(scope="module")
def card(hall: Town, desk: Office) -> TownCard:
    made = hall.card()
    who = "110101198001010010"
    register.tell(desk, who, "police", {"name": "Li", "address": "Road"}, day=dt.date(2026, 2, 1), actor="t")
    activate(desk, made.reader, who, "123456", PIN, actor="clerk")
    return made


def filled(path: str, asn: str) -> str:
    return (
        path.replace("{id}", str(new_id()))
        .replace("{asn}", asn)
        .replace("{department}", "police")
        .replace("{window}", "hall")
        .replace("{plan}", "no-such-plan")
    )


def rows(office: Office) -> dict[str, int]:
    with reading(office.engine) as conn:
        return {table.name: len(conn.execute(table.select()).all()) for table in metadata.sorted_tables}


BODIES: dict[str, dict[str, Any]] = {
    "none": {},
    "no JSON": {"content": b"{", "headers": {"content-type": "application/json"}},
    "a list": {"json": []},
    "nothing in it": {"json": {}},
    "strangers": {"json": {"id": "x", "asn": 7, "shoe": "red"}},
    "another kind": {"content": b"id=1", "headers": {"content-type": "text/plain"}},
    "too large": {"content": b'"' + b"x" * 2_000_000 + b'"', "headers": {"content-type": "application/json"}},
}


@pytest.mark.parametrize("body", BODIES)
def test_every_endpoint_answers_bad_bodies_by_name_and_changes_nothing(
    hall: Town, desk: Office, card: TownCard, body: str
) -> None:
    client = hall.client("operator")
    before = rows(desk)
    tried = 0
    for owned in hall.city.plugins.routes():
        route = owned.record
        if route.methods != ("POST",) or route.request is None:
            continue
        answer = client.post(f"/egov{filled(route.path, card.asn)}", **BODIES[body])
        assert answer.status_code in {400, 404, 409, 413, 415, 422}, (route.path, answer.text)
        assert answer.headers["content-type"].startswith("application/problem+json"), route.path
        tried += 1
    assert tried >= 12
    assert rows(desk) == before


def test_nobody_acts_or_reads_for_somebody_else(hall: Town, desk: Office, card: TownCard) -> None:
    stranger, shop = hall.client("citizen", "0" * 20), hall.client("partner", "civil-affairs")
    nobody = hall.client("public")
    before = rows(desk)
    for path in ("file", "readings", "applications", "consents"):
        assert stranger.get(f"/egov/cards/{card.asn}/{path}").status_code == 403
        assert shop.get(f"/egov/cards/{card.asn}/{path}").status_code == 403
        assert nobody.get(f"/egov/cards/{card.asn}/{path}").status_code == 401
    assert stranger.post("/egov/identity/challenges", json={"asn": card.asn}).status_code == 403
    ticket = {"id": str(new_id()), "window": "hall", "asn": card.asn}
    assert stranger.post("/egov/tickets", json=ticket).status_code == 403
    told = {"id_number": "110101198001010010", "day": "2026-02-01", "values": {"name": "X"}}
    assert shop.post("/egov/departments/police/residents", json=told).status_code == 403
    for path in ("/egov/conflicts", "/egov/plans", "/egov/windows/hall"):
        assert shop.get(path).status_code == 403
        assert stranger.get(path).status_code == 403
    assert nobody.get("/egov/services").status_code == 200
    assert rows(desk) == before


def test_a_clerk_says_why_and_the_holder_sees_it(hall: Town, card: TownCard) -> None:
    clerk, citizen = hall.client("clerk"), hall.client("citizen", card.asn)
    silent = clerk.get(f"/egov/cards/{card.asn}/file")
    assert (silent.status_code, "why it is read" in silent.json()["detail"]) == (403, True)
    assert clerk.get(f"/egov/cards/{card.asn}/file", params={"why": "x" * 201}).status_code == 422
    seen = clerk.get(f"/egov/cards/{card.asn}/file", params={"why": "lost letter"}).json()
    assert {one["name"]: one["value"] for one in seen["fields"]} == {"name": "Li", "address": "Road"}
    newest = citizen.get(f"/egov/cards/{card.asn}/readings").json()["readings"][0]
    assert (newest["why"], newest["fields"]) == (
        "lost letter",
        ["name", "born", "address", "residence", "student_until"],
    )
    assert newest["reader"].startswith("clerk ")
    own = citizen.get(f"/egov/cards/{card.asn}/file")
    assert own.status_code == 200
    assert hall.client("auditor").get("/egov/cards/" + "9" * 20 + "/readings").status_code == 404


def proof_of(hall: Town, client: Any, card: TownCard) -> str:
    asked = client.post("/egov/identity/challenges", json={"asn": card.asn}).json()
    answer = prove(card.reader, hall.city.issuing.profile, PIN, bytes.fromhex(asked["challenge"]))
    body = {"challenge": asked["id"], "answer": answer.hex()}
    return client.post("/egov/identity/answers", json=body).json()["proof"]


def test_a_proof_belongs_to_whoever_asked_and_to_the_card(hall: Town, card: TownCard) -> None:
    citizen, clerk = hall.client("citizen", card.asn), hall.client("clerk")
    proof = proof_of(hall, citizen, card)
    form = {"id": str(new_id()), "asn": card.asn, "proof": proof, "service": "hearing"}
    stolen = clerk.post("/egov/applications", json=form)
    assert (stolen.status_code, stolen.json()["type"].rpartition("/")[2]) == (403, "api#proof-refused")
    assert citizen.post("/egov/applications", json=form).json()["state"] == "open"
    for answer in ("zz", "00" * 16, ""):
        asked = citizen.post("/egov/identity/challenges", json={"asn": card.asn}).json()
        body = {"challenge": asked["id"], "answer": answer}
        assert citizen.post("/egov/identity/answers", json=body).status_code in {403, 422}


def test_a_ticket_is_taken_called_and_ended(hall: Town, card: TownCard) -> None:
    citizen, clerk = hall.client("citizen", card.asn), hall.client("clerk")
    ticket = {"id": str(new_id()), "window": "hall", "asn": card.asn}
    assert citizen.post("/egov/tickets", json=ticket).json()["number"] == 1
    assert len(clerk.get("/egov/windows/hall").json()["tickets"]) == 1
    (called,) = clerk.post("/egov/windows/hall/next").json()["tickets"]
    ended = clerk.post(f"/egov/tickets/{called['id']}/end", json={"served": True})
    assert ended.json()["state"] == "served"
    assert clerk.post("/egov/windows/hall/next").json() == {"tickets": []}
    assert clerk.post("/egov/tickets/17/end", json={"served": True}).status_code == 404
    assert clerk.get("/egov/windows/garage").status_code == 404


def test_every_endpoint_is_described(hall: Town, number: Callable[..., str]) -> None:
    described = hall.client("public").get("/openapi.json").json()["paths"]
    for owned in hall.city.plugins.routes():
        assert f"/egov{owned.record.path}" in described
