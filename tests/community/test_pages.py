"""The pages: a resident's own in two languages, its forms, and the property company's desk."""

import re
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.extract import extract_from_dir

import citycard_community
from citycard.ids import new_id
from citycard.web.languages import CORE_LOCALE, read_catalogue

HTML = {"accept": "text/html"}
PACKAGE = Path(citycard_community.__file__).parent
METHODS = [("**.py", "python"), ("**.html", "jinja2.ext:babel_extract")]
KEYWORDS = {"_": None, "say": None, "ngettext": (1, 2)}


@pytest.fixture
def landlord(estate):
    card = estate.town.card()
    estate.town.account(card, 90_000)
    estate.home(card)
    estate.city.plugins.run_job("community.bill")
    return card


def post(client, path, **form):
    return client.post(path, data=form, headers=HTML)


def test_a_resident_pays_buys_and_invites_on_the_own_page(estate, landlord):
    client = estate.town.client("citizen", landlord.asn)
    page = client.get("/community/mine", headers=HTML)
    assert page.status_code == 200
    assert "223.75" in page.text
    assert "Main gate" in page.text

    form = {"id": str(new_id()), "card": landlord.asn}
    assert "223.75 was paid" in re.sub(
        r"[¥￥\s]+", " ", post(client, "/community/mine/fees", bill="1", **form).text
    )
    assert "Nothing is due" in client.get("/community/mine", headers=HTML).text
    form = {"id": str(new_id()), "card": landlord.asn}
    bought = post(
        client, "/community/mine/passes", place="sunrise 1", space="2", month="2026-03", months="1", **form
    )
    assert "The pass runs until 2026-03-31" in bought.text
    form = {"id": str(new_id()), "card": landlord.asn}
    invited = post(client, "/community/mine/visits", unit="1", day="2026-03-02", visitor="", **form)
    assert re.search(r"The code for 2026-03-02 is [0-9]{8}", invited.text)
    visit = re.search(r'name="visit" value="([0-9a-f-]+)"', invited.text)[1]
    ended = post(client, "/community/mine/visits/end", visit=visit, card=landlord.asn)
    assert "called off" in ended.text


def test_an_owner_lets_a_flat_and_changes_its_last_day(estate, landlord):
    tenant = estate.town.card()
    client = estate.town.client("citizen", landlord.asn)
    form = {"id": str(new_id()), "card": landlord.asn, "unit": "1", "tenants": tenant.asn}
    days = {"starts_on": "2026-03-02", "ends_on": "2026-06-30"}
    let = post(client, "/community/mine/leases", **form, **days)
    assert "The flat is let until 2026-06-30" in let.text
    lease = re.search(r'name="lease" value="([0-9a-f-]+)"', let.text)[1]
    for day in ("2026-09-30", "2026-03-02"):
        changed = post(client, "/community/mine/leases/change", lease=lease, last_day=day, card=landlord.asn)
        assert f"The lease ends on {day}" in changed.text
    other = estate.town.client("citizen", tenant.asn)
    assert post(other, "/community/mine/leases/change", lease=lease, last_day=day).status_code == 403


def test_a_form_with_something_wrong_gets_a_page_that_says_what(estate, landlord):
    client = estate.town.client("citizen", landlord.asn)
    form = {"id": str(new_id()), "card": landlord.asn}
    for path, wrong in (
        ("/community/mine/fees", {"bill": "first"}),
        ("/community/mine/fees", {"bill": "1", "id": "7"}),
        ("/community/mine/passes", {"place": "", "space": "2", "month": "2026-03", "months": "1"}),
        ("/community/mine/passes", {"place": "sunrise 1", "space": "2", "month": "soon", "months": "1"}),
        ("/community/mine/visits", {"unit": "", "day": ""}),
        ("/community/mine/visits/end", {"visit": "none"}),
    ):
        answer = post(client, path, **(form | wrong))
        assert 400 <= answer.status_code < 500, (path, wrong)
        assert "<h1>" in answer.text
    assert post(client, "/community/desk/leases", unit="1").status_code in {400, 403, 422}


def test_property_companies_alone_of_all_partners_find_their_desk_in_the_menu(estate):
    for partner, finds in (("sunrise-pm", True), ("somebody-else", False)):
        page = estate.town.client("partner", partner).get("/", headers=HTML)
        assert (partner, 'href="/community/desk"' in page.text) == (partner, finds)


def test_nobody_reads_anothers_page(estate, landlord):
    other = estate.town.card()
    client = estate.town.client("citizen", other.asn)
    assert client.get(f"/community/mine?card={landlord.asn}", headers=HTML).status_code == 403
    assert client.get("/community/desk", headers=HTML).status_code == 403
    assert estate.town.client("public").get("/community/mine", headers=HTML).status_code in {303, 401}
    own = client.get("/community/mine", headers=HTML)
    assert "No doors" in own.text


def test_an_operator_looks_a_card_up_and_the_desk_lets_a_flat(estate, landlord):
    operator = estate.town.client("operator")
    assert 'name="card"' in operator.get("/community/mine", headers=HTML).text
    assert "223.75" in operator.get(f"/community/mine?card={landlord.asn}", headers=HTML).text

    desk = estate.town.client("partner", "sunrise-pm")
    page = desk.get("/community/desk", headers=HTML)
    assert "223.75" in page.text
    assert "0 / 3" in page.text
    tenant = estate.town.card()
    lease = str(new_id())
    form = {"unit": "1", "tenants": tenant.asn, "starts_on": "2026-03-02", "ends_on": "2026-12-31"}
    assert post(desk, "/community/desk/leases", id=lease, **form).status_code == 200
    mine = estate.town.client("citizen", tenant.asn).get("/community/mine", headers=HTML).text
    assert "I rent Sunrise Court, East building, 101 until 2026-12-31" in mine
    changed = post(desk, "/community/desk/leases/change", lease=lease, last_day="2026-03-02")
    assert "Sunrise Court, East building, 101 · Let from 2026-03-02 to 2026-03-02 · 1 tenant" in changed.text


def test_the_pages_speak_chinese(estate, landlord):
    chinese = {"accept": "text/html", "accept-language": "zh"}
    page = estate.town.client("citizen", landlord.asn).get("/community/mine", headers=chinese).text
    for words in ("我的社区", "应缴费用", "可开的门", "正门", "朝阳苑东楼101"):
        assert words in page
    assert "Fees due" not in page
    assert "sunrise 1-101" not in page


def test_every_word_on_the_pages_has_a_chinese_one():
    spoken = read_catalogue(PACKAGE / "locale" / "zh" / "LC_MESSAGES" / "community.po")
    core = read_catalogue(CORE_LOCALE / "zh" / "LC_MESSAGES" / "citycard.po")
    found = set()
    for _, _, message, _, _ in extract_from_dir(
        str(PACKAGE), METHODS, {"**.html": {"trimmed": "true"}}, KEYWORDS
    ):
        found.add(message if isinstance(message, str) else message[0])
    missing = sorted(one for one in found if one and one not in spoken and one not in core)
    assert missing == []
    for one, other in spoken.items():
        words = other if isinstance(other, str) else other[0]
        assert _fields(one) >= _fields(words), one


def _fields(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name}
