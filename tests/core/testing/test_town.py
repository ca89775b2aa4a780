import datetime as dt

import attrs
import pytest

from citycard import registry
from citycard.store import reading
from citycard.testing.town import Town

DAY = dt.timedelta(days=1)


@pytest.fixture
def town(tmp_path):
    made = Town.make(tmp_path)
    yield made
    made.close()


def test_its_clock_stands_still_until_time_passes(town):
    before = town.now
    assert town.now == before
    assert town.pass_time(DAY) == before + DAY


def test_its_cards_are_loaded_and_its_books_say_so(town):
    card = town.card()
    assert town.load(card, 5000) == 5000
    assert town.account(card, 700) == card.asn
    town.clear()
    town.check_books()


def test_books_that_do_not_say_what_is_on_a_card_are_told(town):
    card = town.card()
    town.load(card, 5000)
    town.cards.append(attrs.evolve(town.card(), asn=card.asn))
    with pytest.raises(AssertionError, match=card.asn):
        town.check_books()


def test_its_partners_have_terminals_and_districts(town):
    town.partner("shop", district="harbour")
    town.partner("shop", district="harbour")
    number = town.terminal("shop")
    with reading(town.city.engine) as conn:
        assert registry.find_terminal(conn, number).partner == "shop"


def test_its_clients_are_who_they_say(town):
    assert town.client("operator").get("/partners", headers={"accept": "text/html"}).status_code == 200
    assert town.client("public").get("/partners", headers={"accept": "application/json"}).status_code == 401


def test_together_every_plugin_is_on_in_an_order_of_the_seeds(market_town, monkeypatch):
    monkeypatch.setenv("CITYCARD_TEST_TOGETHER", "7")
    town = market_town()
    assert "market" in town.city.config.enable
    assert set(town.city.config.enable) == set(town.city.config.allow)
