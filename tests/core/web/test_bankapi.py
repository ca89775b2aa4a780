"""What programs do at the bank: statements in, exceptions worked on, each step once."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import pytest
from camtwriter import Bank, Booked
from starlette.testclient import TestClient

from citycard.bank.payments import payments
from citycard.clearing.run import clear
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tokens import grant

DAY = dt.date(2026, 3, 3)
NOW = dt.datetime(2026, 3, 3, 8, tzinfo=dt.UTC)
ACCOUNT = "6200990100000000001"


@pytest.fixture
def desk(waiting_city):
    """A client of a city of its own, that keeps the bank; and the city."""
    clear(waiting_city)
    with TestClient(create_app(waiting_city)) as client:
        with writing(waiting_city.engine) as conn:
            secret = grant(conn, role=Role.OPERATOR, days=1, at=waiting_city.clock.now())[1]
        client.headers["authorization"] = f"Bearer {secret}"
        yield client, waiting_city


def booked(city):
    """Give a day on which both payments were booked, a charge was taken, and a stranger paid in."""
    with reading(city.engine) as conn:
        lines = [
            Booked(signed=-one.amount_fen, day=DAY, end_to_end=one.end_to_end, account=one.creditor.account)
            for one in payments(conn)
        ]
    charge = Booked(signed=-100, day=DAY, code=("ACMT", "MDOP", "CHRG"))
    return [*lines, charge, Booked(signed=777, day=DAY, name="Stranger", account="123", text="hello")]


def test_a_statement_is_taken_in_once_and_everything_is_explained(desk):
    client, city = desk
    file = Bank(ACCOUNT, 50_000).day(DAY, *booked(city))
    first = client.post("/api/bank/statements", content=file).json()
    again = client.post("/api/bank/statements", content=file).json()
    assert [one["statements"][0]["new"] for one in (first, again)] == [True, False]
    assert first["statements"][0]["states"] == {"matched": 2, "returned": 0, "charge": 1, "exception": 1}
    found = client.get("/api/bank/reconciliation").json()
    assert (found["unexplained_fen"], found["in_transit_fen"], found["unmatched_fen"]) == (0, 0, 777)
    assert {one["state"] for one in client.get("/api/bank/payments").json()["payments"]} == {"settled"}
    assert client.get("/api/day").json()["float"]["settled_fen"] > 0


def test_a_broken_statement_is_a_problem_that_names_the_line(desk):
    client, _ = desk
    answer = client.post("/api/bank/statements", content=b"<?xml version='1.0'?>\n<Document/>")
    assert (answer.status_code, answer.json()["type"]) == (400, "/api#bank-statement-invalid")
    assert "line 2, Document" in answer.json()["detail"]


def test_an_exception_is_taken_and_resolved_and_each_step_is_done_once(desk):
    client, city = desk
    client.post("/api/bank/statements", content=Bank(ACCOUNT, 50_000).day(DAY, *booked(city)))
    (case,) = client.get("/api/bank/exceptions?state=open").json()["exceptions"]
    take, done = {"id": str(new_id())}, {"id": str(new_id()), "how": "posted", "reason": "it is a fee"}
    at = f"/api/bank/exceptions/{case['id']}"
    answers = [client.post(f"{at}/take", json=take).json()["state"] for _ in range(2)]
    assert answers == ["taken", "taken"]
    refused = client.post(f"{at}/resolve", json=done)
    assert (refused.status_code, "name the ledger account" in refused.json()["detail"]) == (409, True)
    wish = done | {"account": "income/clearing-fee"}
    answers = [client.post(f"{at}/resolve", json=wish).json()["how"] for _ in range(2)]
    assert answers == ["posted", "posted"]
    steps = client.get(at).json()["steps"]
    assert [one["what"] for one in steps] == ["opened", "taken", "resolved"]
    assert UUID(steps[1]["id"]) == UUID(take["id"])
    found = client.get("/api/bank/reconciliation").json()
    assert (found["unexplained_fen"], found["unmatched_fen"]) == (0, 0)


def test_an_instruction_that_pays_nobody_is_null(desk):
    client, _ = desk
    assert client.post("/api/bank/instructions", json={"id": str(new_id())}).json() == {"instruction": None}


@pytest.mark.parametrize("role", [Role.AUDITOR, Role.CLERK, Role.PARTNER])
def test_only_an_operator_keeps_the_bank(client, bearer, town, role):
    answer = client.post("/api/bank/statements", content=b"", headers=bearer[role])
    assert answer.status_code == 403
    answer = client.post(f"/bank/exceptions/{town.case}/take", headers=bearer[role])
    assert answer.status_code == 403


@pytest.mark.parametrize(
    "path", ["payments?state=gone", "lines?code=X9", "exceptions?state=lost", "exceptions/none"]
)
def test_what_is_not_known_is_not_found(client, operator, path):
    assert client.get(f"/api/bank/{path}", headers=operator).status_code == 404
