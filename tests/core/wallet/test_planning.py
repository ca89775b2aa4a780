from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.wallet.planning import Part, Pot, Purpose, Returned, plan, returns

TODAY = date(2026, 11, 28)


def pot(programme, available_fen, ends_on=date(2026, 12, 31), **more):
    values = {"purpose": Purpose(partner_kinds=("food",)), "starts_on": date(2026, 1, 1)} | more
    return Pot(programme=programme, ends_on=ends_on, available_fen=available_fen, **values)


def split(amount_fen, pots, own_fen):
    parts = plan(amount_fen, pots, own_fen, partner="canteen", kind="food", on=TODAY)
    return parts and [(part.programme, part.amount_fen) for part in parts]


def test_what_lapses_first_pays_first_and_the_account_pays_the_rest():
    pots = [pot("later", 300), pot("sooner", 200, date(2026, 11, 30))]
    assert split(1000, pots, 600) == [("sooner", 200), ("later", 300), ("", 500)]


def test_what_is_enough_leaves_the_others_alone():
    assert split(150, [pot("a", 200), pot("b", 200)], 500) == [("a", 150)]


@pytest.mark.parametrize(
    "other",
    [
        {"purpose": Purpose(partners=("museum",))},
        {"ends_on": date(2026, 11, 27)},
        {"starts_on": date(2026, 11, 29)},
    ],
)
def test_a_subsidy_pays_only_for_its_purpose_and_within_its_days(other):
    assert split(100, [pot("meals", 500, **other)], 100) == [("", 100)]


def test_a_partner_that_is_named_is_as_good_as_its_kind():
    assert Purpose(partners=("canteen",)).fits("canteen", "shop")


def test_all_together_too_little_is_no_plan():
    assert split(801, [pot("meals", 300)], 500) is None


@given(st.integers(1, 2000), st.lists(st.integers(0, 500), max_size=4), st.integers(0, 1500))
def test_a_plan_pays_exactly_and_takes_no_more_than_there_is(amount_fen, pots, own_fen):
    given_pots = [pot(f"p{place}", fen) for place, fen in enumerate(pots)]
    parts = split(amount_fen, given_pots, own_fen)
    if parts is None:
        assert amount_fen > sum(pots) + own_fen
    else:
        assert sum(fen for _, fen in parts) == amount_fen
        have = {f"p{place}": fen for place, fen in enumerate(pots)} | {"": own_fen}
        assert all(0 < fen <= have[name] for name, fen in parts)


def test_what_was_taken_last_comes_back_first():
    assert returns(700, [300, 500]) == (Returned(place=1, amount_fen=500), Returned(place=0, amount_fen=200))


def test_more_than_is_left_does_not_come_back():
    assert returns(801, [300, 500]) is None


def test_parts_without_anything_left_are_passed_over():
    assert returns(100, [100, 0]) == (Returned(place=0, amount_fen=100),)
    assert Part(programme="", amount_fen=1).programme == ""
