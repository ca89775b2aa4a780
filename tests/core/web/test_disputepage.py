"""What people see of disputes and exceptions, and work on."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest
from lxml import html
from starlette.testclient import TestClient

from citycard.clearing.disputes import Claim, open_dispute
from citycard.clearing.run import clear
from citycard.ids import new_id
from citycard.store import writing
from citycard.web import create_app
from citycard.web.permissions import Role
from citycard.web.tokens import grant

RIDE = "990100000001-1-3"
CARD = "03109901000000000001"
TOO_OLD = "the time is in the future or too long ago"


@pytest.fixture
def office(waiting_city):
    """Return what signs somebody in at a city of its own, where the ferry disputes run 1."""
    clear(waiting_city)
    claim = Claim(
        party="partner", partner="harbour-ferry", about="run/1", amount_fen=500, reason="too little"
    )
    made = open_dispute(waiting_city, new_id(), claim, actor="ferry")
    app = create_app(waiting_city)
    clients = []

    def signed_in(role, subject=""):
        with writing(waiting_city.engine) as conn:
            secret = grant(conn, role=role, days=1, at=waiting_city.clock.now(), subject=subject)[1]
        client = TestClient(app, base_url="https://testserver", follow_redirects=False)
        clients.append(client)
        client.__enter__()
        client.get(f"/sign-in?token={secret}")
        return client

    yield signed_in, made, waiting_city
    for client in clients:
        client.__exit__(None, None, None)


def page(client, path, lang="en"):
    answer = client.get(path, headers={"accept": "text/html", "accept-language": lang})
    assert (path, answer.status_code) == (path, 200)
    return html.fromstring(answer.text)


def words(found):
    return " ".join(found.xpath("//main")[0].text_content().split())


def send(client, path, action, **fields):
    (form,) = page(client, path).xpath(f"//form[@action='{action}']")
    return client.post(action, data=dict(form.form_values()) | fields)


def test_a_partner_opens_a_dispute_and_adds_evidence_on_its_page(office):
    client = office[0](Role.PARTNER, "park-gates")
    assert "run/1" not in {one.text for one in page(client, "/disputes").xpath("//td/a")}
    sent = send(client, "/disputes", "/disputes", about="run/1", amount="1.50", reason="too little")
    at = sent.headers["location"]
    assert (sent.status_code, at.startswith("/disputes/")) == (303, True)
    assert send(client, at, f"{at}/evidence", note="see the log").status_code == 303
    found = page(client, at)
    assert "see the log" in words(found)
    assert found.xpath("//form[contains(@action, '/decide')]") == []
    assert client.get(f"/disputes/{office[1].id}", headers={"accept": "text/html"}).status_code == 404


def test_an_operator_decides_a_dispute_on_its_page(office):
    client, at = office[0](Role.OPERATOR), f"/disputes/{office[1].id}"
    sent = send(client, at, f"{at}/decide", outcome="part", amount="2", bearer="issuer", reason="half of it")
    assert sent.status_code == 303
    clear(office[2])
    told = words(page(client, at))
    assert "half of it" in told
    assert "A04" in told
    assert "Clearing run 2" in told


@pytest.mark.parametrize(("lang", "heading"), [("en", "Disputes"), ("zh", "争议")])
def test_the_pages_are_in_english_and_in_chinese(office, lang, heading):
    client = office[0](Role.AUDITOR)
    assert page(client, "/disputes", lang).xpath("//h1")[0].text == heading
    found = page(client, f"/disputes/{office[1].id}", lang)
    assert found.xpath("//form[contains(@action, '/disputes/')]") == []


@pytest.fixture
def suspended(waiting_city):
    """A city that takes no tap older than tomorrow: everything is suspended, and people decide."""
    waiting_city.terms = attrs.evolve(waiting_city.terms, oldest_days=-1)
    clear(waiting_city)
    return waiting_city


def test_a_record_that_was_suspended_is_taken_and_decided_on_its_page(suspended, office):
    client, at = office[0](Role.OPERATOR), f"/exceptions/{RIDE}"
    assert f"R04 {TOO_OLD}" in words(page(client, "/disputes?partner=harbour-ferry"))
    assert send(client, at, f"{at}/take").status_code == 303
    wish = {"how": "accepted", "bearer": "card", "reason": "the clock was wrong", "evidence": "log 4"}
    assert send(client, at, f"{at}/decide", **wish).status_code == 303
    clear(suspended)
    told = words(page(client, at))
    assert "pay it as charged: the clock was wrong" in told
    assert "A01 an exception was accepted; the card pays it" in told
    masked = words(page(office[0](Role.PARTNER, "harbour-ferry"), at))
    assert "031099…0001" in masked
    mine = office[0](Role.PARTNER, "park-gates")
    assert mine.get(at, headers={"accept": "text/html"}).status_code == 404


def test_what_somebody_has_is_taken_from_them_by_a_button_that_names_them(suspended, office):
    at = f"/exceptions/{RIDE}"
    first, second = office[0](Role.OPERATOR), office[0](Role.OPERATOR)
    (early,) = page(second, at).xpath(f"//form[@action='{at}/take']")
    send(first, at, f"{at}/take")
    (name,) = page(first, at).xpath("//dt[text()='Taken by']/following-sibling::dd[1]/text()")
    assert second.post(f"{at}/take", data=dict(early.form_values())).status_code == 409
    assert f"Take it from {name}" in words(page(second, at))
    assert send(second, at, f"{at}/take").status_code == 303
    assert f"from {name}" in words(page(second, at))


def test_every_state_is_asked_for_by_its_name_or_all_at_once(suspended, office):
    client = office[0](Role.OPERATOR)
    every = client.get("/api/exceptions?state=all").json()["exceptions"]
    send(client, f"/exceptions/{RIDE}", f"/exceptions/{RIDE}/decide", how="rejected", reason="no ground")
    assert {one["id"] for one in every} > {RIDE}
    for state, there in (("all", True), ("resolved", True), ("open", False), ("", False)):
        found = client.get(f"/api/exceptions?state={state}").json()["exceptions"]
        assert (state, RIDE in {one["id"] for one in found}) == (state, there)
    assert client.get("/api/exceptions?state=ended").status_code == 404


def test_a_partner_reads_no_full_card_number_and_nobodys_name(suspended, office):
    operator, at = office[0](Role.OPERATOR), f"/exceptions/{RIDE}"
    wish = {"how": "accepted", "bearer": "card", "reason": "the clock was wrong", "evidence": "log 4"}
    send(operator, at, f"{at}/take")
    send(operator, at, f"{at}/decide", **wish)
    partner = office[0](Role.PARTNER, "harbour-ferry")
    told = words(page(partner, at))
    assert "card/031099…0001/purse" in told
    assert CARD not in told
    assert "operator" not in told
    assert "ferry" not in words(page(partner, f"/disputes/{office[1].id}")).replace("harbour-ferry", "")
    assert CARD in words(page(operator, at))


def test_disputes_are_listed_the_newest_first_a_page_at_a_time(office):
    signed_in, _, city = office
    city.clock.moment += timedelta(hours=1)
    claim = Claim(party="partner", partner="park-gates", about="run/1", amount_fen=100, reason="too little")
    open_dispute(city, new_id(), claim, actor="park")
    client = signed_in(Role.OPERATOR)
    assert page(client, "/disputes").xpath("//section[@aria-labelledby='h-open']//td[2]/text()") == [
        "park-gates",
        "harbour-ferry",
    ]
    second = page(client, "/disputes?page=2&partner=park-gates")
    assert second.xpath("//section[@aria-labelledby='h-open']//td") == []
    assert second.xpath("//a[@rel='prev']/@href") == ["/disputes?partner=park-gates&page=1"]


def test_the_page_of_a_position_says_that_no_rule_pays_it(office):
    told = words(page(office[0](Role.AUDITOR), f"/disputes/{office[1].id}"))
    assert "no rule pays a position of a statement" in told
