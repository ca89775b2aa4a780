from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, RuleBook, Stage, quote
from citycard.errors import PriceUnknown, RuleAnswerInvalid, RuleFailed, RuleTwice

AT = datetime.fromisoformat("2018-09-01T07:00")


def ride(list_price_fen=None, **changes):
    return PriceRequest(service="metro", at=AT, list_price_fen=list_price_fen, **changes)


def answers(amount_fen, reason="so"):
    return lambda _request, _before: Adjustment(amount_fen=amount_fen, reason=reason)


def percent(share):
    return lambda _request, before: Adjustment(amount_fen=before * share // 100, reason=f"{share} %")


def less(fen):
    return lambda _request, before: Adjustment(amount_fen=max(before - fen, 0), reason=f"{fen} off")


def silent(request, before):
    return None


applications = st.one_of(
    st.integers(0, 500).map(answers),
    st.integers(0, 150).map(percent),
    st.integers(0, 300).map(less),
    st.just(silent),
)
rules = st.lists(
    st.builds(
        FeeRule,
        name=st.sampled_from("abcdefgh"),
        owner=st.sampled_from(["transit", "zoo"]),
        stage=st.sampled_from(Stage),
        services=st.sampled_from([(), ("metro",), ("bus",)]),
        apply=applications,
    ),
    unique_by=lambda rule: (rule.name, rule.owner),
    max_size=10,
)


@given(rules, st.randoms(use_true_random=False), st.integers(0, 5000))
def test_the_order_in_which_rules_are_given_never_changes_a_quote(found, dice, price):
    shuffled = list(found)
    dice.shuffle(shuffled)
    assert quote(ride(price), found) == quote(ride(price), shuffled)


@given(rules, st.integers(0, 5000))
def test_amounts_are_never_negative_and_the_steps_lead_from_list_price_to_amount(found, price):
    made = quote(ride(price), found)
    amount = price
    for step in made.steps:
        assert step.before_fen == amount
        assert step.after_fen >= 0
        assert step.reason
        amount = step.after_fen
    assert made.amount_fen == amount
    stages = [step.stage for step in made.steps]
    assert stages == sorted(set(stages))


@given(rules, st.integers(0, 5000))
def test_in_every_stage_the_lowest_answer_to_the_same_amount_wins(found, price):
    for step in quote(ride(price), found).steps:
        rivals = [
            (answer.amount_fen, rule.name, rule.owner)
            for rule in found
            if rule.stage is step.stage and rule.services in {(), ("metro",)}
            if (answer := rule.apply(ride(price), step.before_fen)) is not None
        ]
        assert min(rivals) == (step.after_fen, step.rule, step.owner)
        assert len(step.overruled) == len(rivals) - 1


def test_rules_of_other_services_are_not_asked():
    bus = FeeRule(name="bus", stage=Stage.DISCOUNT, services=("bus",), apply=answers(1))
    assert quote(ride(200), [bus]).amount_fen == 200


def test_a_base_rule_gives_the_price_where_no_gate_does():
    flat = FeeRule(name="flat", stage=Stage.BASE, apply=answers(200, "flat fare"))
    half = FeeRule(name="half", stage=Stage.CONCESSION, apply=percent(50))
    made = quote(ride(), [half, flat])
    assert [(s.rule, s.before_fen, s.after_fen) for s in made.steps] == [("flat", 0, 200), ("half", 200, 100)]


def test_a_service_without_any_price_is_an_error_and_not_a_free_ride():
    with pytest.raises(PriceUnknown, match="metro"):
        quote(ride(), [FeeRule(name="half", stage=Stage.DISCOUNT, apply=percent(50))])


def test_two_rules_of_one_name_and_owner_are_refused():
    twice = [
        FeeRule(name="flat", owner="zoo", stage=stage, apply=answers(1)) for stage in (Stage.BASE, Stage.CAP)
    ]
    with pytest.raises(RuleTwice, match="'flat' is declared twice by zoo"):
        RuleBook(twice)


def test_a_rule_that_raises_is_named_with_its_owner():
    def broken(request, before):
        raise ZeroDivisionError

    with pytest.raises(RuleFailed, match="'broken' of zoo failed: ZeroDivisionError"):
        quote(ride(100), [FeeRule(name="broken", owner="zoo", stage=Stage.CAP, apply=broken)])


@pytest.mark.parametrize("amount", [-1, 1.5, True, "2"])
def test_an_answer_that_is_not_whole_fen_is_refused(amount):
    with pytest.raises(RuleAnswerInvalid):
        Adjustment(amount_fen=amount, reason="wrong")


def test_a_rule_must_answer_with_an_adjustment():
    with pytest.raises(RuleAnswerInvalid, match="'bare'"):
        quote(ride(100), [FeeRule(name="bare", stage=Stage.CAP, apply=lambda _request, _before: 5)])


def test_the_version_of_a_rule_book_changes_with_its_rules_and_not_with_their_order():
    first = FeeRule(name="a", stage=Stage.BASE, apply=answers(1))
    second = FeeRule(name="b", stage=Stage.CAP, apply=answers(1))
    changed = FeeRule(name="b", stage=Stage.CAP, apply=answers(2), version="2")
    assert RuleBook([first, second]).version == RuleBook([second, first]).version
    assert RuleBook([first, second]).version != RuleBook([first, changed]).version
