"""Who pays which part of a visit: always the whole price, whatever the rules say."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from citycard_health.settings import Plan
from citycard_health.split import Line, Used, rest_of, split_lines, used_by

CLASSES = "ABC"
fen = st.integers(0, 10**7)
lines = st.lists(
    st.builds(Line, code=st.just("x"), coverage=st.sampled_from(CLASSES), amount_fen=st.integers(1, 10**7)),
    max_size=12,
)
plans = st.builds(
    Plan,
    name=st.just("p"),
    title=st.just("P"),
    insurer=st.just("i"),
    deductible_fen=fen,
    ceiling_fen=fen,
    percents=st.dictionaries(st.sampled_from(CLASSES), st.integers(0, 100)),
)
used = st.builds(Used, deductible_fen=fen, insured_fen=fen)


@given(lines, st.one_of(st.none(), plans), used, fen, fen)
def test_all_parts_are_the_price(lines, plan, used, subsidy_fen, account_fen):
    """Insurance, subsidy, account and purse together are the price to the fen, and none is below zero."""
    parts = split_lines(lines, plan, used)
    insured = used_by(parts).insured_fen
    patient = sum(part.patient_fen for part in parts)
    rest = rest_of(patient, subsidy_fen=subsidy_fen, account_fen=account_fen)
    whole = (insured, rest.subsidy_fen, rest.account_fen, rest.purse_fen)
    assert sum(whole) == sum(line.amount_fen for line in lines)
    assert min(whole) >= 0
    assert rest.subsidy_fen <= subsidy_fen
    assert rest.account_fen <= account_fen


@given(lines, plans, used)
def test_deductible_and_ceiling_hold_over_the_year(lines, plan, used):
    """No visit uses more of the deductible or the ceiling than is left of the year's."""
    taken = used_by(split_lines(lines, plan, used))
    assert taken.deductible_fen <= max(0, plan.deductible_fen - used.deductible_fen)
    assert taken.insured_fen <= max(0, plan.ceiling_fen - used.insured_fen)


@given(lines, plans)
def test_one_visit_or_several_cost_insurance_the_same(lines, plan):
    """How a year's lines are shared among visits changes nothing for anybody."""
    together = split_lines(lines, plan)
    apart, so_far = [], Used()
    for line in lines:
        part = split_lines([line], plan, so_far)
        apart += part
        more = used_by(part)
        so_far = Used(
            deductible_fen=so_far.deductible_fen + more.deductible_fen,
            insured_fen=so_far.insured_fen + more.insured_fen,
        )
    assert tuple(apart) == together


@given(lines, plans, used, st.data())
def test_what_is_given_back_line_by_line_is_all_that_was_paid(lines, plan, used, data):
    """In whatever order lines come back, the counters return to where they were, never below."""
    parts = list(split_lines(lines, plan, used))
    taken = used_by(parts)
    deductible, insured = used.deductible_fen + taken.deductible_fen, used.insured_fen + taken.insured_fen
    for part in data.draw(st.permutations(parts)):
        back = used_by([part])
        deductible, insured = deductible - back.deductible_fen, insured - back.insured_fen
        assert deductible >= used.deductible_fen
        assert insured >= used.insured_fen
    assert (deductible, insured) == (used.deductible_fen, used.insured_fen)


def test_a_class_without_a_percentage_is_the_patients():
    """It is not insured, and does not use up the deductible."""
    plan = Plan(name="p", title="P", insurer="i", deductible_fen=100, ceiling_fen=1000, percents={"A": 50})
    first, second = split_lines(
        [Line(code="c", coverage="C", amount_fen=70), Line(code="a", coverage="A", amount_fen=301)], plan
    )
    assert (first.deductible_fen, first.insured_fen) == (0, 0)
    assert (second.deductible_fen, second.insured_fen, second.patient_fen) == (100, 100, 201)
