"""The endpoints of bills: who may ask for what, and one clear answer to what is wrong."""

from __future__ import annotations

import datetime as dt
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import select

from citycard.store import reading
from citycard_utilities.dayfile import read_dayfile
from citycard_utilities.importing import take_file
from citycard_utilities.kiosk import Slip, pay_slip
from citycard_utilities.tables import receipt

WATER = "water-works"
FIND = f"/utilities/bills?biller={WATER}&household=H1"


@pytest.fixture
def people(town, settings, bill_file, due):
    """Give a card with an account and two bills of its household."""
    citizen = town.card()
    town.account(citizen, 5_000)
    take_file(
        town.city, settings, WATER, bill_file(("W1", "H1", 2000, due), ("W2", "H1", 700, due)), file="1.csv"
    )
    return citizen


def to_pay(card, bill="W1", identity=None, **others):
    return {"id": str(identity or uuid4()), "account": card.asn, "biller": WATER, "bill": bill, **others}


def test_a_citizen_finds_bills_by_household_and_pays_one_once(town, people):
    with town.client("citizen", people.asn) as client:
        found = client.get(FIND).json()
        body = to_pay(people)
        first, again = (client.post("/utilities/payments", json=body) for _ in range(2))
        other = client.post("/utilities/payments", json={**body, "bill": "W2"})
        paid = client.get(f"/utilities/receipts/{body['id']}")

    assert [(one["bill"], one["to_pay_fen"], one["holder"]) for one in found["bills"]] == [
        ("W1", 2000, "王**"),
        ("W2", 700, "王**"),
    ]
    assert (first.status_code, first.json()) == (200, again.json())
    assert (other.status_code, "bill differs" in other.json()["detail"]) == (409, True)
    assert paid.json()["applied_fen"] == 2000


def test_a_citizen_pays_from_the_own_account_only_and_sees_the_own_receipts_only(town, people):
    stranger = town.card()
    with town.client("citizen", people.asn) as client:
        paid = client.post("/utilities/payments", json=to_pay(people)).json()["id"]
    with town.client("citizen", stranger.asn) as client:
        answers = [
            client.post("/utilities/payments", json=to_pay(people, "W2")),
            client.post("/utilities/payments", json={**to_pay(people, "W2"), "account": "1" * 20}),
            client.get(f"/utilities/receipts/{paid}"),
            client.get(f"/utilities/mandates/of-card?card={people.asn}"),
            client.post(f"/utilities/receipts/{paid}/reversal", json={}),
            client.get("/utilities/totals"),
        ]
    assert [answer.status_code for answer in answers] == [403] * 6
    with town.client("public") as client:
        assert client.get(FIND).status_code == 401


def test_what_an_account_does_not_pay_is_refused_the_same_for_ever(town, people, settings, bill_file, due):
    take_file(town.city, settings, WATER, bill_file(("W9", "H9", 900_000, due)), file="2.csv")
    body = to_pay(people, "W9")
    with town.client("citizen", people.asn) as client:
        first = client.post("/utilities/payments", json=body)
        town.account(people, 1_000_000)
        again = client.post("/utilities/payments", json=body)
        anew = client.post("/utilities/payments", json=to_pay(people, "W9"))
    assert (first.status_code, first.json()) == (409, again.json())
    assert anew.status_code == 200


WRONG_PAYMENTS = (
    ({"id": "no id"}, 422, "id"),
    ({"bill": 17}, 422, "bill"),
    ({"more": 1}, 422, "more"),
    ({"bill": "W404"}, 404, "W404"),
    ({"biller": "nobody"}, 404, "nobody"),
    ({"bill": "x" * 70_000}, 413, ""),
)


def test_a_payment_that_is_asked_for_wrongly_is_told_what_is_wrong(town, people):
    with town.client("citizen", people.asn) as client:
        for change, status, word in WRONG_PAYMENTS:
            answer = client.post("/utilities/payments", json=to_pay(people, **change))
            assert (answer.status_code, word in answer.text) == (status, True), change
    with reading(town.city.engine) as conn:
        assert conn.execute(select(receipt)).all() == []


NOTHING = (
    "/utilities/bills",
    f"/utilities/bills?biller={WATER}",
    f"/utilities/bills?biller={WATER}&household={'H' * 17}",
    "/utilities/bills?biller=nobody&household=H1",
    f"/utilities/bills/slip?biller={WATER}&bill=W404",
    f"/utilities/bills/slip?biller={WATER}",
    "/utilities/receipts/nothing",
    f"/utilities/receipts/{quote('9901-1', safe='')}",
    "/utilities/billers/nobody/files",
    f"/utilities/billers/{WATER}/settlement",
    f"/utilities/billers/{WATER}/settlement/77",
)


def test_a_question_about_nothing_is_answered_by_a_problem(town):
    with town.client("operator") as client:
        for path in NOTHING:
            answer = client.get(path)
            assert answer.status_code in {400, 404, 422}, path
            assert answer.headers["content-type"].startswith("application/problem+json"), path


