"""What is owed of a bill: late charge by hand, and that it never depends on how often it was counted."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard_community.bills import Bill, accrued, fee_fen, paid
from citycard_community.settings import PropertyFee

FEE = PropertyFee(fen_per_m2=250, due_day=20, late_bp_per_day=5, late_cap_percent=30)
DUE = dt.date(2026, 3, 20)


def bill(amount_fen=20_000, **more):
    made = {"id": 1, "unit": 1, "month": dt.date(2026, 3, 1), "due_on": DUE, "accrued_on": DUE}
    return Bill(amount_fen=amount_fen, **(made | more))


def later(days):
    return DUE + dt.timedelta(days=days)


@pytest.mark.parametrize(
    ("area", "rate", "fen"), [(8950, 250, 22_375), (1, 250, 3), (1, 49, 0), (10_001, 250, 25_003)]
)
def test_a_fee_is_rounded_half_up_once(area, rate, fen):
    assert fee_fen(area, rate) == fen


@pytest.mark.parametrize(
    ("days", "owed_fen"), [(-5, 20_000), (0, 20_000), (1, 20_010), (10, 20_100), (9999, 26_000)]
)
def test_late_charge_begins_the_day_after_and_is_capped(days, owed_fen):
    assert accrued(bill(), FEE, later(days)).owed_fen == owed_fen


def test_a_payment_pays_the_late_charge_first_and_what_is_left_goes_on_growing():
    after, late_fen = paid(accrued(bill(), FEE, later(10)), 10_100)
    assert (late_fen, after.paid_fen, after.owed_fen) == (100, 10_000, 10_000)
    assert accrued(after, FEE, later(20)).owed_fen == 10_050


days = st.integers(0, 400)


@given(st.integers(1, 10**9), st.lists(days, max_size=8), days)
def test_late_charge_is_the_same_however_often_it_is_counted(amount_fen, between, last):
    once = accrued(bill(amount_fen), FEE, later(last))
    often = bill(amount_fen)
    for day in sorted(day for day in between if day <= last):
        often = accrued(often, FEE, later(day))
    assert accrued(often, FEE, later(last)) == once
    assert once.owed_fen >= amount_fen


@given(st.integers(1, 10**7), st.lists(st.tuples(days, st.integers(1, 99)), max_size=6))
def test_payments_add_up_to_what_was_owed(amount_fen, steps):
    now, total, day = bill(amount_fen), 0, 0
    for more, percent in [*steps, (0, 100)]:
        day += more
        now = accrued(now, FEE, later(day))
        part = now.owed_fen if percent == 100 else now.owed_fen * percent // 100
        if part:
            now, _ = paid(now, part)
            total += part
    assert now.owed_fen == 0
    assert total == amount_fen + now.late_paid_fen
    assert 0 <= now.late_paid_fen <= -(-amount_fen * 30 // 100)


def test_a_day_that_goes_back_counts_nothing_twice():
    counted = accrued(bill(), FEE, later(10))
    assert accrued(counted, FEE, later(3)) == counted
