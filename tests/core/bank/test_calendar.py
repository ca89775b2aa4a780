from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.bank.calendar import BusinessCalendar, DaySource, known_years

PLAIN = BusinessCalendar()
DAYS = st.dates(date(2018, 1, 1), date(2030, 12, 31))


@pytest.mark.parametrize(
    ("day", "works"),
    [
        (date(2026, 10, 1), False),  # National Day
        (date(2026, 2, 17), False),  # Spring Festival
        (date(2026, 2, 14), True),  # a Saturday that makes up for it
        (date(2026, 11, 28), False),  # a Saturday like any other
        (date(2026, 11, 27), True),
    ],
)
def test_public_holidays_and_their_make_up_days_are_known(day, works):
    assert PLAIN.is_business_day(day) is works
    assert PLAIN.source(day) is DaySource.STATE_COUNCIL


def test_of_a_year_that_nobody_announced_only_weekends_are_known():
    year = known_years()[1] + 1
    assert PLAIN.source(date(year, 10, 1)) is DaySource.WEEKDAY
    assert PLAIN.unknown_years([2026, year, year]) == [year]
    monday = next(d for d in (date(year, 3, n) for n in range(1, 8)) if d.weekday() == 0)
    assert [PLAIN.is_business_day(monday + timedelta(days=n)) for n in range(7)] == [True] * 5 + [False] * 2


def test_what_the_city_says_comes_first():
    ours = BusinessCalendar(holidays=[date(2026, 11, 27)], working_days=[date(2026, 11, 28)])
    assert not ours.is_business_day(date(2026, 11, 27))
    assert ours.is_business_day(date(2026, 11, 28))
    assert ours.source(date(2026, 11, 28)) is DaySource.CITY


@given(DAYS, st.integers(0, 30))
def test_adding_days_lands_on_a_business_day_that_is_so_many_later(day, count):
    start, end = PLAIN.on_or_after(day), PLAIN.add(day, count)
    assert PLAIN.is_business_day(end)
    assert PLAIN.between(start, end) == count


@given(DAYS, DAYS, DAYS)
def test_spans_add_up(one, two, three):
    first, second, third = sorted((one, two, three))
    assert PLAIN.between(first, second) + PLAIN.between(second, third) == PLAIN.between(first, third)
    assert PLAIN.between(third, first) == 0 or third == first
