"""What clerks, partners and operators do about disputes and exceptions, by program."""

from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from citycard.clearing.run import clear
from citycard.ids import new_id
from citycard.store import writing
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tokens import grant

EXIT = "990100000001-1-3"
NOBODY = "00000000-0000-0000-0000-000000000001"


@pytest.fixture
def people(waiting_city):
    """A client for each of a clerk, an operator, an auditor and two partners, of a city of their own."""
    clear(waiting_city)
    app, at = create_app(waiting_city), waiting_city.clock.now()
    with writing(waiting_city.engine) as conn:
        secrets = {
            name: grant(conn, role=role, days=1, at=at, subject=subject)[1]
            for name, role, subject in (
                ("clerk", Role.CLERK, ""),
                ("operator", Role.OPERATOR, ""),
                ("auditor", Role.AUDITOR, ""),
                ("ferry", Role.PARTNER, "harbour-ferry"),
                ("park", Role.PARTNER, "park-gates"),
            )
        }
    with TestClient(app) as client:
        headers = {name: {"authorization": f"Bearer {secret}"} for name, secret in secrets.items()}
        yield client, headers, waiting_city


def opened(client, headers, **changes):
    body = {"id": str(new_id()), "about": "run/1", "amount_fen": 500, "reason": "too little"} | changes
    return client.post("/api/disputes", json=body, headers=headers)


def test_a_partner_disputes_proves_and_reads_what_was_decided_and_nobody_elses(people):
    client, who, city = people
    made = opened(client, who["ferry"], partner="harbour-ferry")
    assert (made.status_code, made.json()["state"]) == (200, "open")
    at = f"/api/disputes/{made.json()['id']}"
    client.post(f"{at}/evidence", json={"id": str(new_id()), "note": "see the log"}, headers=who["ferry"])
    sent = client.post(f"{at}/files?id={new_id()}&name=log.txt", content=b"the log", headers=who["ferry"])
    assert [one["name"] for one in sent.json()["evidence"]] == ["", "log.txt"]
    file = client.get(f"{at}/files/{sent.json()['evidence'][1]['id']}", headers=who["operator"])
    assert (file.content, file.headers["content-disposition"]) == (
        b"the log",
        "attachment; filename*=UTF-8''log.txt",
    )
    judged = {"id": NOBODY, "outcome": "upheld", "bearer": "issuer", "reason": "it is so"}
    assert client.post(f"{at}/decide", json=judged, headers=who["ferry"]).status_code == 403
    done = client.post(f"{at}/decide", json=judged, headers=who["operator"]).json()
    assert (done["dispute"]["state"], done["adjustments"][0]["code"]) == ("upheld", "A04")
    assert client.post(f"{at}/decide", json=judged, headers=who["operator"]).json() == done
    clear(city)
    seen = client.get(at, headers=who["ferry"]).json()
    assert (seen["adjustments"][0]["run"], seen["steps"]) == (2, [])
    assert client.get(at, headers=who["park"]).status_code == 404
    assert client.get("/api/disputes", headers=who["park"]).json() == {"disputes": []}
    assert len(client.get("/api/disputes?state=upheld", headers=who["auditor"]).json()["disputes"]) == 1


def test_a_partner_opens_no_dispute_for_another_or_for_a_holder(people):
    client, who, _ = people
    assert opened(client, who["ferry"], partner="park-gates").status_code == 403
    assert opened(client, who["ferry"], about=EXIT).status_code == 403
    assert client.get("/api/disputes?partner=park-gates", headers=who["ferry"]).status_code == 403


