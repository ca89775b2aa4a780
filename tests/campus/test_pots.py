import datetime as dt

import attrs
import pytest
from schooltown import PROGRAMME, SCHOOL

from citycard.errors import AccountNotOpen, ProgrammeUnknown
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Accounts, Payments, account_subsidy, available_fen, online_account
from citycard_campus import pots
from citycard_campus.errors import SettingInvalid
from citycard_campus.pots import MealsCarried, carry, carry_all, find_pot, grant_meals, return_rests
from citycard_campus.replacing import follow_cards
from citycard_campus.tables import pot


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
    assert carry_all(place.campus) == MealsCarried(carried_fen=0, refused={})
    assert place.events("campus.pot-carried") == [{"card": card.asn, "amount_fen": 1500}]
    assert subsidy_fen(place, card) == 0


def test_a_carry_that_was_interrupted_after_the_money_moved_is_finished(place, monkeypatch):
    place.fund(10_000)
    card = granted(place)

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(pots, "_note_load", cut)
        with pytest.raises(KeyboardInterrupt):
            carry(place.campus, card.asn)
    assert place.standing().difference_fen == -1500
    # Another month comes before it is asked for again: each is carried once.
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-04")
    assert [carry(place.campus, card.asn) for _ in range(3)] == [1500, 1500, 0]
    assert (place.standing().loaded_fen, place.standing().difference_fen) == (3000, 0)


def test_what_was_on_its_way_arrives_though_the_pupil_has_another_card_by_then(place, monkeypatch):
    place.fund(10_000)
    card = granted(place)

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    with monkeypatch.context() as power:
        power.setattr(pots, "_note_load", cut)
        with pytest.raises(KeyboardInterrupt):
            carry(place.campus, card.asn)
    place.roll(f"{SCHOOL},S1,pupil,Li Lei,7-3,{place.town.card().asn},,2027-07-15,15.00")
    assert [carry_all(place.campus).carried_fen for _ in range(2)] == [1500, 0]
    assert place.standing().difference_fen == 0
    place.town.pass_time(dt.timedelta(days=14))
    assert return_rests(place.campus) == 1500


def test_the_holders_own_money_never_becomes_meal_money(place):
    """The grant was spent between the look at it and the payment, which took the holder's own money."""
    place.fund(10_000)
    card = place.pupil(meal="15.00")
    number = place.town.account(card, 2000)
    with writing(place.campus.engine) as conn:
        conn.execute(pot.update().where(pot.c.asn == card.asn).values(tries=1, carrying_fen=700))
    assert [carry(place.campus, card.asn) for _ in range(2)] == [0, 0]
    with reading(place.campus.engine) as conn:
        assert available_fen(conn, place.town.city.wallet, online_account(number)) == 2000
        assert find_pot(conn, card.asn).loaded_fen == 0
    assert place.standing().difference_fen == 0
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    assert carry(place.campus, card.asn) == 1500


def test_a_frozen_account_keeps_its_grant_and_nobody_elses_waits(place, caplog):
    place.fund(10_000)
    cards = [place.pupil(no=f"S{turn}", meal="15.00") for turn in range(3)]
    school = place.campus.settings.school(SCHOOL)
    grant_meals(place.campus, school, "2026-03")
    accounts, frozen = Accounts(place.town.city.wallet), cards[0].asn
    accounts.freeze(new_id(), frozen)
    done = carry_all(place.campus)
    assert (done.carried_fen, list(done.refused)) == (3000, [1])
    assert "frozen" in done.refused[1]
    assert "1 grants of meals wait, the first of enrolment 1" in caplog.text
    place.town.city.plugins.run_job("campus.carry-meals")
    place.desk().write(cards[0].reader, place.town.now)
    assert place.enrolment(cards[0]).pot_fen == 0

    accounts.unfreeze(new_id(), frozen)
    grant_meals(place.campus, school, "2026-04")
    done = carry_all(place.campus)
    assert (done.carried_fen, done.refused) == (6000, {})
    assert place.standing().difference_fen == 0


def test_a_payment_that_the_wallet_refused_is_made_under_another_id(place, monkeypatch):
    """Frozen between the look at it and the payment: the wallet remembers that by the payment's id."""
    place.fund(10_000)
    card = granted(place)
    accounts, real = Accounts(place.town.city.wallet), Payments.pay

    def late(*args, **more):
        accounts.freeze(new_id(), card.asn)
        return real(*args, **more)

    with monkeypatch.context() as race:
        race.setattr(Payments, "pay", late)
        with pytest.raises(AccountNotOpen):
            carry(place.campus, card.asn)
    accounts.unfreeze(new_id(), card.asn)
    assert [carry(place.campus, card.asn) for _ in range(2)] == [1500, 0]
    assert (place.standing().loaded_fen, place.standing().difference_fen) == (1500, 0)


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
