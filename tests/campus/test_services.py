import datetime as dt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from schooltown import SETTINGS

from citycard.card.codec import decode, encode, evolve, layout_of
from citycard.clearing.columns import RECORD, dtype_of
from citycard.clearing.pricing import RuleBook
from citycard.errors import PriceUnknown
from citycard.kernel.settings import structure
from citycard.terminal.record import TransactionRecord
from citycard_campus.fares import fee_rules
from citycard_campus.habits import habits
from citycard_campus.sectors import MealFacts, Role
from citycard_campus.services import NUMBERS, accounts, participants, services
from citycard_campus.settings import CampusSettings

MADE = structure(CampusSettings, SETTINGS, where="plugins.campus")
MEAL = next(one for one in services(MADE) if one.number == NUMBERS["campus-canteen"])
BOOK = RuleBook(fee_rules(MADE))
EXAMPLE = layout_of(TransactionRecord).examples[0][1]


@st.composite
def meals(draw):
    at = dt.datetime(2026, 3, 2) + dt.timedelta(minutes=draw(st.integers(0, 1439)))
    facts = MealFacts(
        school=3,
        role=draw(st.sampled_from(Role)),
        pupil=draw(st.integers(0, 3)),
        pot_fen=draw(st.sampled_from([0, 400, 1000])),
        uses=draw(st.integers(0, 3)),
    )
    list_price_fen = draw(st.sampled_from([0, 350]))
    return evolve(EXAMPLE, service=MEAL.number, at=at, facts=encode(facts), list_price_fen=list_price_fen)


def cost(record):
    try:
        return BOOK.quote(MEAL.request(record, decode(MealFacts, record.facts))).amount_fen
    except PriceUnknown:
        return None


@given(records=st.lists(meals(), min_size=2, max_size=8))
def test_meals_that_are_told_alike_cost_the_same(records):
    rows = np.frombuffer(b"".join(map(encode, records)), RECORD)
    facts = np.frombuffer(b"".join(one.facts for one in records), dtype_of(MealFacts))
    keys = list(zip(*(np.asarray(column).tolist() for column in MEAL.alike(rows, facts)), strict=True))
    costs = {}
    for key, record in zip(keys, records, strict=True):
        assert costs.setdefault(key, cost(record)) == cost(record)


def test_numbers_and_names_are_the_domains_own():
    made = list(services(MADE))
    assert [one.number for one in made] == sorted(
        {400, 401, 402, 403, 404, 405}, key=[400, 401, 404, 402, 403, 405].index
    )
    assert all(one.title_zh and one.name.startswith("campus-") for one in made)


def test_who_is_paid_and_where_pots_lie():
    assert {one.id: one.kind for one in participants(MADE)} == {
        "school-3": "school",
        "school-3-meals": "school-meals",
        "school-9": "school",
        "school-9-meals": "school-meals",
        "canteen-3": "canteen",
    }
    assert [one.address for one in accounts(MADE)] == ["campus/pots/school-3", "campus/pots/school-9"]


def test_habits_have_a_price_at_every_hour():
    made = list(habits(MADE))
    assert len(made) == 3
    for habit in made:
        for hour in range(24):
            tap = habit.there[0]
            record = evolve(
                EXAMPLE,
                service=MEAL.number,
                at=dt.datetime(2026, 3, 2, hour),
                facts=encode(tap.facts),
                list_price_fen=tap.list_price_fen,
            )
            assert cost(record) is not None


@pytest.mark.parametrize("settings", [CampusSettings(), MADE])
def test_a_city_without_schools_declares_services_all_the_same(settings):
    assert len(list(services(settings))) == 6
