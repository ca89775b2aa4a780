"""What people see: pages that are well formed, say what is so, and escape what comes from outside."""

from __future__ import annotations

import pytest
from lxml import html
from starlette.testclient import TestClient

from citycard.clearing.run import clear
from citycard.store import reading
from citycard.web import create_app
from citycard.web.charts import fare_name
from citycard.web.languages import Language
from citycard.web.permissions import Role
from citycard.web.readings import readings
from citycard.web.views import FareBand

ACCOUNT = "/cards/03109901000000000001/account"
PAGES = [
    "/",
    "/partners",
    "/partners/harbour-ferry",
    "/partners/harbour-ferry/account",
    ACCOUNT,
    "/float",
    "/float/2001",
    "/plugins",
    "/cards",
    "/bank",
    "/interconnect",
    "/subsidies",
    "/subsidies/meals",
    "/api",
    "/sign-in",
]


@pytest.fixture
def look(client, operator):
    """Open a page as an operator, in a language."""

    def opened(path, lang="en"):
        answer = client.get(path, headers=operator | {"accept": "text/html", "accept-language": lang})
        assert (path, answer.status_code) == (path, 200)
        return html.fromstring(answer.text)

    return opened


def words(page):
    return " ".join(page.xpath("//body")[0].text_content().split())


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize("lang", ["en", "zh"])
def test_every_page_says_its_language_its_title_and_one_heading(look, path, lang):
    page = look(path, lang)
    assert page.get("lang") == lang
    assert page.xpath("//title")[0].text.strip()
    assert len(page.xpath("//h1")) == 1
    assert page.xpath("//meta[@name='viewport']")


@pytest.mark.parametrize("path", PAGES)
def test_every_label_points_to_something_and_every_picture_has_a_name(look, path):
    page = look(path)
    names = set(page.xpath("//@id"))
    assert [one for one in page.xpath("//@aria-labelledby") if one not in names] == []
    assert len(page.xpath("//@id")) == len(names)
    assert [one for one in page.xpath("//svg[@role='img']") if not one.get("aria-label")] == []
    assert [
        one
        for one in page.xpath("//input[not(@type='hidden' or @hidden)]")
        if not one.xpath("ancestor::label")
    ] == []


# Names of things and of languages, and words of the command line, are the same in every language.
NAMES = {
    *("Haibin", "English", "OpenAPI", "RFC", "citycard", "Cookie", "Harbour", "Ferry", "access", "grant"),
    *("PDF", "CSV"),
}
# Sums, code, and a plugin's own title and reasons are not the core's words.
OUTSIDE = (
    "//code|//pre|//table|//dd|//svg[contains(@class, 'chart')]|//*[@class='legend']|//*[@class='notice']"
    "|//h2[starts-with(@id, 'plugin-')]"
)


@pytest.mark.parametrize("path", PAGES)
def test_no_english_is_left_on_a_chinese_page_but_names(look, path):
    page = look(path, "zh")
    for outside in page.xpath(OUTSIDE):
        outside.drop_tree()
    left = [word for word in words(page).split() if word.isascii() and word.isalpha() and word not in NAMES]
    assert left == []


def test_the_day_tells_what_was_tapped_and_what_it_cost(look):
    page = look("/")
    assert "Haibin, March 2, 2026: 8 taps" in words(page)
    facts = [" ".join(fact.text_content().split()) for fact in page.xpath("//dl[@class='facts']/div")]
    assert facts == [
        "Taps84 cards issued",
        # One of six was free.
        "Paid uses5¥4.05 on average",
        "Charged¥20.25by 2 partners",
        "Records cleared9each with one end and one reason",
    ]
    assert "Balanced to the fen" in words(page)


def test_each_chart_has_the_words_that_it_draws(look):
    page = look("/")
    titles = page.xpath("//svg[contains(@class, 'chart')]/@aria-label")
    assert titles == [
        "Taps over the day",
        "Charged by partner: Harbour Ferry ¥18.25; Park & <Gates> ¥2.00",
        "Uses by amount",
        "Taken in: ¥200.00",
        "Where the money is now",
        "Records by the state they ended in",
    ]
    assert "Harbour Ferry: ¥18.25" in [title.text for title in page.xpath("//svg//rect/title")]


def test_names_from_outside_are_escaped(client, operator):
    for path in ("/", "/partners", "/partners/park-gates"):
        text = client.get(path, headers=operator | {"accept": "text/html"}).text
        assert ("Park &amp; &lt;Gates&gt;" in text, "<Gates>" in text) == (True, False)


def read_as(client, headers, path):
    return html.fromstring(client.get(path, headers=headers | {"accept": "text/html"}).text)


def test_a_partner_finds_its_own_statement_in_the_menu(client, bearer):
    page = read_as(client, bearer[Role.PARTNER], "/")
    entry = page.xpath("//ul[@class='menu']//a[normalize-space()='My statement']/@href")
    assert entry == ["/partners/harbour-ferry"]
    statement = read_as(client, bearer[Role.PARTNER], entry[0])
    assert statement.xpath("//h1")[0].text == "Harbour Ferry"
    assert statement.xpath("//main//a[@href='/partners']") == []


