"""The ledger's seals on the pages and endpoints, and what a server says of a ledger that was altered."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from sqlalchemy import select, text
from starlette.testclient import TestClient

from citycard.city.jobs import run_job
from citycard.city.sealing import SEALING, VERIFYING
from citycard.clearing.run import clear
from citycard.errors import LedgerAltered
from citycard.keys import SealKey
from citycard.ledger.proofs import check_proof
from citycard.ledger.tables import transfer
from citycard.store import reading, writing
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tables import ensure_tables
from citycard.web.tokens import grant


@pytest.fixture
def served(waiting_city):
    """A city that was cleared and not sealed, asked without a server that goes round."""
    clear(waiting_city)
    ensure_tables(waiting_city.engine)
    with writing(waiting_city.engine) as conn:
        _, secret = grant(conn, role=Role.OPERATOR, days=1, at=waiting_city.clock.now())
    with reading(waiting_city.engine) as conn:
        ids = list(conn.scalars(select(transfer.c.id).order_by(transfer.c.posted_seq)))
    client = TestClient(create_app(waiting_city), raise_server_exceptions=False)
    client.headers["authorization"] = f"Bearer {secret}"
    return SimpleNamespace(
        city=waiting_city,
        ids=ids,
        ask=client.get,
        page=lambda path: client.get(path, headers={"accept": "text/html"}).text,
    )


def test_seals_are_listed_with_the_keys_that_check_them(served):
    run_job(served.city, SEALING)
    told = served.ask("/api/wallet/seals?limit=5").json()
    (one,) = told["seals"]
    assert (one["seal"], one["first_posted_seq"], one["transfers"]) == (1, 1, len(served.ids))
    assert (told["state"]["seal"], told["state"]["hash"], told["state"]["waiting"]) == (1, one["hash"], 0)
    (key,) = told["keys"]
    public = SealKey.from_pem(key["pem"])
    assert public.id == key["id"] == one["key_id"]
    assert public.signed(one["content"].encode(), bytes.fromhex(one["signature"]))
    assert served.ask("/api/wallet/seals?before=1").json()["seals"] == []


def test_a_proof_is_checked_with_the_published_key_alone(served):
    run_job(served.city, SEALING)
    keys = served.ask("/api/wallet/seals").json()["keys"]
    proof = served.ask(f"/api/wallet/proofs/{served.ids[2]}").json()
    proven = check_proof(json.dumps(proof), {key["id"]: SealKey.from_pem(key["pem"]) for key in keys})
    assert proven.says["id"] == served.ids[2].hex


@pytest.mark.parametrize("wish", ["00000000-0000-4000-8000-000000000000", "nonsense"])
def test_what_was_never_answered_is_not_proven(served, wish):
    assert served.ask(f"/api/wallet/proofs/{wish}").status_code == 404


def test_what_is_not_sealed_yet_is_told_so(served):
    answer = served.ask(f"/api/wallet/proofs/{served.ids[-1]}")
    assert (answer.status_code, "is not sealed yet" in answer.text) == (409, True)


def test_the_float_page_says_how_far_the_ledger_is_sealed(served):
    assert "No seal yet" in served.page("/float")
    run_job(served.city, SEALING)
    run_job(served.city, VERIFYING)
    shown = served.page("/float")
    assert "as it was sealed" in shown
    assert "2026-03-02" in shown.split("Last verified")[1][:80]


def test_health_says_that_a_ledger_was_altered(served):
    def health():
        parts = {one["name"]: one for one in served.ask("/api/health").json()["parts"]}
        return parts["ledger seals"]

    run_job(served.city, SEALING)
    run_job(served.city, VERIFYING)
    assert health()["well"]
    with writing(served.city.engine) as conn:
        conn.execute(text("DROP TRIGGER transfer_no_update"))
        conn.execute(text("UPDATE transfer SET ref = 'another' WHERE posted_seq = 2"))
    with pytest.raises(LedgerAltered, match="transfer number 2"):
        run_job(served.city, VERIFYING)
    assert not health()["well"]
    assert "the ledger was altered" in health()["words"]
    assert "altered or not sealed" in served.page("/float")