def test_a_biller_sends_its_files_and_gets_its_settlement_and_nobody_elses(
    town, people, settings, bill_file, due
):
    data = bill_file(("W3", "H3", 300, due))
    kiosk = town.till(town.terminal(town.partner("kiosk-street")))
    town.load(people, 5_000)
    with town.client("partner", WATER) as client:
        sent = [client.put(f"/utilities/billers/{WATER}/files/w.csv", content=data) for _ in range(2)]
        cut = client.put(f"/utilities/billers/{WATER}/files/w.csv", content=data[:-20])
        foreign = client.put("/utilities/billers/power-grid/files/w.csv", content=data)
        slip = client.get(f"/utilities/bills/slip?biller={WATER}&bill=W3").json()["barcode"]
        kiosk.serve(people.reader, town.now, pay_slip(Slip.read(slip)))
        town.clear(kiosk)
        settled = client.get(f"/utilities/billers/{WATER}/settlement").json()
        file = client.get(f"/utilities/billers/{WATER}/settlement/1/file")
        files = client.get(f"/utilities/billers/{WATER}/files").json()["files"]
        others = client.get("/utilities/billers/gas-works/settlement")

    assert [answer.json()["repeated"] for answer in sent] == [False, True]
    assert (cut.status_code, "trailer" in cut.json()["detail"]) == (400, True)
    assert (foreign.status_code, others.status_code) == (403, 403)
    assert (settled["paid_fen"], settled["differences"]) == (300, [])
    assert read_dayfile(file.content, file="w").paid_fen == 300
    assert sorted(one["added"] for one in files) == [1, 2]


def test_mandates_are_made_seen_and_ended_by_their_owner(town, people):
    body = {"id": str(uuid4()), "account": people.asn, "biller": WATER, "household": "H1", "most_fen": 0}
    with town.client("citizen", people.asn) as client:
        made, again = (client.post("/utilities/mandates", json=body) for _ in range(2))
        second = client.post("/utilities/mandates", json={**body, "id": str(uuid4())})
        ended = client.post(f"/utilities/mandates/{body['id']}/end")
        seen = client.get(f"/utilities/mandates/of-card?card={people.asn}").json()["mandates"]
        wrong = [
            client.post("/utilities/mandates", json={**body, "id": str(uuid4()), "most_fen": -1}),
            client.post("/utilities/mandates", json={**body, "id": str(uuid4()), "household": "h 1"}),
            client.post("/utilities/mandates/no-id/end"),
            client.post(f"/utilities/mandates/{uuid4()}/end"),
        ]
    assert made.json() == again.json()
    assert (second.status_code, made.json()["id"] in second.json()["detail"]) == (409, True)
    assert (ended.json()["active"], [one["active"] for one in seen]) == (False, [False])
    assert [answer.status_code for answer in wrong] == [422, 422, 422, 404]


def test_a_clerk_assigns_money_without_a_bill_and_reverses_a_receipt(town, people, due):
    kiosk = town.till(town.terminal(town.partner("kiosk-street")))
    town.load(people, 5_000)
    slip = Slip(biller=1, bill="W77", household="H1", amount_fen=700, due=due)
    kiosk.serve(people.reader, town.now, pay_slip(slip))
    town.clear(kiosk)
    with town.client("clerk") as client:
        (waiting,) = client.get("/utilities/totals").json()["unmatched"]
        path = f"/utilities/receipts/{waiting['id']}"
        assigned = [client.post(f"{path}/bill", json={"bill": "W2"}) for _ in range(2)]
        wrong = client.post(f"{path}/reversal", json={"id": str(uuid4()), "reason": "", "approved_by": "W"})
        body = {"id": str(uuid4()), "reason": "wrong household", "approved_by": "Wang"}
        backs = [client.post(f"{path}/reversal", json=body) for _ in range(2)]
        twice = client.post(f"{path}/reversal", json={**body, "id": str(uuid4())})
    assert [answer.json()["applied_fen"] for answer in assigned] == [700, 700]
    assert (wrong.status_code, twice.status_code) == (409, 409)
    assert (backs[0].json()["state"], backs[0].json()) == ("done", backs[1].json())


def test_a_partner_finds_its_own_bills_only(town, people):
    paths = (FIND, f"/utilities/bills/slip?biller={WATER}&bill=W1")
    for partner, status in ((WATER, 200), ("power-grid", 403)):
        with town.client("partner", partner) as client:
            assert [client.get(path).status_code for path in paths] == [status] * 2


def test_a_citizen_looks_up_a_few_households_an_hour(town, people):
    def look(client, number):
        return client.get(f"/utilities/bills?biller={WATER}&household=H{number}")

    keep = {"act": "keep", "biller": WATER, "household": "H1"}
    with town.client("citizen", people.asn) as client:
        found = [look(client, number).status_code for number in (*range(2, 12), 2, 12)]
        others = [
            client.get(f"/utilities/bills/slip?biller={WATER}&bill=W1"),
            client.get(f"/utilities/mine?biller={WATER}&household=H1"),
            client.post("/utilities/mine", data=keep),
        ]
        told = look(client, 12).json()["detail"]
        town.pass_time(dt.timedelta(minutes=61))
        later = look(client, 12).status_code
    with town.client("operator") as client:
        clerk = {look(client, number).status_code for number in range(20)}
    assert found == [200] * 11 + [429]
    assert [answer.status_code for answer in others] == [429] * 3
    assert "wait" in told
    assert (later, clerk) == (200, {200})
