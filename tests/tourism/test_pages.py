"""The pages: what a citizen has and does, what venues see, in both languages."""

from __future__ import annotations

import re

import pytest
from babel.messages.extract import extract_from_dir

from citycard.ids import new_id
from citycard.web.languages import CORE_LOCALE, read_catalogue
from citycard_tourism import pages
from citycard_tourism.passes import buy_pass
from citycard_tourism.tickets import buy

HTML = {"accept": "text/html"}
FOLDER = __import__("pathlib").Path(pages.__file__).parent


@pytest.fixture
def card(leisure):
    made = leisure.town.card()
    leisure.town.account(made, 50_000)
    return made


@pytest.fixture
def browser(leisure, card):
    """A citizen who is signed in with a session, as browsers are."""
    client = leisure.town.client("citizen", card.asn)
    token = client.headers.pop("authorization").removeprefix("Bearer ")
    client.headers |= HTML
    page = client.get("/sign-in")
    csrf = re.search(r'name="csrf" value="([0-9a-f]+)"', page.text)[1]
    client.post("/sign-in", data={"csrf": csrf, "token": token, "next": "/"})
    return client


def form(page, **fields):
    """Fill in a form of a page, with its hidden fields as the page has them."""
    for found in re.findall(r"<form.*?</form>", page.text, re.DOTALL):
        hidden = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', found))
        if fields.items() <= hidden.items():
            return hidden
    raise AssertionError(fields)


def test_a_citizen_buys_and_gives_back_on_the_page(leisure, card, browser):
    page = browser.get("/tourism/mine")
    assert page.status_code == 200
    starts = leisure.at("10:00").isoformat()
    bought = browser.post("/tourism/mine", data=form(page, do="ticket", starts=starts) | {"people": "2"})
    assert (bought.status_code, "paid, waits at a counter" in bought.text) == (200, True)
    browser.post("/tourism/mine", data=form(bought, do="pass", plan="museums"))
    page = browser.get("/tourism/mine")
    assert "Museums, one year" in page.text
    back = browser.post("/tourism/mine", data=form(page, do="return"))
    assert "given back" in back.text
    assert "2026-03-02 10:00" in back.text


@pytest.mark.parametrize(
    "change",
    [
        {"do": "dance"},
        {"do": "ticket", "people": "-1"},
        {"do": "ticket", "people": "two"},
        {"do": "ticket", "starts": "soon"},
        {"do": "ticket", "id": "7"},
        {"do": "move", "ticket": "7"},
        {"do": "renew", "loan": "²"},
        {"do": "pass", "plan": "moon"},
        {"do": "ticket", "show": "moon"},
    ],
)
def test_a_bad_form_gets_a_friendly_answer(leisure, card, browser, change):
    page = browser.get("/tourism/mine")
    good = form(page, do="ticket") | {"people": "1"}
    answer = browser.post("/tourism/mine", data=good | change)
    assert 400 <= answer.status_code < 500
    assert "<html" in answer.text
    assert "Traceback" not in answer.text


def test_a_form_for_another_card_is_refused(leisure, card, browser):
    other = leisure.town.card()
    leisure.town.account(other, 50_000)
    page = browser.get("/tourism/mine")
    theirs = form(page, do="ticket") | {"people": "1", "card": other.asn}
    assert browser.post("/tourism/mine", data=theirs).status_code == 403
    assert browser.post("/tourism/mine", data=form(page, do="ticket") | {"csrf": "0"}).status_code == 403
    ticket = buy(leisure.office, new_id(), other.asn, leisure.settings.show("film"), leisure.at("19:30"))
    mine = {"do": "return", "id": str(new_id()), "ticket": str(ticket.id)}
    assert browser.post("/tourism/mine", data=form(page, do="ticket") | mine).status_code == 404
    assert browser.get(f"/tourism/mine?card={other.asn}").status_code == 403


def test_an_operator_looks_at_a_card_and_at_the_venues(leisure, card):
    operator = leisure.town.client("operator")
    operator.headers |= HTML
    buy_pass(leisure.office, new_id(), card.asn, leisure.settings.plan("museums"))
    buy(leisure.office, new_id(), card.asn, leisure.settings.show("film"), leisure.at("19:30"))
    assert "Which card?" in operator.get("/tourism/mine").text
    assert "waits at a counter" in operator.get(f"/tourism/mine?card={card.asn}").text
    assert operator.get("/tourism/mine?card=123").status_code == 404
    page = operator.get("/tourism/office").text
    assert ("Old Cinema" in page, "Refunds that are due" in page, "/tourism/office" in page) == (True,) * 3


def test_a_venue_sees_no_other(leisure):
    museum = leisure.town.client("partner", "city-museum")
    museum.headers |= HTML
    page = museum.get("/tourism/office").text
    assert ("Dinosaurs" in page, "The film" in page, "Refunds" in page) == (True, False, False)


def test_venues_alone_of_all_partners_find_them_in_the_menu(leisure):
    for partner, finds in ((leisure.settings.venues[0].id, True), ("somebody-else", False)):
        page = leisure.town.client("partner", partner).get("/", headers=HTML)
        assert (partner, 'href="/tourism/office"' in page.text) == (partner, finds)


def test_both_pages_are_in_chinese(leisure, card):
    operator = leisure.town.client("operator")
    operator.headers |= HTML
    assert "恐龙展" in operator.get("/tourism/office?lang=zh").text
    page = operator.get(f"/tourism/mine?card={card.asn}&lang=zh").text
    assert ("购票" in page, "恐龙展" in page) == (True, True)


def test_every_word_of_the_templates_is_translated():
    chinese = read_catalogue(FOLDER / "locale" / "zh" / "LC_MESSAGES" / "tourism.po")
    core = read_catalogue(CORE_LOCALE / "zh" / "LC_MESSAGES" / "citycard.po")
    found = extract_from_dir(
        str(FOLDER),
        [("**.html", "jinja2.ext:babel_extract")],
        {"**.html": {"trimmed": "true"}},
        {"_": None, "ngettext": (1, 2)},
    )
    said = {one if isinstance(one, str) else one[0] for _, _, one, _, _ in found}
    assert said - set(chinese) - set(core) == set()
    assert set(pages._SAID.values()) <= set(chinese)


def test_the_cards_page_tells_what_happened(leisure, card, browser):
    buy(leisure.office, new_id(), card.asn, leisure.settings.show("dinosaurs"), leisure.at("10:00"))
    page = browser.get(f"/cards/{card.asn}").text
    assert "Ticket for Dinosaurs, 2026-03-02 10:00" in page
