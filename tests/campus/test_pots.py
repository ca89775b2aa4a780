import datetime as dt

import attrs
import pytest
from schooltown import PROGRAMME, SCHOOL

from citycard.city.charging import Onward
from citycard.errors import ProgrammeUnknown
from citycard.ids import derived_id
from citycard.store import reading
from citycard.wallet import Payee, Payments, account_subsidy, available_fen, online_account
from citycard_campus.errors import SettingInvalid
from citycard_campus.pots import CARRIED, carry, carry_all, find_pot, grant_meals, return_rests
from citycard_campus.replacing import follow_cards


def granted(place, meal="15.00", batch="2026-03"):
    card = place.pupil(meal=meal)
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), batch)
    return card


def subsidy_fen(place, card):
    with reading(place.campus.engine) as conn:
        return available_fen(conn, place.town.city.wallet, account_subsidy(card.asn, PROGRAMME))


def test_a_grant_is_carried_once_however_often_it_is_asked_for(place):
    place.fund(10_000)
    card = granted(place)
    assert [carry(place.campus, card.asn) for _ in range(3)] == [1500, 0, 0]
    assert carry_all(place.campus) == 0
    assert place.events("campus.pot-carried") == [{"card": card.asn, "amount_fen": 1500}]
    assert subsidy_fen(place, card) == 0


def test_a_carry_that_was_interrupted_after_the_money_moved_is_finished(place):
    place.fund(10_000)
    card = granted(place)
    school = place.campus.settings.school(SCHOOL)
    Payments(place.town.city.wallet).pay(
        derived_id("campus carry", card.asn, 1),
        card.asn,
        Payee(partner=school.meals, kind="school-meals"),
        1500,
        onward=[Onward(address=school.pot, amount_fen=1500, code=CARRIED)],
        note="meals on the card",
    )
    assert place.standing().difference_fen == -1500
    assert carry(place.campus, card.asn) == 1500
    assert (place.standing().loaded_fen, place.standing().difference_fen) == (1500, 0)


def test_the_holders_own_money_never_becomes_meal_money(place):
    """The grant was spent between the look at it and the payment, which took the holder's own money."""
    place.fund(10_000)
    card = place.pupil(meal="15.00")
    number = place.town.account(card, 2000)
    school = place.campus.settings.school(SCHOOL)
    Payments(place.town.city.wallet).pay(
        derived_id("campus carry", card.asn, 1),
        number,
        Payee(partner=school.meals, kind="school-meals"),
        700,
        onward=[Onward(address=school.pot, amount_fen=700, code=CARRIED)],
        note="meals on the card",
    )
    assert [carry(place.campus, card.asn) for _ in range(2)] == [0, 0]
    with reading(place.campus.engine) as conn:
        assert available_fen(conn, place.town.city.wallet, online_account(number)) == 2000
        assert find_pot(conn, card.asn).loaded_fen == 0
    assert place.standing().difference_fen == 0
    grant_meals(place.campus, school, "2026-03")
    assert carry(place.campus, card.asn) == 1500


def test_without_a_programme_or_a_budget_nothing_is_granted(place):
    card = place.pupil(meal="15.00")
    school = place.campus.settings.school(SCHOOL)
    with pytest.raises(ProgrammeUnknown):
        grant_meals(place.campus, school, "2026-03")
    with pytest.raises(SettingInvalid, match="names no programme"):
        grant_meals(place.campus, attrs.evolve(school, programme=""), "2026-03")
    place.fund(1_000)
    (refused,) = grant_meals(place.campus, school, "2026-03").bad
    assert "1000 fen of its budget are left" in refused.reason
    assert carry(place.campus, card.asn) == 0


def test_what_is_left_goes_back_when_its_time_has_come_and_once(place):
    place.fund(10_000)
    card = granted(place)
    carry(place.campus, card.asn)
    other = place.town.card()
    line = f"{SCHOOL},S1,pupil,Li Lei,7-3,{other.asn},,2027-07-15,15.00"
    assert place.roll(line).changed == 1
    place.town.pass_time(dt.timedelta(days=13))
    assert return_rests(place.campus) == 0
    place.town.pass_time(dt.timedelta(days=1))
    assert [return_rests(place.campus) for _ in range(2)] == [1500, 0]
    assert subsidy_fen(place, card) == 1500
    with reading(place.campus.engine) as conn:
        assert find_pot(conn, card.asn).left_fen == 0
    assert (place.standing().difference_fen, place.programme().difference_fen) == (0, 0)
    assert follow_cards(place.campus) == 0


def test_what_goes_back_of_a_programme_that_is_over_goes_to_its_fund(place):
    place.fund(10_000)
    card = granted(place)
    carry(place.campus, card.asn)
    place.town.pass_time(dt.timedelta(days=320))
    assert return_rests(place.campus) == 0
    place.roll(f"{SCHOOL},S1,pupil,Li Lei,7-3,{place.town.card().asn},,2027-07-15,")
    place.town.pass_time(dt.timedelta(days=15))
    assert return_rests(place.campus) == 1500
    programme = place.programme()
    assert (programme.lapsed_fen, programme.held_fen, programme.fund_fen) == (1500, 0, 10_000)
    assert (place.standing().left_fen, programme.difference_fen, card.asn[:4]) == (0, 0, "0101")
