"""Late fees, tiers and concessions; to the fen, and never less for more."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard import PriceRequest
from citycard.clearing import RuleBook
from citycard_utilities.rules import BILL, CREDIT, fee_rules, late_fen, tiered_fen
from citycard_utilities.settings import Concession, LateFee, Price, Tier, UtilitySettings

DUE = dt.date(2026, 3, 20)
LATE = LateFee(name="late", kinds=("water",), grace_days=2, bp_per_day=50, most_bp=1000)
PRICE = Price(
    name="gas",
    kind="gas",
    tiers=(Tier(above_units=0, fen=263), Tier(above_units=50, fen=316), Tier(above_units=80, fen=395)),
)
ELDERS = Concession(name="elders", kinds=("gas",), card_kinds=(3,), percent=80)
SETTINGS = UtilitySettings(late_fees=(LATE,), prices=(PRICE,), concessions=(ELDERS,))


@pytest.mark.parametrize(
    ("days", "fee"), [(-9, 0), (0, 0), (2, 0), (3, 50), (4, 100), (22, 1000), (400, 1000)]
)
def test_a_late_bill_costs_more_each_day_until_the_most(days, fee):
    assert late_fen(SETTINGS, "water", 10_000, DUE, DUE + dt.timedelta(days=days)) == fee


def test_other_kinds_and_bills_without_a_due_date_cost_nothing_more():
    on = DUE + dt.timedelta(days=99)
    assert late_fen(SETTINGS, "gas", 10_000, DUE, on) == late_fen(SETTINGS, "water", 10_000, None, on) == 0


@given(st.integers(0, 10**8), st.integers(-10, 500))
def test_what_a_terminal_asks_and_what_the_desk_adds_is_the_same(amount_fen, days):
    at = dt.datetime.combine(DUE + dt.timedelta(days=days), dt.time(9))
    asked = PriceRequest(service=BILL, at=at, list_price_fen=amount_fen, facts={"kind": "water", "due": DUE})
    quote = RuleBook(fee_rules(SETTINGS)).quote(asked)
    assert quote.amount_fen == amount_fen + late_fen(SETTINGS, "water", amount_fen, DUE, at.date())


@pytest.mark.parametrize(
    ("units", "before", "fen"),
    [
        (100, 0, 263),
        (5000, 0, 13_150),
        (6000, 0, 16_310),
        (1000, 4500, 2895),
        (100, 5000, 316),
        (100, 99_000, 395),
        (1, 0, 3),
        (0, 0, 0),
    ],
)
def test_each_part_of_the_year_costs_what_its_tier_says(units, before, fen):
    assert tiered_fen(PRICE, units, before) == fen


@given(st.integers(0, 10**6), st.integers(0, 10**6), st.integers(0, 10**6))
def test_buying_in_two_parts_costs_the_same_but_for_rounding_each(first, second, before):
    whole = tiered_fen(PRICE, first + second, before)
    parts = tiered_fen(PRICE, first, before) + tiered_fen(PRICE, second, before + first)
    assert abs(whole - parts) <= 1
    assert whole >= tiered_fen(PRICE, first, before)


def test_a_concession_is_for_the_kinds_of_card_that_it_names():
    book = RuleBook(fee_rules(SETTINGS))

    def price(card_kind):
        facts = {"kind": "gas", "units": 1000, "year_units": 0, "card_kind": card_kind}
        at = dt.datetime.combine(DUE, dt.time(9))
        return book.quote(PriceRequest(service=CREDIT, at=at, facts=facts)).amount_fen

    assert (price(17), price(3)) == (2630, 2104)


def test_a_rules_version_changes_when_its_words_do():
    def versions(settings):
        return {rule.name: rule.version for rule in fee_rules(settings)}

    other = UtilitySettings(late_fees=(LateFee(name="late", kinds=("water",), bp_per_day=51),))
    assert versions(SETTINGS) == versions(SETTINGS)
    assert versions(SETTINGS)["late"] != versions(other)["late"]
