import datetime as dt

import attrs
from hypothesis import given
from hypothesis import strategies as st

from citycard.clearing.pricing import PriceRequest, RuleBook
from citycard.errors import PriceUnknown
from citycard_campus.fares import CANTEEN, COMPUTER, DOOR, LIBRARY, fee_rules, late_fen, session_fen
from citycard_campus.settings import CampusSettings, Computer

SETTINGS = CampusSettings(computer=Computer(minute_fen=5, free_minutes=2, cap_fen=300))
BOOK = RuleBook(fee_rules(SETTINGS))
DAY = dt.date(2026, 3, 2)


def price(service, clock="12:00", *, list_price_fen=None, **facts):
    at = dt.datetime.combine(DAY, dt.time.fromisoformat(clock))
    return BOOK.quote(
        PriceRequest(service=service, at=at, list_price_fen=list_price_fen, facts=facts)
    ).amount_fen


def test_a_meal_costs_by_role_and_hour():
    assert [price(CANTEEN, role=role) for role in ("pupil", "teacher", "guest")] == [1000, 1500, 2500]
    assert [price(CANTEEN, clock, role="pupil") for clock in ("08:59", "11:00", "13:59", "19:59")] == [
        400,
        1000,
        1000,
        900,
    ]


def test_between_meals_the_till_names_a_price_or_there_is_none():
    assert price(CANTEEN, "15:00", list_price_fen=350) == 350
    for clock in ("09:00", "14:00", "23:00"):
        try:
            price(CANTEEN, clock, role="pupil")
        except PriceUnknown:
            continue
        raise AssertionError(clock)


@given(pot_fen=st.integers(0, 5000))
def test_the_pot_pays_its_part_and_no_price_is_negative(pot_fen):
    assert price(CANTEEN, role="pupil", pot_fen=pot_fen) == max(0, 1000 - pot_fen)


@given(seconds=st.integers(0, 10**6), role=st.sampled_from(["pupil", "teacher"]))
def test_a_session_is_billed_by_the_begun_minute_up_to_the_cap(seconds, role):
    began = dt.datetime.combine(DAY, dt.time(9))
    paid_fen = session_fen(SETTINGS, role, began, began + dt.timedelta(seconds=seconds))
    minutes = max(0, (seconds + 59) // 60 - 2)
    assert paid_fen == (0 if role == "teacher" else min(300, 5 * minutes))


def test_a_session_that_begins_a_door_and_a_loan_cost_nothing():
    assert [price(name) for name in (COMPUTER, DOOR, LIBRARY)] == [0, 0, 0]


def test_a_late_item_costs_each_day_up_to_the_cap():
    due = DAY - dt.timedelta(days=3)
    assert price(LIBRARY, due=due) == 30
    assert late_fen(SETTINGS, DAY, DAY) == 0
    assert late_fen(SETTINGS, DAY, DAY + dt.timedelta(days=10_000)) == SETTINGS.library.late_cap_fen


def test_a_rule_has_another_version_exactly_when_its_words_change():
    same, other = (
        {rule.name: rule.version for rule in fee_rules(made)}
        for made in (SETTINGS, attrs.evolve(SETTINGS, computer=Computer(minute_fen=6)))
    )
    assert same == {rule.name: rule.version for rule in BOOK.rules}
    assert {name for name in same if same[name] != other[name]} == {"session"}
