"""What money does: it is divided to the fen, taken in once, and the order in which it came decides."""

from __future__ import annotations

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from citycard.store import reading, writing
from citycard_utilities.importing import take_file
from citycard_utilities.receipts import ACCOUNT, CARD, Money, divide, standings, take
from citycard_utilities.tables import bill, credit, receipt, returned

WATER = "water-works"
AT = dt.datetime(2026, 3, 2, 9, 0)
_FEN = st.integers(0, 10**9)


@given(_FEN, _FEN, _FEN)
def test_the_parts_are_the_whole_and_none_is_more_than_it_may_be(amount_fen, rest_fen, late_fee_fen):
    parts = divide(amount_fen, rest_fen, late_fee_fen)

    assert parts.late_fen + parts.principal_fen + parts.surplus_fen == amount_fen
    assert 0 <= parts.late_fen <= late_fee_fen
    assert 0 <= parts.principal_fen <= rest_fen
    assert parts.surplus_fen == max(0, amount_fen - rest_fen - (late_fee_fen if rest_fen else 0))


def money(name, fen, *, bill="W1", channel=CARD, at=AT, biller=WATER):
    return Money(
        id=name,
        channel=channel,
        biller=biller,
        bill=bill,
        household="H1",
        asn="1" * 20,
        amount_fen=fen,
        at=at,
        run=1 if channel == CARD else None,
    )


@pytest.fixture
def one_bill(town, settings, bill_file, due):
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 2000, due)), file="1.csv")
    return town.city.engine


def state_of(engine):
    with reading(engine) as conn:
        rows = conn.execute(select(receipt).order_by(receipt.c.id)).all()
        return [
            (row.id, row.applied_fen, row.credited_fen, row.returned_fen, row.open_fen, row.state)
            for row in rows
        ]


def test_the_first_by_time_pays_and_the_others_are_too_much_however_they_are_sorted(one_bill, settings):
    later = AT + dt.timedelta(minutes=1)
    with writing(one_bill) as conn:
        taken = take(conn, settings, [money("b", 2000, at=later), money("a", 2000), money("c", 9, bill="W9")])
    assert (taken.receipts, taken.surplus_fen, taken.unmatched) == (3, 2000, 1)
    assert state_of(one_bill) == [
        ("a", 2000, 0, 0, 0, "done"),
        ("b", 0, 2000, 0, 0, "done"),
        ("c", 0, 0, 0, 9, "open"),
    ]


def test_money_is_taken_in_once_by_its_id(one_bill, settings):
    for _ in range(3):
        with writing(one_bill) as conn:
            take(conn, settings, [money("a", 1500)])
    with reading(one_bill) as conn:
        assert conn.execute(select(bill.c.settled_fen, bill.c.state)).one() == (1500, "open")


def test_what_an_account_paid_too_much_goes_back_and_what_a_card_paid_is_kept(one_bill, settings):
    with writing(one_bill) as conn:
        take(conn, settings, [money("a", 2500), money("b", 700, channel=ACCOUNT)])
    with reading(one_bill) as conn:
        assert conn.scalar(select(func.sum(credit.c.left_fen))) == 500
        assert conn.execute(select(returned.c.receipt, returned.c.amount_fen)).all() == [("b", 700)]


def test_a_late_payment_pays_the_fee_first(one_bill, settings, due):
    on = dt.datetime.combine(due + dt.timedelta(days=3), dt.time(9))
    with writing(one_bill) as conn:
        take(conn, settings, [money("a", 2000, at=on)])
    with reading(one_bill) as conn:
        # 0.5 % of 20.00 for one day after the days of grace.
        assert conn.execute(select(receipt.c.applied_fen, receipt.c.late_fen)).one() == (2000, 10)
        assert conn.execute(select(bill.c.settled_fen, bill.c.state)).one() == (1990, "open")


@given(st.lists(st.tuples(st.integers(1, 3000), st.integers(0, 5)), min_size=1, max_size=6))
def test_nothing_is_lost_whatever_comes_in(amounts):
    # In memory alone: what ``take`` writes follows from divide and settle, one after the other.
    rest, in_fen, out_fen = 2000, 0, 0
    for fen, _ in amounts:
        parts = divide(fen, rest, 0)
        rest -= parts.principal_fen
        in_fen += fen
        out_fen += parts.principal_fen + parts.surplus_fen
    assert (in_fen, rest) == (out_fen, max(0, 2000 - in_fen))


def test_standings_of_nothing_are_nothing(one_bill, settings):
    with writing(one_bill) as conn:
        assert standings(conn, settings.billers, []) == {}
