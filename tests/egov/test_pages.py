"""Pages for people, in English and Chinese, and what their forms do."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from typing import Any

import pytest

from citycard.ids import new_id
from citycard.testing.town import Town, TownCard
from citycard_egov import consents, register, windows
from citycard_egov.disclosure import publish_notice
from citycard_egov.office import Office

DAY = dt.date(2026, 2, 1)
HTML = {"accept": "text/html"}


@pytest.fixture
def card(town: Town, office: Office, number: Callable[..., str]) -> TownCard:
    made = town.card()
    register.tell(
        office, number(1), "civil-affairs", {"name": "王桂英", "address": "Old"}, day=DAY, actor="t"
    )
    register.tell(office, number(1), "police", {"address": "<b>New</b>"}, day=DAY, actor="t")
    register.link_card(office, number(1), made.asn, actor="clerk")
    return made


def session(town: Town, role: str, subject: str = "") -> Any:
    """Sign a browser in with the token of a role."""
    client = town.client(role, subject)
    token = client.headers.pop("authorization").removeprefix("Bearer ")
    client.headers["accept"] = "text/html"
    page = client.get("/sign-in").text
    client.post("/sign-in", data={"csrf": csrf(page), "token": token}).raise_for_status()
    return client


def csrf(page: str) -> str:
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, page
    return found[1]


def test_everybody_sees_what_is_public_in_both_languages(town: Town, office: Office) -> None:
    publish_notice(
        office, "hours", department="police", title="Hours", title_zh="开放时间", body="8 to 17", actor="c"
    )
    client = town.client("public")
    english, chinese = (client.get(f"/egov/public?lang={lang}", headers=HTML).text for lang in ("en", "zh"))
    assert "Public disclosure" in english
    assert "8 to 17" in english
    assert "信息公开" in chinese
    assert "开放时间" in chinese
    assert "Subsidies that were paid" not in chinese


def test_a_citizen_reads_the_own_file_and_withdraws_a_consent(
    town: Town, office: Office, card: TownCard, number: Callable[..., str]
) -> None:
    who = register.link_card(office, number(1), card.asn, actor="clerk")
    given = consents.give_consent(
        office,
        new_id(),
        who,
        asker="education",
        node="police",
        fields=["name"],
        purpose="school place",
        until=dt.date(2099, 1, 1),
    )
    browser = session(town, "citizen", card.asn)
    page = browser.get("/egov/my").text
    assert "王桂英" in page
    assert "in dispute" in page
    assert "<b>New</b>" not in page
    assert "school place" in page
    assert "Civil Affairs" in page
    assert "civil-affairs" not in page
    form = {"csrf": csrf(page.partition('id="consents"')[2]), "consent": str(given.id)}
    assert "withdrawn" in browser.post(f"/egov/my/{card.asn}/consents", data=form).text
    assert browser.post(f"/egov/my/{card.asn}/consents", data=form | {"consent": "x"}).status_code == 422
    assert browser.post(f"/egov/my/{card.asn}/consents", data={"consent": "x"}).status_code == 403
    chinese = browser.get("/egov/my?lang=zh").text
    assert all(words in chinese for words in ("我的档案", "民政局", "公安局"))
    # Also why the file was read: the holder did just now.
    assert ("本人查看自己的档案" in chinese, "looks at the own file" in chinese) == (True, False)


def test_the_desk_settles_calls_and_shows_what_waits(town: Town, office: Office, card: TownCard) -> None:
    windows.take_ticket(office, new_id(), "hall", card.asn)
    browser = session(town, "clerk")
    page = browser.get("/egov/desk").text
    assert "Conflicts of the register" in page
    token = csrf(page)
    conflict = re.search(r'value="settle"><input type="hidden" name="name" value="([^"]+)"', page)
    assert conflict
    form = {"csrf": token, "act": "settle", "name": conflict[1], "chosen": "police", "reason": "seen"}
    assert "All offices tell the same." in browser.post("/egov/desk", data=form).text
    assert browser.post("/egov/desk", data=form).status_code == 404
    called = browser.post("/egov/desk", data={"csrf": token, "act": "next", "name": "hall"}).text
    assert "Did not come" in called
    ticket = re.search(r'value="served"><input type="hidden" name="name" value="([^"]+)"', called)
    assert ticket
    after = browser.post("/egov/desk", data={"csrf": token, "act": "served", "name": ticket[1]}).text
    assert "Nobody waits." in after
    for bad in ({"act": "dance"}, {"act": "served", "name": "x"}, {"act": "approve", "name": "no-plan"}):
        answer = browser.post("/egov/desk", data={"csrf": token, "name": ""} | bad)
        assert answer.status_code in {404, 422}
    assert "办事窗口" in browser.get("/egov/desk?lang=zh").text


def test_a_clerk_opens_a_file_only_with_a_reason(town: Town, card: TownCard) -> None:
    browser = session(town, "clerk")
    assert "Every reading is written down" in browser.get("/egov/my").text
    assert browser.get(f"/egov/my/{card.asn}").status_code == 403
    assert "王桂英" in browser.get(f"/egov/my/{card.asn}?why=letter").text
