"""What a person sees and does in a browser, from the first look to a tap explained."""

from __future__ import annotations

import json
import re

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

pytestmark = pytest.mark.browser

PAGES = ["/", "/partners", "/plugins", "/cards", "/api", "/sign-in"]
NARROW = 360


def text(browser, selector):
    return browser.find_element(By.CSS_SELECTOR, selector).text


def every(browser, selector):
    return browser.find_elements(By.CSS_SELECTOR, selector)


def follow(browser, words):
    """Click a link or button by its words and wait until its page is there."""
    before = browser.find_element(By.TAG_NAME, "html")
    browser.find_element(
        By.XPATH, f'//a[normalize-space()="{words}"]|//button[normalize-space()="{words}"]'
    ).click()
    WebDriverWait(browser, 30).until(lambda driver: driver.find_element(By.TAG_NAME, "html") != before)


def complaints(browser):
    return [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]


def test_a_newcomer_sees_the_day_of_the_city(browser):
    assert re.fullmatch(r"Haibin, .*\d{4}: [\d,]+ taps", text(browser, "h1"))
    assert [heading.text for heading in every(browser, ".panel h2")] == [
        "Taps over the day",
        "What each partner earned",
        "What a use cost",
        "Where every fen is",
        "What became of every record",
        "What the card does here",
        "From a tap to the bank",
    ]
    assert "Balanced to the fen" in text(browser, "[aria-labelledby=h-float]")
    assert complaints(browser) == []


def test_the_charts_are_really_drawn(browser):
    columns = every(browser, "[aria-labelledby=h-time] .chart g rect")
    drawn = [one.size for one in columns]
    assert len(drawn) > 10
    assert all(one["width"] > 2 for one in drawn)
    assert max(one["height"] for one in drawn) > 40
    colours = {one.value_of_css_property("fill") for one in columns}
    assert len(colours) == 3, "entries, exits and single taps have a colour each"


def test_a_chart_opens_as_a_table(browser):
    details = browser.find_element(By.CSS_SELECTOR, "[aria-labelledby=h-time] details")
    table = details.find_element(By.TAG_NAME, "table")
    assert not table.is_displayed()
    details.find_element(By.TAG_NAME, "summary").click()
    assert table.is_displayed()


def test_signing_in_by_link_leaves_no_token_in_the_address(operator, server):
    assert operator.current_url == f"{server[0]}/"
    assert text(operator, ".tools").split() == ["中文", "Operator", "Sign", "out"]
    cookie = operator.get_cookie("citycard_session")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    assert operator.execute_script("return document.cookie") == ""


def test_a_page_asks_to_sign_in_and_comes_back(browser, server):
    browser.get(f"{server[0]}/partners")
    token = server[1].rpartition("=")[2]
    field = browser.find_element(By.NAME, "token")
    field.send_keys("wrong", Keys.ENTER)
    WebDriverWait(browser, 30).until(lambda driver: "not valid" in driver.page_source)
    browser.get(f"{server[0]}/partners")
    browser.find_element(By.NAME, "token").send_keys(token)
    browser.find_element(By.CSS_SELECTOR, "main button").click()
    WebDriverWait(browser, 30).until(lambda driver: "Everyone who takes the card" in driver.page_source)


def test_signing_out_closes_the_pages(operator, server):
    follow(operator, "Sign out")
    operator.get(f"{server[0]}/partners")
    assert text(operator, "h1") == "Sign in"


def test_from_the_day_to_a_statement(operator):
    follow(operator, "Partners")
    names = [link.text for link in every(operator, "tbody a")]
    assert len(names) > 1
    follow(operator, names[0])
    assert text(operator, "h1") == names[0]
    assert "Clearing run 1" in [heading.text for heading in every(operator, "h2")]
    gross, fee, net = (
        int(re.sub(r"[^\d]", "", cell.text)) for cell in every(operator, "tfoot tr td:last-child")
    )
    assert gross - fee == net


