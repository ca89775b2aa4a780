"""What an operator sees of the bank, and works on."""

from __future__ import annotations

import pytest
from lxml import html

from citycard.web.permissions import Role


@pytest.fixture
def look(client, bearer):
    def opened(path, role=Role.OPERATOR, lang="en"):
        wish = bearer[role] | {"accept": "text/html", "accept-language": lang}
        answer = client.get(path, headers=wish)
        assert (path, answer.status_code) == (path, 200)
        return html.fromstring(answer.text)

    return opened


def words(page):
    return " ".join(page.xpath("//main")[0].text_content().split())


def test_the_bank_shows_its_sums_its_exceptions_and_its_payments(look, town):
    page = look("/bank")
    assert [one.text for one in page.xpath("//h2")] == [
        "Exceptions",
        "The bank and the books",
        "Payments",
        "Statements",
    ]
    assert page.xpath(f"//a[@href='/bank/exceptions/{town.case}']")
    facts = dict(zip(page.xpath("//dt/text()"), page.xpath("//dd/text()"), strict=True))
    assert facts["Left unexplained"] == "¥0.00"


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_an_exception_tells_its_story_and_offers_what_fits_it(look, town, lang):
    page = look(f"/bank/exceptions/{town.case}", lang=lang)
    assert page.xpath("//form[contains(@action, '/resolve')]//option/@value") == ["not-paid"]
    assert len(page.xpath("//tbody/tr")) == 1


def test_an_auditor_sees_an_exception_and_cannot_change_it(look, town):
    page = look(f"/bank/exceptions/{town.case}", Role.AUDITOR)
    assert page.xpath("//form[contains(@action, '/bank')]") == []


def test_an_exception_is_taken_from_its_page(browser, tokens, town):
    browser.get(f"/sign-in?token={tokens[Role.OPERATOR]}")
    at = f"/bank/exceptions/{town.case}"
    form = html.fromstring(browser.get(at).text).xpath(f"//form[@action='{at}/take']")[0]
    sent = browser.post(f"{at}/take", data=dict(form.form_values()))
    assert (sent.status_code, sent.headers["location"]) == (303, at)
    again = browser.post(f"{at}/take", data=dict(form.form_values()))
    assert again.status_code == 303
    assert "being worked on" in words(html.fromstring(browser.get(at).text))
