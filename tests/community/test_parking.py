"""What a stay costs: by hand, and what must hold for every stay."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard_community.parking import exit_step, parking_fen
from citycard_community.sectors import ParkingStep, Right, RightKind
from citycard_community.settings import CarPark

PARK = CarPark(number=1, name="P", spaces=3, unit_minutes=30, unit_fen=200, free_minutes=15, day_cap_fen=2000)
NOON = dt.datetime(2026, 3, 2, 12, 0)
MINUTE, DAY = dt.timedelta(minutes=1), dt.timedelta(days=1)


@pytest.mark.parametrize(
    ("seconds", "fen"),
    [
        (-60, 0),
        (0, 0),
        (15 * 60, 0),
        (15 * 60 + 1, 200),
        (30 * 60, 200),
        (30 * 60 + 1, 400),
        (300 * 60, 2000),
        (24 * 3600, 2000),
        (24 * 3600 + 1, 2200),
        (49 * 3600, 4000 + 400),
        (72 * 3600, 6000),
    ],
)
def test_started_units_are_paid_and_capped_each_day(seconds, fen):
    assert parking_fen(PARK, NOON, NOON + dt.timedelta(seconds=seconds)) == fen


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_longer_stay_never_costs_less_and_never_more_than_its_days(first_s, more_s):
    shorter = parking_fen(PARK, NOON, NOON + dt.timedelta(seconds=first_s))
    longer_s = first_s + more_s
    longer = parking_fen(PARK, NOON, NOON + dt.timedelta(seconds=longer_s))
    assert shorter <= longer <= -(longer_s // -86400) * PARK.day_cap_fen


def month_pass(month, serial, last):
    return Right(
        kind=RightKind.PARKING,
        community=7,
        zones=1 << 16 | 2,
        starts_on=dt.date(2026, month, 1),
        ends_on=dt.date(2026, month, last),
        serial=serial,
    )


MARCH, APRIL = month_pass(3, 4, 31), month_pass(4, 9, 30)


def test_a_pass_pays_for_the_whole_stay_while_it_holds():
    assert (MARCH.car_park, MARCH.space) == (1, 2)
    assert exit_step(NOON, NOON + DAY, [MARCH]) == (ParkingStep.PASS_EXIT, NOON, 4)


def test_without_a_pass_at_the_entry_everything_is_paid():
    assert exit_step(NOON, NOON + DAY, []) == (ParkingStep.EXIT, NOON, 0)
    assert exit_step(NOON - 30 * DAY, NOON, [MARCH]) == (ParkingStep.EXIT, NOON - 30 * DAY, 0)


def test_after_the_last_day_of_a_pass_it_is_paid_from_midnight():
    april_2 = dt.datetime(2026, 4, 2, 8, 0)
    assert exit_step(NOON, april_2, [MARCH]) == (ParkingStep.EXIT, dt.datetime(2026, 4, 1), 4)


def test_the_pass_of_the_next_month_goes_on_where_the_first_ended():
    assert exit_step(NOON, dt.datetime(2026, 4, 2), [APRIL, MARCH]) == (ParkingStep.PASS_EXIT, NOON, 9)
    may_1 = dt.datetime(2026, 5, 1)
    assert exit_step(NOON, may_1 + MINUTE, [MARCH, APRIL]) == (ParkingStep.EXIT, may_1, 9)