@pytest.mark.parametrize(("role", "links"), [(Role.CLERK, 0), (Role.OPERATOR, 2), (Role.AUDITOR, 2)])
def test_partners_are_linked_for_those_who_may_read_their_statements(client, bearer, role, links):
    page = read_as(client, bearer[role], "/partners")
    assert len(page.xpath("//tbody/tr/td[1]/a")) == links
    assert page.xpath("//ul[@class='menu']//a[normalize-space()='My statement']") == []


def test_a_search_finds_by_either_end_and_says_how_many(look):
    assert "4 cards" in words(look("/cards?q=0310"))
    assert [link.text for link in look("/cards?q=0003").xpath("//td/a")] == ["03109901000000000003"]
    assert "No such card" in words(look("/cards?q=77"))
    assert "4 cards" in words(look("/cards?q= 03 10 "))


def test_a_cards_page_shows_its_purse_and_who_looked(look, town):
    page = look(f"/cards/{town.cards[1]}")
    assert "0310 9901 0000 0000 0002" in words(page)
    assert "In the purse¥47.25" in words(page)
    rows = [" ".join(row.text_content().split()) for row in page.xpath("//table")[0].xpath(".//tbody/tr")]
    assert "2026-03-02 06:44:00" in rows[0]
    assert "¥2.75" in rows[0]
    looks = page.xpath("//table")[1].xpath(".//tbody/tr")
    again = look(f"/cards/{town.cards[1]}").xpath("//table")[1].xpath(".//tbody/tr")
    assert len(again) == len(looks) + 1


def test_a_tap_leads_to_its_explanation(look, town):
    link = look(f"/cards/{town.cards[1]}").xpath("//tbody/tr/td/a/@href")[0]
    text = words(look(link))
    assert "Why it cost ¥2.75" in text
    assert "The card's seal (TAC)✓ holds" in text
    assert "cards/spent" in text
    assert "为什么是 ¥2.75" in words(look(link, "zh"))


def test_a_tap_shows_its_own_shares_before_the_postings(look, town):
    page = look(f"/cards/{town.cards[0]}/records/990100000001-1-3")
    shares, postings = page.xpath("//section[h2='Where the money went']//table")
    assert words_of(shares.xpath(".//tbody/tr")) == ["Harbour Ferry¥3.50"]
    assert any(row.startswith("cards/spent") for row in words_of(postings.xpath(".//tbody/tr")))


def test_an_entry_says_that_the_exit_pays(look, town):
    page = look(f"/cards/{town.cards[0]}/records/990100000001-1-1")
    assert "An entry is free. The exit pays for the ride." in words(page)


def test_a_tap_of_a_plugin_that_is_off_names_the_plugin_and_no_change_of_rules(look, switch, town):
    switch("disabled")
    text = words(look(f"/cards/{town.cards[0]}/records/990100000001-1-3"))
    assert "which had this service, is off" in text
    assert ("ServiceUnknown" in text, "rules have changed" in text) == (False, False)


def test_a_browser_that_asks_for_an_icon_is_led_to_the_mark(client):
    answer = client.get("/favicon.ico")
    assert (answer.status_code, answer.headers["location"]) == (301, "/static/mark.svg")
    assert client.get("/static/mark.svg").status_code == 200


def test_the_cheapest_rides_are_not_called_free():
    bands = [(0, 1), (0, 100), (100, 200), (200, None)]
    named = [
        fare_name(FareBand(from_fen=low, to_fen=high, rides=1), Language(code="en")) for low, high in bands
    ]
    assert named == ["free", "¥0.01–0.99", "¥1 to below ¥2", "¥2 and more"]


def words_of(rows):
    return [" ".join(row.text_content().split()) for row in rows]


def test_a_look_at_a_card_that_does_not_exist_is_not_recorded(client, city, operator):
    client.get("/cards/00000000000000000000", headers=operator)
    with reading(city.engine) as conn:
        assert readings(conn, "0" * 20) == []


def test_a_plugin_that_does_not_run_says_why(look, switch):
    switch("disabled")
    page = look("/plugins")
    assert "switched off by the test" in words(page)
    assert "disabled" in [tag.text for tag in page.xpath("//span[@class='tag ']")]


def test_records_that_wait_for_clearing_are_told(waiting_city, town):
    app = create_app(waiting_city)
    with TestClient(app, headers={"accept": "text/html"}) as client:
        waiting = words(html.fromstring(client.get("/").text))
        clear(waiting_city)
        cleared = words(html.fromstring(client.get("/").text))
    notice = "9 records were handed in and wait for the next clearing run."
    assert (notice in waiting, notice in cleared) == (True, False)
    assert ("Haibin, March 2, 2026: 8 taps" in waiting, "Haibin, March 2, 2026: 8 taps" in cleared) == (
        False,
        True,
    )


def test_the_language_is_kept_in_a_cookie(browser):
    answer = browser.get("/?lang=zh")
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("citycard_lang=zh;")
    assert {"HttpOnly", "SameSite=strict"} <= {part.strip() for part in cookie.split(";")}
    assert 'lang="zh"' in browser.get("/").text
    assert 'lang="en"' in browser.get("/?lang=en").text


def test_the_other_language_keeps_the_address_and_drops_a_token(client, operator):
    page = client.get("/cards?q=03&token=x&lang=en", headers=operator | {"accept": "text/html"}).text
    assert 'href="/cards?q=03&amp;lang=zh"' in page
