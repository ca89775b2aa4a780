"""Taps are priced by the settings of the configuration that their terminal worked under."""

import datetime as dt
import sys

import pytest
from sqlalchemy import event

from citycard.city import City
from citycard.city.till import Sale

DAY = dt.timedelta(days=1)


@pytest.fixture
def town(market_town):
    made = market_town(
        settings={"market": {"price_fen": 300, "opened": dt.date(2026, 2, 1), "token": "hush"}}
    )
    made.partner("melons")
    return made


def one(visit):
    facts = sys.modules["citycard_market.plugin"].Stall(pieces=1)
    return Sale(service="stall", amount_fen=visit.price("stall", facts).amount_fen, facts=facts)


def codes(report):
    return {total.code: total.records for total in report.totals}


def new_price(town, price_fen):
    path = town.city.folder / "city.toml"
    path.write_text(path.read_text().replace('"price_fen" = 300', f'"price_fen" = {price_fen}'))
    town.city.plugins.disable("market", by="council")
    town.city.plugins.enable("market", by="council")


@pytest.mark.parametrize("engine", ["local", "pool:2"])
def test_a_tap_under_an_old_configuration_costs_what_it_cost_then(town, engine):
    from citycard.clearing import clear

    card, late, prompt = town.card(), *(town.till(town.terminal("melons")) for _ in range(2))
    town.load(card, 5000)
    assert late.serve(card.reader, town.now, one).amount_fen == 300
    new_price(town, 500)
    assert prompt.refresh() > late.config_number
    assert prompt.serve(card.reader, town.pass_time(DAY), one).amount_fen == 500
    town.hand_in(late, prompt)
    report = clear(town.city, engine=engine)
    assert codes(report) == {"OK": 2}
    assert town.statement("melons").net_fen == 800
    town.check_books()


def test_a_run_asks_once_what_the_prices_are_and_not_for_each_record(town):
    asked = []
    card, till = town.card(), town.till(town.terminal("melons"))
    town.load(card, 50_000)
    for _ in range(20):
        till.serve(card.reader, town.pass_time(dt.timedelta(minutes=1)), one)
    town.hand_in(till)

    @event.listens_for(town.city.engine, "before_cursor_execute")
    def note(conn, cursor, statement, *rest):
        asked.append(statement)

    from citycard.clearing import clear

    assert codes(clear(town.city, engine="local")) == {"OK": 20}
    assert 1 <= sum("terminal_configuration" in statement for statement in asked) < 10


def test_a_tap_of_a_domain_that_was_switched_off_since_is_paid(town):
    card, till = town.card(), town.till(town.terminal("melons"))
    town.load(card, 5000)
    till.serve(card.reader, town.now, one)
    town.city.plugins.disable("market", by="council")
    assert codes(town.clear(till)) == {"OK": 1}
    assert town.statement("melons").net_fen == 300


def test_a_terminal_that_charges_the_new_price_under_the_old_configuration_is_found(town):
    card, till = town.card(), town.till(town.terminal("melons"))
    town.load(card, 5000)
    facts = sys.modules["citycard_market.plugin"].Stall(pieces=1)
    new_price(town, 500)
    till.serve(card.reader, town.now, lambda _: Sale(service="stall", amount_fen=500, facts=facts))
    assert codes(town.clear(till)) == {"P01": 1}


def test_a_till_charges_by_the_configuration_that_it_has_until_it_refreshes(town):
    card, till = town.card(), town.till(town.terminal("melons"))
    town.load(card, 5000)
    new_price(town, 500)
    town.city.configuration()
    assert till.serve(card.reader, town.now, one).amount_fen == 300
    till.refresh()
    assert till.serve(card.reader, town.pass_time(DAY), one).amount_fen == 500
    assert codes(town.clear(till)) == {"OK": 2}


def test_another_process_learns_of_configurations_that_are_published_meanwhile(town):
    card, till = town.card(), town.till(town.terminal("melons"))
    town.load(card, 5000)
    other = City.open(town.city.folder, clock=town.city.clock)
    assert not other.tariffs.change
    till.serve(card.reader, town.now, one)
    new_price(town, 500)
    town.city.configuration()
    other.plugins.refresh()
    assert other.tariffs.change
    other.close()


def test_a_plugin_that_came_since_has_no_word_in_earlier_prices(town):
    town.city.configuration()
    new_price(town, 500)
    (earlier,) = town.city.tariffs.earlier
    then = town.city.plugins.under({})
    assert [owned.owner.plugin for owned in then.services()] == []
    assert "market" in earlier[1]


def test_no_secret_is_kept_with_the_settings(town):
    town.city.configuration()
    new_price(town, 500)
    (earlier,) = town.city.tariffs.earlier
    assert earlier[1] == {"market": {"price_fen": 300, "opened": {"toml": "2026-02-01"}}}


def test_the_same_settings_are_the_tariff_of_now(town):
    town.city.configuration()
    town.city.plugins.disable("market", district="harbour", by="council")
    town.city.configuration()
    assert not town.city.tariffs.change
    again = City.open(town.city.folder, clock=town.city.clock)
    assert not again.tariffs.change
    again.close()
