"""The float of a city in local time: by the moment, by the day, and kept when a day has ended."""

import datetime as dt

import pytest
from moneytown import move
from sqlalchemy import func, select

from citycard.city.floatview import float_days, float_statement, keep_days
from citycard.store import reading
from citycard.wallet.checkpoints import audit_float
from citycard.wallet.tables import float_checkpoint


@pytest.fixture
def three_days(money_town):
    """100 fen at noon of each of three days, local time."""
    for _ in range(3):
        move(money_town, "trust/bank", "account/1/online", 100)
        money_town.clock.moment += dt.timedelta(days=1)
    return money_town


def kept(city):
    with reading(city.engine) as conn:
        assert audit_float(conn) == []
        return conn.scalar(select(func.count()).select_from(float_checkpoint))


def test_a_moment_is_local_and_included(three_days):
    noon = dt.datetime(2018, 9, 1, 12)
    moments = [noon - dt.timedelta(seconds=1), noon, dt.datetime(2018, 9, 2, 12)]
    assert [float_statement(three_days, at).assets_fen for at in moments] == [0, 100, 200]
    assert float_statement(three_days, noon).moment == dt.datetime(2018, 9, 1, 4, tzinfo=dt.UTC)
    assert float_statement(three_days).number == 3


def test_a_day_ends_at_its_local_midnight(three_days):
    days = float_days(three_days, until=dt.date(2018, 9, 3), days=4)
    assert [(day.day.day, day.accounts_fen, day.difference_fen) for day in days] == [
        (31, 0, 0),
        (1, 100, 0),
        (2, 200, 0),
        (3, 300, 0),
    ]


def test_ended_days_are_kept_once_and_change_no_answer(three_days):
    before = [float_statement(three_days, dt.datetime(2018, 9, day, 15)) for day in (1, 2, 3)]
    assert [keep_days(three_days), keep_days(three_days)] == [3, 0]
    assert kept(three_days) == 3
    assert [float_statement(three_days, dt.datetime(2018, 9, day, 15)) for day in (1, 2, 3)] == before
    three_days.clock.moment += dt.timedelta(days=2)
    move(three_days, "trust/bank", "account/1/online", 1)
    assert [keep_days(three_days), kept(three_days)] == [1, 4]


def test_without_a_transfer_nothing_is_kept(money_town):
    assert keep_days(money_town) == 0
