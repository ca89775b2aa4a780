"""What programs do about other cities: see them, hand in their files, settle."""

from __future__ import annotations

from datetime import timedelta

import pytest
from starlette.testclient import TestClient

from citycard import registry
from citycard.city.othercities import add_other_city
from citycard.exchange.format import FileKind, Header, ListedCard, write_file
from citycard.store import reading, writing
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tokens import grant

THEIRS = "01019902000000000001"


@pytest.fixture
def desk(empty_city):
    """A client of an operator, and the city; the other city signs with the same key here."""
    key = empty_city.exchange_signer.key.pem
    add_other_city(empty_city, {"code": "9902", "name": "Westport", "issuers": ("01019902FFFFFFFF",)}, key)
    with TestClient(create_app(empty_city)) as client:
        with writing(empty_city.engine) as conn:
            secret = grant(conn, role=Role.OPERATOR, days=1, at=empty_city.clock.now())[1]
        client.headers["authorization"] = f"Bearer {secret}"
        yield client, empty_city


def cards(city, number=1):
    header = Header(
        kind=FileKind.CARDS,
        sender="9902",
        receiver=city.code,
        number=number,
        day=city.now_local().date(),
        records=1,
        amount_fen=0,
        list=number,
    )
    return write_file(header, [ListedCard(asn=THEIRS)], city.exchange_signer)


def test_a_file_of_another_city_is_taken_once_and_shown(desk):
    client, city = desk
    first = client.post("/api/interconnect/files?name=a.ccx", content=cards(city)).json()["file"]
    again = client.post("/api/interconnect/files", content=cards(city)).json()["file"]
    assert (first["state"], first["name"], again["state"], again["code"]) == (
        "accepted",
        "a.ccx",
        "duplicate",
        "F04",
    )
    with reading(city.engine) as conn:
        assert registry.blacklist_at(conn, 1) == {THEIRS}
    client.post("/api/interconnect/files", content=cards(city, number=3))
    found = client.get("/api/interconnect").json()
    assert [(one["kind"], one["number"]) for one in found["missing"]] == [("cards", 2)]
    assert [one["city"]["code"] for one in found["cities"]] == ["9902"]
    shown = client.get("/interconnect?lang=en", headers={"accept": "text/html"}).text
    assert "Westport" in shown
    assert "File 2 (cards) of city 9902 is missing" in shown


def test_what_is_no_file_is_quarantined_and_what_was_not_sent_is_not_given(desk):
    client, _ = desk
    assert client.post("/api/interconnect/files", content=b"hello").json()["file"]["code"] == "F07"
    assert client.get("/api/interconnect/files/city.toml").status_code == 404
    assert client.post("/api/interconnect/send").json() == {"files": []}


def test_a_day_that_is_not_over_is_not_settled(desk):
    client, city = desk
    today = city.now_local().date()
    told = f"{today} is not over: it can be settled from {today + timedelta(days=1)} on"
    for wish, others in (({}, "any city"), ({"city": "3441"}, "city 3441")):
        answer = client.post("/api/interconnect/settle", json={"through": str(today)} | wish)
        assert (answer.status_code, answer.json()["detail"]) == (
            409,
            f"nothing was settled with {others}: {told}",
        )
    assert client.post("/api/interconnect/settle", json={"through": "2026-01-01"}).json() == {
        "settlements": []
    }


def test_who_may_only_read_hands_nothing_in(running, bearer):
    assert running.get("/api/interconnect", headers=bearer[Role.AUDITOR]).status_code == 200
    answer = running.post("/api/interconnect/files", content=b"", headers=bearer[Role.AUDITOR])
    assert answer.status_code == 403


def test_files_are_shown_by_the_page_the_newest_first(desk):
    client, city = desk
    for number in (1, 2, 3):
        client.post("/api/interconnect/files", content=cards(city, number=number))
    first = client.get("/api/interconnect?limit=2").json()["files"]
    rest = client.get(f"/api/interconnect?before={first[-1]['seq']}").json()["files"]
    assert [[file["number"] for file in page] for page in (first, rest)] == [[3, 2], [1]]
    assert client.get("/api/interconnect?limit=0").status_code == 422
    shown = client.get("/interconnect?lang=en&limit=2", headers={"accept": "text/html"}).text
    assert "Older files" in shown
    assert f'href="/interconnect?before={first[-1]["seq"]}&amp;limit=2"' in shown
    last = client.get(f"/interconnect?before={rest[-1]['seq']}&lang=en", headers={"accept": "text/html"}).text
    assert "Older files" not in last