def test_a_clerk_opens_a_dispute_for_a_holder_and_an_operator_takes_it_from_the_partner(people):
    client, who, city = people
    made = opened(client, who["clerk"], about=EXIT, amount_fen=350).json()
    assert (made["party"], made["amount_fen"]) == ("holder", 350)
    judged = {
        "id": str(new_id()),
        "outcome": "part",
        "amount_fen": 100,
        "bearer": "partners",
        "reason": "half",
    }
    at = f"/api/disputes/{made['id']}"
    assert client.post(f"{at}/decide", json=judged, headers=who["clerk"]).status_code == 403
    assert client.post(f"{at}/decide", json=judged, headers=who["operator"]).status_code == 200
    clear(city)
    assert client.get(at, headers=who["clerk"]).json()["adjustments"][0]["amount_fen"] == 100


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/api/disputes/nonsense/evidence", {"id": str(new_id()), "note": "x"}, 404),
        (f"/api/disputes/{NOBODY}/decide", {"id": NOBODY, "outcome": "no", "reason": "x"}, 422),
        (f"/api/disputes/{NOBODY}/decide", {"id": NOBODY, "outcome": "refused", "reason": "x"}, 404),
        (f"/api/exceptions/{EXIT}/decide", {"id": str(new_id()), "how": "rejected", "reason": "x"}, 404),
        (f"/api/exceptions/{EXIT}/decide", {"id": str(new_id()), "how": "what", "reason": "x"}, 422),
    ],
)
def test_what_is_not_there_or_cannot_be_read_is_a_problem(people, path, body, status):
    client, who, _ = people
    assert client.post(path, json=body, headers=who["operator"]).status_code == status


def test_to_a_partner_the_records_of_others_are_as_unknown_as_those_that_are_not_there(people):
    client, who, _ = people
    absent = "990100000001-9-1"

    def told(path, record, **sent):
        body = {"id": str(new_id()), "about": record, "amount_fen": 1, "reason": "?", "partner": "park-gates"}
        answer = client.request(
            "POST" if sent else "GET",
            path.format(record=record),
            headers=who["park"],
            **({"json": body} if sent else {}),
        )
        return answer.status_code, answer.json()["detail"].replace(record, "it")

    assert told("/api/exceptions/{record}", EXIT) == told("/api/exceptions/{record}", absent)
    assert told("/api/disputes", EXIT, sent=True) == told("/api/disputes", absent, sent=True)
    assert told("/api/exceptions/{record}", EXIT)[0] == 404
    mine = client.get(f"/api/exceptions/{EXIT}", headers=who["ferry"])
    assert "ended accepted" in mine.json()["detail"]


def test_a_partner_reads_of_a_dispute_what_was_done_and_not_who_did_it(people):
    client, who, _ = people
    made = opened(client, who["ferry"], partner="harbour-ferry").json()
    at = f"/api/disputes/{made['id']}"
    client.post(f"{at}/evidence", json={"id": str(new_id()), "note": "see the log"}, headers=who["clerk"])
    judged = {"id": NOBODY, "outcome": "upheld", "bearer": "issuer", "reason": "it is so"}
    client.post(f"{at}/decide", json=judged, headers=who["operator"])
    seen = client.get(at, headers=who["ferry"]).json()
    listed = client.get("/api/disputes", headers=who["ferry"]).json()["disputes"]
    names = [
        *(made["opened_by"], seen["dispute"]["opened_by"], listed[0]["opened_by"]),
        *(seen["dispute"]["decision"]["actor"], seen["evidence"][0]["actor"]),
    ]
    assert names == [""] * 5
    told = client.get(at, headers=who["auditor"]).json()
    assert (told["dispute"]["decision"]["actor"][:8], told["evidence"][0]["actor"][:5]) == (
        "operator",
        "clerk",
    )


def test_disputes_are_listed_the_newest_first_a_page_at_a_time(people):
    client, who, city = people
    first = opened(client, who["ferry"], partner="harbour-ferry").json()["id"]
    city.clock.moment += timedelta(hours=1)
    second = opened(client, who["park"], partner="park-gates", amount_fen=100).json()["id"]
    found = client.get("/api/disputes", headers=who["clerk"]).json()["disputes"]
    assert [one["id"] for one in found] == [second, first]
    assert client.get("/api/disputes?page=2", headers=who["clerk"]).json() == {"disputes": []}
    assert client.get("/api/disputes?page=0", headers=who["clerk"]).status_code == 422


def test_exceptions_are_read_by_those_who_may(people):
    client, who, _ = people
    assert client.get("/api/exceptions", headers=who["clerk"]).json() == {"exceptions": []}
    assert client.get("/api/exceptions?state=what", headers=who["clerk"]).status_code == 404
    assert client.get("/api/exceptions", headers=who["ferry"]).status_code == 200
    assert client.get(f"/api/exceptions/{EXIT}", headers=who["clerk"]).status_code == 404
