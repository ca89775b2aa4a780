"""A statement leads from its opening to its closing balance, or says that it does not."""

import datetime as dt
from zoneinfo import ZoneInfo

import attrs
import pytest

from citycard.city.statements.records import Period, Said
from citycard.errors import PeriodInvalid

SEPTEMBER = Period(since=dt.date(2018, 9, 1), until=dt.date(2018, 9, 30))


def test_every_line_says_what_is_left_after_it(made):
    (section,) = made([500, -380, -20], opening_fen=100).sections
    assert [line.balance_fen for line in section.lines()] == [600, 220, 200]


def test_lines_can_be_read_again(made):
    (section,) = made([1, 2, 3]).sections
    assert list(section.lines()) == list(section.lines())


def test_lines_that_do_not_lead_to_the_closing_balance_do_not_end(made):
    (section,) = made([500]).sections
    with pytest.raises(AssertionError, match="500 is not 499"):
        list(attrs.evolve(section, closing_fen=499).lines())


def test_a_period_is_its_days_in_the_citys_time_both_ends_included():
    before, last = SEPTEMBER.moments(ZoneInfo("Asia/Shanghai"))
    assert before.astimezone(dt.UTC).isoformat() == "2018-08-31T15:59:59.999999+00:00"
    assert last.astimezone(dt.UTC).isoformat() == "2018-09-30T15:59:59.999999+00:00"


def test_a_period_has_at_least_one_day():
    with pytest.raises(PeriodInvalid, match="2018-09-02 and the last is 2018-09-01"):
        Period(since=dt.date(2018, 9, 2), until=dt.date(2018, 9, 1))


def test_words_that_are_the_same_in_both_languages_are_said_once():
    assert (Said("r/1", "r/1").both(), Said("Load", "充值").both()) == ("r/1", "Load 充值")
