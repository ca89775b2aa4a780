"""A target says what is due by a day, and never tells of so few cards that somebody could be found."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.city.targets import FEW, Measure, Standing, Target, progress

JUNE = (date(2026, 6, 1), date(2026, 6, 30))


def target(value=300, measure=Measure.USES, **more):
    since, until = JUNE
    return Target(measure=measure, value=value, since=since, until=until, **more)


@pytest.mark.parametrize(
    ("day", "due"),
    [
        (date(2026, 5, 31), 0),
        (date(2026, 6, 1), 10),
        (date(2026, 6, 15), 150),
        (date(2026, 6, 30), 300),
        (date(2026, 7, 9), 300),
    ],
)
def test_what_is_due_grows_by_the_same_every_day(day, due):
    assert target().due(day) == due


@given(value=st.integers(1, 10**14), days=st.integers(0, 400), length=st.integers(0, 400))
def test_what_is_due_never_falls_and_ends_at_the_target(value, days, length):
    since = JUNE[0]
    one = Target(measure=Measure.USES, value=value, since=since, until=since + timedelta(days=length))
    on = since + timedelta(days=days)
    assert 0 <= one.due(on) <= one.due(on + timedelta(days=1)) <= value
    assert one.due(one.until) == value


@pytest.mark.parametrize(
    ("reached", "day", "standing"),
    [
        (0, date(2026, 5, 31), Standing.NOT_BEGUN),
        (150, date(2026, 6, 15), Standing.AHEAD),
        (149, date(2026, 6, 15), Standing.BEHIND),
        (300, date(2026, 6, 15), Standing.REACHED),
        (299, date(2026, 6, 30), Standing.MISSED),
        (300, date(2026, 6, 30), Standing.REACHED),
    ],
)
def test_a_target_is_ahead_or_behind_what_is_due(reached, day, standing):
    assert progress(target(), reached, day).standing is standing


def test_percent_is_of_the_whole_target_and_not_rounded_up():
    assert progress(target(), 299, JUNE[1]).percent == 99
    assert progress(target(), 450, JUNE[1]).percent == 150


@pytest.mark.parametrize(
    "about", [{"domain": "transit"}, {"district": "harbour"}, {"domain": "transit", "district": "harbour"}]
)
def test_few_cards_of_a_part_are_not_told(about):
    told = progress(target(20, Measure.CARDS, **about), FEW - 1, JUNE[1])
    assert (told.reached, told.percent) == (None, None)
    assert progress(target(20, Measure.CARDS, **about), FEW, JUNE[1]).reached == FEW
    assert progress(target(20, Measure.CARDS, **about), 0, JUNE[1]).reached == 0
    assert progress(target(20, Measure.CARDS), 1, JUNE[1]).reached == 1
    assert progress(target(20, Measure.USES, **about), 1, JUNE[1]).reached == 1


@given(value=st.integers(1, 40), day=st.integers(0, 40))
def test_the_standing_of_few_cards_tells_no_number_from_another(value, day):
    on = JUNE[0] + timedelta(days=day)
    one = target(value, Measure.CARDS, district="harbour")
    told = {progress(one, cards, on) for cards in range(1, FEW)}
    assert len(told) == 1


def test_a_target_that_ends_before_it_begins_is_refused():
    with pytest.raises(ValueError, match="until 2026-05-01 is before since 2026-06-01"):
        Target(measure=Measure.USES, value=1, since=JUNE[0], until=date(2026, 5, 1))
