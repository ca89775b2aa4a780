import pytest

from citycard.web.permissions import Role

ASN = "01019901000000000001"
PAGE = {"accept": "text/html"}


@pytest.fixture
def town(market_town):
    made = market_town()
    made.card()
    return made


def test_a_plugins_template_has_the_citys_frame_and_is_escaped(town):
    page = town.client("operator").get(f"/market/stalls/{ASN}", headers=PAGE)
    assert page.status_code == 200
    assert "Your &lt;stalls&gt;" in page.text
    assert "Haibin" in page.text
    assert "3.00" in page.text


def test_a_plugins_permission_given_to_a_role_reaches_its_own_or_everything(town):
    path = f"/market/stalls/{ASN}"
    assert town.client(Role.CITIZEN, ASN).get(path).status_code == 200
    assert town.client(Role.CITIZEN, ASN[:-1] + "9").get(path).status_code == 403
    assert town.client(Role.CLERK).get(path).status_code == 200
    assert town.client(Role.PARTNER, "city-desk").get(path).status_code == 403
    assert town.client("public").get(path).status_code == 401


def test_a_card_page_tells_what_happened_in_every_domain_newest_first(town):
    page = town.client(Role.CITIZEN, ASN).get(f"/cards/{ASN}", headers=PAGE).text
    assert page.index("You were here") < page.index("You bought a melon")
    assert f'href="/market/stalls/{ASN}"' in page
    chinese = town.client(Role.CITIZEN, ASN).get(f"/cards/{ASN}?lang=zh", headers=PAGE).text
    assert "您买了一个瓜" in chinese


def test_a_plugin_that_raises_says_nothing_on_a_card_page(town):
    town.card()
    asn = town.card().asn
    page = town.client(Role.CITIZEN, asn).get(f"/cards/{asn}", headers=PAGE)
    assert page.status_code == 200
    assert "melon" not in page.text
    assert town.city.plugins.report("market").failures == 1


def test_what_happened_to_a_holder_is_shown_to_the_holder_alone(town):
    for role in ("operator", "clerk", "auditor"):
        assert "melon" not in town.client(role).get(f"/cards/{ASN}", headers=PAGE).text