def test_from_a_search_to_a_tap_explained(operator):
    follow(operator, "Cards")
    operator.find_element(By.NAME, "q").send_keys("0", Keys.ENTER)
    WebDriverWait(operator, 30).until(lambda driver: "q=0" in driver.current_url)
    number = every(operator, "tbody a")[0].text
    follow(operator, number)
    assert text(operator, "h1").replace(" ", "") == number
    assert "In the purse" in text(operator, ".facts")
    every(operator, "tbody a")[0].click()
    WebDriverWait(operator, 30).until(lambda driver: "/records/" in driver.current_url)
    assert "The card's seal (TAC)" in operator.page_source
    assert [tag.text for tag in every(operator, ".pairs .tag")] == ["✓ holds", "✓ holds"]
    follow(operator, f"← Card {number}")
    assert "record" in [
        row.text.split()[-1]
        for row in every(operator, "table")[-1].find_elements(By.CSS_SELECTOR, "tbody tr")
    ]


def test_the_plugins_page_shows_transit_running(operator):
    follow(operator, "Plugins")
    panel = operator.find_element(By.CSS_SELECTOR, "[aria-labelledby=plugin-transit]")
    assert "enabled" in panel.find_element(By.TAG_NAME, "h2").text


@pytest.mark.parametrize("page", PAGES)
def test_no_page_is_wider_than_a_phone_and_nothing_breaks_the_policy(operator, server, page):
    operator.set_window_size(500, 800)
    metrics = {"width": NARROW, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    operator.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        operator.get(f"{server[0]}{page}")
        width = operator.execute_script("return document.documentElement.scrollWidth")
        # Whatever is wider scrolls inside its own box.
        wide = operator.execute_script(
            "return [...document.querySelectorAll('main *')]"
            ".filter(one => !one.closest('.scroll, pre, svg'))"
            ".filter(one => one.getBoundingClientRect().right > window.innerWidth + 1)"
            ".map(one => one.outerHTML.slice(0, 80))"
        )
    finally:
        operator.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (width, wide, complaints(operator)) == (NARROW, [], [])


@pytest.mark.parametrize("path", ["/", "/partners", "/cards?q=0", "/transit/rules"])
def test_on_a_phone_no_sum_breaks_and_no_chinese_stands_upright(operator, server, path):
    operator.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 380, "height": 800, "deviceScaleFactor": 1, "mobile": True},
    )
    try:
        operator.get(f"{server[0]}{path}{'&' if '?' in path else '?'}lang=zh")
        broken = operator.execute_script(BROKEN)
        touching = operator.execute_script(TOUCHING)
        wide = operator.execute_script("return document.documentElement.scrollWidth")
    finally:
        operator.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert (broken, touching, wide) == ([], [], 380)


# Numbers that are on two lines, and cells of few letters that are a letter wide.
BROKEN = r"""
const found = [];
const walk = document.createTreeWalker(document.querySelector('main'), NodeFilter.SHOW_TEXT);
for (let node; node = walk.nextNode();) {
  if (node.parentElement.closest('svg, .scroll pre, details:not([open])')) continue;
  for (const match of node.data.matchAll(/-?¥[\d,.]*\d/g)) {
    const range = document.createRange();
    range.setStart(node, match.index); range.setEnd(node, match.index + match[0].length);
    if (new Set([...range.getClientRects()].map(box => Math.round(box.top))).size > 1) found.push(match[0]);
  }
}
for (const cell of document.querySelectorAll('td, th')) {
  const text = cell.innerText.trim();
  if (text.length > 1 && text.length < 5 && cell.clientHeight > 70 && cell.clientWidth < 40) found.push(text);
}
return found
"""
TOUCHING = r"""
return [...document.querySelectorAll('.chart .value')].filter(value => {
  const name = [...value.parentElement.querySelectorAll('.name')].filter(
    one => one.getAttribute('y') === value.getAttribute('y') && one.getBoundingClientRect().width)[0];
  return name && name.getBoundingClientRect().right + 8 > value.getBoundingClientRect().left;
}).map(value => value.textContent)
"""


