"""The days that somebody asks for: what is left out, and what has no day."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from citycard.clock import first_and_last
from citycard.errors import PeriodInvalid

TODAY = date(2026, 3, 20)


@pytest.mark.parametrize(
    ("since", "until", "back", "days"),
    [
        (None, None, None, (date(2026, 3, 1), TODAY)),
        (None, None, 7, (date(2026, 3, 13), TODAY)),
        (None, date(2026, 2, 10), None, (date(2026, 2, 1), date(2026, 2, 10))),
        (TODAY, None, 7, (TODAY, TODAY)),
        (date(2025, 1, 1), date(2025, 1, 2), 7, (date(2025, 1, 1), date(2025, 1, 2))),
    ],
)
def test_days_that_are_left_out_are_the_last_ones(since, until, back, days):
    back = back and timedelta(days=back)
    assert first_and_last(since, until, today=TODAY, back=back) == days


def test_a_period_that_ends_before_it_begins_says_what_to_do():
    with pytest.raises(PeriodInvalid) as wrong:
        first_and_last(date(2026, 3, 21), None, today=TODAY)
    assert (wrong.value.exit_code, wrong.value.status) == (3, 422)
    assert str(wrong.value) == (
        "the first day is 2026-03-21 and the last is 2026-03-20: expected a first day that is not after the "
        "last; give an earlier first day or a later last one"
    )
