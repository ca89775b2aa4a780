from datetime import datetime

import pytest

from citycard.wallet.limits import ActKind, CityLimits, LimitRule, Period, broken, conditions

SATURDAY = datetime(2026, 11, 28, 23, 59)


def ask(rule, amount_fen, **used):
    keys = {Period(period): key for period, key in zip(("day", "week", "month"), KEYS, strict=True)}
    known = {keys[Period(name)]: value for name, value in used.items()}
    return broken("1", ActKind.PAY, rule, SATURDAY, amount_fen=amount_fen, used=known)


KEYS = [limit.key for limit in conditions("1", ActKind.PAY, LimitRule(), SATURDAY)]


def test_an_act_counts_in_its_day_its_week_from_monday_and_its_month():
    assert KEYS == ["account/1/pay/2026-11-28", "account/1/pay/2026-W48", "account/1/pay/2026-11"]


def test_periods_without_a_limit_are_counted_too():
    first, *others = conditions("1", ActKind.TOP_UP, LimitRule(day_fen=5, day_count=2), SATURDAY)
    assert (first.key, first.max_fen, first.max_count) == ("account/1/top-up/2026-11-28", 5, 2)
    assert [(one.max_fen, one.max_count) for one in others] == [(None, None), (None, None)]


@pytest.mark.parametrize(
    ("period", "at", "ends"),
    [
        ("day", SATURDAY, datetime(2026, 11, 29)),
        ("week", SATURDAY, datetime(2026, 11, 30)),
        ("month", SATURDAY, datetime(2026, 12, 1)),
        ("week", datetime(2026, 11, 30), datetime(2026, 12, 7)),
        ("month", datetime(2026, 12, 31, 12), datetime(2027, 1, 1)),
        ("single", SATURDAY, None),
    ],
)
def test_a_period_ends_at_the_citys_own_midnight(period, at, ends):
    assert Period(period).ends(at) == ends


def test_the_first_days_of_january_belong_to_the_week_they_lie_in():
    assert Period.WEEK.name_at(datetime(2027, 1, 1)) == "2026-W53"


def test_a_limit_that_is_reached_exactly_is_kept():
    rule = LimitRule(single_fen=100, day_fen=300, day_count=3)
    assert ask(rule, 100, day=(200, 2)) is None


@pytest.mark.parametrize(
    ("rule", "used", "expected"),
    [
        (LimitRule(single_fen=99), {}, ("pay at once, in fen", 99, 0, 100, None)),
        (LimitRule(day_fen=300), {"day": (201, 1)}, ("pay per day, in fen", 300, 201, 100, "2026-11-29")),
        (LimitRule(week_count=2), {"week": (5, 2)}, ("pay per week, in times", 2, 2, 1, "2026-11-30")),
        (LimitRule(month_fen=9), {}, ("pay per month, in fen", 9, 0, 100, "2026-12-01")),
    ],
)
def test_a_refusal_names_the_limit_what_is_used_and_its_end(rule, used, expected):
    found = ask(rule, 100, **used)
    ends = found.resets_at and f"{found.resets_at:%Y-%m-%d}"
    assert (found.limit, found.limit_value, found.used, found.wanted, ends) == expected


def test_an_owner_can_only_be_tighter_than_the_city():
    city, own = LimitRule(day_fen=100, week_fen=500), LimitRule(day_fen=60, month_fen=900)
    assert city.tightened(own) == LimitRule(day_fen=60, week_fen=500, month_fen=900)
    assert city.loosened_by(own) is None
    assert city.loosened_by(LimitRule(week_fen=501)) == "week_fen"


def test_each_kind_of_act_has_a_rule_of_its_own():
    limits = CityLimits(top_up=LimitRule(single_fen=7))
    assert [limits.of(act).single_fen for act in ActKind] == [None, None, 7]


def test_a_limit_below_zero_is_refused():
    with pytest.raises(ValueError, match="day_fen"):
        LimitRule(day_fen=-1)
