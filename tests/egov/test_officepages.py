"""An office's people see what waits for them, read it, and decide, in both languages."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest

from citycard.ids import new_id
from citycard.testing.town import Town
from citycard_egov import register
from citycard_egov.filing import file_application
from citycard_egov.office import Office


@pytest.fixture
def browser(town: Town) -> Callable[..., Any]:
    def signed_in(role: str, subject: str = "") -> Any:
        client = town.client(role, subject)
        token = client.headers.pop("authorization").removeprefix("Bearer ")
        client.headers["accept"] = "text/html"
        client.post("/sign-in", data={"csrf": csrf(client.get("/sign-in").text), "token": token})
        return client

    return signed_in


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_an_office_decides_from_its_page_and_the_button_pressed_twice_decides_once(
    town: Town, office: Office, browser: Callable[..., Any], number: Callable[..., str]
) -> None:
    card = town.card()
    register.tell(
        office,
        number(1),
        "police",
        {"name": "王五", "address": "<i>Road"},
        day=dt.date(2026, 2, 1),
        actor="t",
    )
    who = register.link_card(office, number(1), card.asn, actor="clerk")
    town.account(card, 1000)
    form = {"reason": "a school"}
    filed = file_application(office, new_id(), who, card.asn, "residence-certificate", form, actor="me")
    police, civil = browser("partner", "police"), browser("partner", "civil-affairs")
    where = f"/egov/office/police/{filed.id}"

    assert "Certificate of residence" in police.get("/egov/office").text
    assert "Nothing waits" in civil.get("/egov/office").text
    assert civil.get(where).status_code == 403
    assert civil.get(f"/egov/office/civil-affairs/{filed.id}").status_code == 409
    page = police.get(where).text
    assert "王五" in page
    assert "a school" in page
    assert "<i>Road" not in page
    assert "申请人填写" in police.get(f"{where}?lang=zh").text

    sent = {"csrf": csrf(page), "step": "0", "decision": "refuse", "words": ""}
    assert police.post(where, data=sent).status_code == 422
    assert police.post(where, data=sent | {"decision": "dance"}).status_code == 422
    for _ in range(2):
        assert police.post(where, data=sent | {"decision": "approve"}).status_code == 200
    assert "Certificate of residence" in civil.get("/egov/office").text
    assert police.post(where, data=sent | {"words": "moved"}).status_code == 409


def test_offices_alone_of_all_partners_find_theirs_in_the_menu(town: Town) -> None:
    for partner, finds in (("police", True), ("somebody-else", False)):
        page = town.client("partner", partner).get("/", headers={"accept": "text/html"})
        assert (partner, 'href="/egov/office"' in page.text) == (partner, finds)


def test_a_clerk_chooses_an_office_and_an_office_that_is_none_is_not_found(
    browser: Callable[..., Any],
) -> None:
    clerk = browser("clerk")
    assert "Civil Affairs" in clerk.get("/egov/office").text
    assert clerk.get("/egov/office/police").status_code == 200
    assert clerk.get("/egov/office/harbour").status_code == 404
    assert browser("operator").get("/egov/office/police/17").status_code == 404
