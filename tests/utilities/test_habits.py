"""What a simulated city buys has a price by the city's own rules, and is credit that some meter may take."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

from citycard.clearing.pricing import quote
from citycard_utilities.habits import habits
from citycard_utilities.rules import fee_rules
from citycard_utilities.services import services
from citycard_utilities.settings import Biller, Price, Tier, UtilitySettings

GAS = Biller(id="gas-works", number=3, kind="gas", name="Gas")
WATER = Biller(id="water-works", number=1, kind="water", name="Water")
PRICE = Price(name="gas", kind="gas", tiers=(Tier(above_units=0, fen=263),))


def test_every_habit_has_a_price_and_only_priced_kinds_are_bought():
    settings = UtilitySettings(billers=(WATER, GAS), prices=(PRICE,))
    taps = [tap for habit in habits(settings) for tap in habit.there]
    assert {tap.partner for tap in taps} == {"gas-works"}
    (credit,) = [one for one in services(settings) if one.habits]
    rules = list(fee_rules(settings))
    at = dt.datetime(2026, 3, 2, 12)
    record = SimpleNamespace(at=at, card_kind=17, list_price_fen=0, kind=3, flags=0)
    fen = [quote(credit.request(record, tap.facts), rules).amount_fen for tap in taps]
    assert fen == [263 * units for units in (10, 20, 50)]


def test_a_city_without_prices_for_credit_has_no_habits():
    assert list(habits(UtilitySettings(billers=(WATER,)))) == []


def test_the_services_have_their_numbers(settings):
    assert [(one.name, one.number) for one in services(settings)] == [
        ("utilities-bill", 100),
        ("utilities-credit", 101),
        ("utilities-meter", 102),
    ]
