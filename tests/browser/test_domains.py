"""All eight domains alive: what an operator, a partner and a citizen see of each, in both languages.

With ``CITYCARD_TEST_SCREENSHOTS`` a folder, what is seen is kept there as pictures, as in ``docs/images``.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import pytest
from selenium.webdriver.common.by import By

from citycard.city import City
from citycard.registry import partners
from citycard.store import reading

pytestmark = pytest.mark.browser

DOMAINS = ("transit", "utilities", "retail", "tourism", "campus", "community", "egov", "health")
CALL = [sys.executable, "-c", "from citycard.cli.main import main; main()"]
PHONE = 380
WIDER = """return [...document.querySelectorAll('main *')].filter(one => !one.closest('.scroll, pre, svg'))
  .filter(one => one.getBoundingClientRect().right > window.innerWidth + 1)
  .map(one => one.outerHTML.slice(0, 80))"""


def texts(browser, selector):
    return [one.text for one in browser.find_elements(By.CSS_SELECTOR, selector)]


def complaints(browser):
    return [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]


def keep(browser, name):
    """Keep a picture of what is seen of the page, where somebody wants it."""
    folder = os.environ.get("CITYCARD_TEST_SCREENSHOTS")
    if folder:
        picture = browser.execute_cdp_cmd("Page.captureScreenshot", {"format": "png"})["data"]
        Path(folder).mkdir(parents=True, exist_ok=True)
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(picture))


def granted(haibin, *words):
    call = [*CALL, "access", "grant", *words, "--json", "--city", str(haibin)]
    return json.loads(subprocess.run(call, capture_output=True, text=True, check=True, timeout=60).stdout)[
        "token"
    ]


@pytest.fixture
def somebody(chromium, haibin, haibin_server):
    """Return a function that signs somebody in, by the words of ``access grant``."""

    def sign_in(*words):
        chromium.execute_cdp_cmd("Network.clearBrowserCookies", {})
        chromium.set_window_size(1280, 900)
        chromium.get(f"{haibin_server[0]}/sign-in?token={granted(haibin, *words)}")
        chromium.get_log("browser")
        return chromium

    return sign_in


@pytest.fixture(scope="module")
def citizen(haibin):
    """The card of the citizen who uses everything."""
    from citycard.simulate.living import open_accounts

    city = City.open(haibin)
    yield open_accounts(city)[0]
    city.close()


def menu(browser):
    links = browser.find_elements(By.CSS_SELECTOR, "nav a")
    return {link.get_attribute("href").split("//", 1)[1].partition("/")[2]: link.text for link in links}


def check_page(browser, address, name):
    """Look at a page in both languages and on a phone."""
    for language in ("en", "zh"):
        browser.get(f"{address}{'&' if '?' in address else '?'}lang={language}")
        assert browser.find_element(By.TAG_NAME, "html").get_attribute("lang") == language
        assert browser.find_element(By.TAG_NAME, "h1").text.strip(), name
        # What is worth a picture stands further down where there is a list of events.
        browser.execute_script("document.getElementById('events')?.scrollIntoView()")
        keep(browser, f"{name}-{language}")
    metrics = {"width": PHONE, "height": 800, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        browser.get(address)
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        found = (name, wide, browser.execute_script(WIDER), complaints(browser))
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    browser.get(f"{address}{'&' if '?' in address else '?'}lang=en")
    assert found == (name, PHONE, [], [])


def test_an_operator_opens_the_pages_of_every_domain_from_the_menu(somebody, haibin_server):
    browser = somebody("--role", "operator")
    entries = menu(browser)
    mine = {name: [path for path in entries if path.partition("/")[0] == name] for name in DOMAINS}
    assert all(mine.values()), mine
    for paths in mine.values():
        for path in paths:
            check_page(browser, f"{haibin_server[0]}/{path}", path.replace("/", "-"))
    for path in ("plugins", "supervision", "partners"):
        check_page(browser, f"{haibin_server[0]}/{path}", path)


def test_a_city_that_has_lived_is_well(haibin_server):
    parts = httpx.get(f"{haibin_server[0]}/api/health", timeout=60).json()["parts"]
    assert [part["name"] for part in parts if not part["well"]] == []


def test_the_card_of_a_citizen_tells_what_happened_in_every_domain(somebody, haibin_server, citizen):
    browser = somebody("--role", "citizen", "--for", citizen)
    check_page(browser, f"{haibin_server[0]}/cards/{citizen}", "citizen")
    paths = [link.get_attribute("href") for link in browser.find_elements(By.CSS_SELECTOR, "#events a")]
    told = {path.split("//", 1)[1].partition("/")[2].partition("/")[0] for path in paths}
    assert told >= set(DOMAINS) - {"transit"}
    for name in DOMAINS:
        for path in [path for path in menu(browser) if path.partition("/")[0] == name]:
            check_page(browser, f"{haibin_server[0]}/{path}", f"citizen-{path.replace('/', '-')}")


def test_partners_of_every_domain_have_a_statement(somebody, haibin, haibin_server):
    city = City.open(haibin)
    with reading(city.engine) as conn:
        known = [partner.id for partner in partners(conn)]
    by_domain = {name: set() for name in DOMAINS}
    for owned in city.plugins.participants():
        by_domain[owned.owner.plugin].add(owned.record.id)
    city.close()
    browser = somebody("--role", "operator")
    paid = set()
    for partner in known:
        browser.get(f"{haibin_server[0]}/partners/{partner}")
        if any(words.startswith("Clearing run") for words in texts(browser, "h2")):
            paid.add(partner)
    without = [name for name, partners_of in by_domain.items() if partners_of and not partners_of & paid]
    assert without == []
    assert len(paid) >= len(DOMAINS)
