from datetime import date

import attrs
import pytest

from citycard.errors import ActDiffers, ProgrammeConflict, ProgrammeUnknown, WalletInvalid
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Programme, add_programme, find_programme, fund_programme, pots_of

MEALS = Programme(
    id="meals",
    title="Meals",
    funder="Office",
    partners=("b", "a", "a"),
    partner_kinds=("food",),
    starts_on=date(2026, 11, 1),
    ends_on=date(2026, 12, 31),
)


def test_a_programme_is_made_once_and_not_changed(wallet):
    with writing(wallet.engine) as conn:
        assert [add_programme(conn, wallet.ledger, MEALS) for _ in range(2)] == [True, False]
        assert find_programme(conn, "meals") == MEALS
        assert MEALS.partners == ("a", "b")
        with pytest.raises(ProgrammeConflict, match="another ends_on"):
            add_programme(conn, wallet.ledger, attrs.evolve(MEALS, ends_on=date(2027, 1, 1)))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"id": "Meals!"}, "lower-case letters"),
        ({"title": " "}, "title"),
        ({"funder": ""}, "funder"),
        ({"partners": (), "partner_kinds": ()}, "a partner or a kind of partner"),
        ({"ends_on": date(2026, 10, 31)}, "a day not before 2026-11-01"),
    ],
)
def test_a_programme_that_is_not_well_formed_says_why(change, said):
    with pytest.raises(WalletInvalid, match=said):
        attrs.evolve(MEALS, **change)


def test_money_is_put_into_a_budget_once(wallet):
    with writing(wallet.engine) as conn:
        add_programme(conn, wallet.ledger, MEALS)
    identity = new_id()
    for _ in range(2):
        assert fund_programme(wallet, identity, "meals", 500).budget_fen == 500
    with reading(wallet.engine) as conn:
        assert wallet.ledger.find(conn, [identity]) == {}, "a client's id is none of the ledger's"
    with pytest.raises(ActDiffers):
        fund_programme(wallet, identity, "meals", 501)
    with pytest.raises(WalletInvalid):
        fund_programme(wallet, new_id(), "meals", -1)
    with pytest.raises(ProgrammeUnknown, match="citycard subsidy add"):
        fund_programme(wallet, new_id(), "gone", 1)


def test_a_programme_is_over_after_its_last_day():
    assert [MEALS.over(date(2026, 12, 31)), MEALS.over(date(2027, 1, 1))] == [False, True]


def test_an_account_has_pots_of_the_programmes_that_gave_it_something(wallet, opened, give_meals):
    number = opened(1)
    give_meals(number, 300)
    with reading(wallet.engine) as conn:
        (pot,) = pots_of(conn, wallet, number)
        assert (pot.programme, pot.available_fen, pot.ends_on) == ("meals", 300, date(2026, 12, 31))
        assert pots_of(conn, wallet, "9" * 20) == []
