from datetime import date, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.wallet.lots import Lot, Scheme, take, worth_fen

TODAY = date(2026, 11, 28)


def lot(number, unused, last=TODAY, rate_fen=2, hour=8):
    return Lot(
        id=UUID(int=number),
        number="1",
        scheme="shop",
        points=max(unused, 1),
        unused=unused,
        rate_fen=rate_fen,
        expires_on=last,
        earned_at=datetime(2026, 11, 1, hour),
    )


def taken(lots, points):
    found = take(lots, points, on=TODAY)
    return found and [(one.lot.id.int, one.points) for one in found]


def test_points_that_lapse_first_are_used_first():
    lots = [lot(1, 5, date(2026, 12, 5)), lot(2, 5), lot(3, 5, hour=7)]
    assert taken(lots, 12) == [(3, 5), (2, 5), (1, 2)]


def test_points_can_be_used_through_their_last_day_and_no_longer():
    assert taken([lot(1, 5), lot(2, 5, date(2026, 11, 27))], 6) is None
    assert taken([lot(1, 5), lot(2, 5, date(2026, 11, 27))], 5) == [(1, 5)]


def test_a_partner_is_paid_what_it_promises_but_never_more_than_was_paid_in():
    found = take([lot(1, 5, rate_fen=1), lot(2, 5, rate_fen=3)], 10, on=TODAY)
    assert [worth_fen(found, promised) for promised in (1, 2, 9)] == [10, 15, 20]


@pytest.mark.parametrize(("amount_fen", "points"), [(0, 0), (33, 0), (34, 1), (100, 3), (1999, 59)])
def test_whole_points_are_earned_for_what_was_paid(amount_fen, points):
    scheme = Scheme(partner="shop", title="Stars", points_per_yuan=3, rate_fen=2, valid_days=10)
    assert (scheme.earned(amount_fen), scheme.expires_on(TODAY)) == (points, date(2026, 12, 8))


@given(st.lists(st.integers(0, 9), max_size=5), st.integers(1, 60))
def test_exactly_the_points_that_are_wanted_are_taken_or_none(sizes, points):
    lots = [lot(number, size) for number, size in enumerate(sizes)]
    found = taken(lots, points)
    assert (found is None) == (sum(sizes) < points)
    assert found is None or sum(count for _, count in found) == points


@pytest.mark.parametrize("field", ["points_per_yuan", "rate_fen", "valid_days"])
def test_a_scheme_has_terms_above_zero(field):
    values = {"partner": "shop", "title": "Stars", "points_per_yuan": 1, "rate_fen": 1, "valid_days": 1}
    with pytest.raises(ValueError, match=field):
        Scheme(**values | {field: 0})