LUMINANCE = """
const part = text => { const [r, g, b] = text.match(/[\\d.]+/g).map(Number);
  return [r, g, b].map(v => { v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 })
    .reduce((sum, v, place) => sum + v * [.2126, .7152, .0722][place], 0) };
const ground = one => { for (; one; one = one.parentElement) {
  const colour = getComputedStyle(one).backgroundColor;
  if (!/, 0\\)|transparent/.test(colour) && !colour.startsWith('color(')) return colour }
  return 'rgb(255,255,255)' };
return [...document.querySelectorAll('h1, h2, h3, p, dt, dd, li, td, th, a, button, label, summary')]
  .filter(one => one.innerText && one.innerText.trim())
  .filter(one => !one.querySelector('.tag') && !one.closest('svg, .skip'))
  .map(one => { const fore = part(getComputedStyle(one).color), back = part(ground(one));
    return [(Math.max(fore, back) + .05) / (Math.min(fore, back) + .05), one.innerText.slice(0, 40)] })
  .filter(([ratio]) => ratio < 4.5)
"""


@pytest.mark.parametrize("width", [1280, 1100, 900])
def test_nothing_of_the_float_stands_out_of_its_frame(operator, server, width):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    operator.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        operator.get(f"{server[0]}/float")
        outside = operator.execute_script(
            """return [...document.querySelectorAll('.fact dd')].flatMap(frame =>
            [frame, ...frame.querySelectorAll('*')].filter(one => one.scrollWidth > one.clientWidth
            && one.clientWidth || one.getBoundingClientRect().right
            > frame.getBoundingClientRect().right + 1).map(one => one.textContent));"""
        )
    finally:
        operator.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert outside == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words_stand_out_from_their_ground_in_both_schemes(operator, server, scheme):
    media = [{"name": "prefers-color-scheme", "value": scheme}]
    operator.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": media})
    for page in PAGES:
        operator.get(f"{server[0]}{page}")
        assert (page, operator.execute_script(LUMINANCE)) == (page, [])
    shown = operator.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    assert (max(map(int, re.findall(r"\d+", shown)[:3])) < 64) is (scheme == "dark")


def test_chinese_is_one_click_away_and_stays(browser, server):
    follow(browser, "中文")
    assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == "zh"
    assert text(browser, "h1").startswith("海滨市，")
    browser.get(f"{server[0]}/sign-in")
    assert text(browser, "h1") == "登录"
    follow(browser, "English")
    assert text(browser, "h1") == "Sign in"


def test_the_fare_rules_are_a_table_that_a_person_can_read(operator, server):
    follow(operator, "Fare rules")
    rows = [row.text for row in every(operator, "tbody tr")]
    assert any("pays 80 %" in row and "bus" in row for row in rows)
    operator.get(f"{server[0]}/transit/rules?lang=zh")
    assert text(operator, "h1") == "票价规则"
    assert any("每日最多" in row.text for row in every(operator, "tbody tr"))


def test_the_keyboard_reaches_the_content_first(browser):
    browser.find_element(By.TAG_NAME, "body").send_keys(Keys.TAB)
    focused = browser.switch_to.active_element
    assert (focused.text, focused.get_attribute("href").rpartition("#")[2]) == (
        "Skip to the content",
        "content",
    )


def test_what_a_program_reads_is_what_the_page_shows(browser, server):
    browser.get(f"{server[0]}/api/day")
    day = json.loads(text(browser, "body"))
    browser.get(server[0])
    assert text(browser, "h1").endswith(f"{day['taps']:,} taps")
    assert day["float"]["difference_fen"] == 0


def test_an_address_that_leads_nowhere_is_friendly(browser, server):
    browser.get(f"{server[0]}/nowhere")
    assert text(browser, "h1") == "There is nothing here"
    follow(browser, "Go to the city's day")
    assert "Haibin" in text(browser, "h1")
