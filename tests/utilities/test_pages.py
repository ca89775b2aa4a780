"""The pages of bills, in both languages, and what a citizen does on them."""

from __future__ import annotations

import re

import pytest

from citycard.testing.town import Town
from citycard_utilities.bills import bills_of
from citycard_utilities.importing import take_file

WATER = "water-works"
HTML = {"accept": "text/html"}


@pytest.fixture
def citizen(town, settings, bill_file, due):
    card = town.card()
    town.account(card, 5_000)
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 2000, due)), file="1.csv")
    return card


def test_a_citizen_finds_keeps_and_pays_a_bill_on_the_page(town: Town, settings, citizen):
    with town.client("citizen", citizen.asn) as client:
        client.headers.update(HTML)
        found = client.get(f"/utilities/mine?biller={WATER}&household=H1")
        form = {"act": "keep", "biller": WATER, "household": "H1", "label": "Grandma"}
        kept = client.post("/utilities/mine", data=form, follow_redirects=True)
        identity = re.search(r'name="id" value="([0-9a-f-]{36})"', found.text)[1]
        pay = {"act": "pay", "id": identity, "biller": WATER, "household": "H1", "bill": "W1"}
        paid = client.post("/utilities/mine", data=pay, follow_redirects=True)
        again = client.post("/utilities/mine", data=pay, follow_redirects=True)
    assert "W1" in found.text
    assert "王**" in found.text
    assert "Grandma" in kept.text
    assert ("paid" in paid.text, again.status_code) == (True, 200)
    assert bills_of(town.city, settings, WATER, "H1").bills[0].state == "paid"


def test_a_citizen_lets_a_bill_be_collected_and_ends_it_on_the_page(town: Town, citizen):
    with town.client("citizen", citizen.asn) as client:
        client.headers.update(HTML)
        client.post("/utilities/mine", data={"act": "keep", "biller": WATER, "household": "H1"})
        page = client.get("/utilities/mine")
        identity = re.search(r'value="collect"><input type="hidden" name="id" value="([^"]+)"', page.text)[1]
        form = {"act": "collect", "id": identity, "biller": WATER, "household": "H1", "most": "30.00"}
        made = client.post("/utilities/mine", data=form, follow_redirects=True)
        mandate = re.search(r'name="mandate" value="([^"]+)"', made.text)[1]
        ended = client.post("/utilities/mine", data={"act": "end", "mandate": mandate}, follow_redirects=True)
    assert "30.00" in made.text
    assert "ended" in ended.text


WRONG_FORMS = (
    ({}, 422),
    ({"act": "steal"}, 422),
    ({"act": "pay", "id": "x", "biller": WATER, "bill": "W1"}, 422),
    ({"act": "end", "mandate": "00000000-0000-0000-0000-000000000001"}, 404),
    ({"act": "keep", "biller": WATER, "household": "H404"}, 422),
    ({"act": "keep", "biller": "nobody", "household": "H1"}, 404),
    ({"act": "collect", "id": "00000000-0000-0000-0000-000000000001", "biller": WATER, "most": "a"}, 400),
)


def test_a_form_that_is_wrong_says_what_is_wrong(town: Town, citizen):
    with town.client("citizen", citizen.asn) as client:
        for form, status in WRONG_FORMS:
            assert client.post("/utilities/mine", data=form, headers=HTML).status_code == status, form


def test_the_pages_speak_chinese_and_are_whole_for_the_citys_people(town: Town, citizen):
    with town.client("operator") as client:
        client.headers.update(HTML)
        pages = {
            lang: (
                client.get(f"/utilities/overview?lang={lang}").text,
                client.get(
                    f"/utilities/mine?lang={lang}&card={citizen.asn}&biller={WATER}&household=H1"
                ).text,
            )
            for lang in ("en", "zh")
        }
    assert all("1.csv" in page for page, _ in pages.values())
    assert "By biller" in pages["en"][0]
    assert "按收费单位" in pages["zh"][0]
    assert "应缴" in pages["zh"][1]
    for page in (0, 1):
        assert "Haibin Water" in pages["en"][page]
        assert "海滨水务" in pages["zh"][page]
        assert "Haibin Water" not in pages["zh"][page]
    # What is left in English on a Chinese page was forgotten.
    assert not re.findall(r"<(?:th|h2|label|button)[^>]*>\s*[A-Z][a-z]+ ", pages["zh"][0] + pages["zh"][1])
