"""Sports from the social-security account: the pot alone pays, within the year's cap, at listed venues."""

from __future__ import annotations

import threading
from datetime import date, timedelta

import pytest

from citycard.city import charging
from citycard.errors import DebitRefused, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.store import reading
from citycard.wallet import fund_programme, grant, online_account, partner_payable, report_programme
from citycard_health.errors import AlreadyDone, NotFound, SportsRefused
from citycard_health.sports import (
    SportState,
    allowance,
    open_programme,
    pay_sport,
    return_sport,
    sports_of,
)


@pytest.fixture
def swimmer(town, settings):
    """A citizen with 120 yuan from social security for sports, and 500 yuan of the own."""
    city = town.city
    assert open_programme(city, settings, date(2026, 1, 1), date(2027, 12, 31))
    assert not open_programme(city, settings, date(2026, 1, 1), date(2027, 12, 31))
    fund_programme(city.wallet, new_id(), "health-sports", 100_000)
    card = town.card()
    number = town.account(card, 50_000)
    grant(city.wallet, new_id(), "health-sports", number, 12_000)
    return card


def test_the_pot_pays_the_venue_and_the_citizens_own_money_stays(town, settings, swimmer):
    """Once for its id; the venue's statement has it to the fen."""
    identity = new_id()
    paid = pay_sport(town.city, settings, identity, swimmer.asn, "swim-hall")
    assert pay_sport(town.city, settings, identity, swimmer.asn, "swim-hall") == paid
    assert (paid.state, paid.amount_fen) == (SportState.PAID, 3_000)
    with reading(town.city.engine) as conn:
        ledger = town.city.ledger
        assert ledger.balance_fen(conn, online_account(swimmer.asn)) == 50_000
        assert ledger.balance_fen(conn, partner_payable("swim-hall")) == 3_000
        assert report_programme(conn, ledger, "health-sports").spent_fen == 3_000
    assert allowance(town.city, settings, swimmer.asn).pot_fen == 9_000
    town.check_books()


def test_the_years_cap_and_the_pot_end_it(town, settings, swimmer):
    """100 yuan a year are three entrances; the next year the pot has one left."""
    for _ in range(3):
        pay_sport(town.city, settings, new_id(), swimmer.asn, "swim-hall")
    refused = new_id()
    with pytest.raises(SportsRefused, match=r"10\.00 yuan of this year's cap are left, 30\.00 asked"):
        pay_sport(town.city, settings, refused, swimmer.asn, "swim-hall")
    town.pass_time(timedelta(days=365))
    pay_sport(town.city, settings, new_id(), swimmer.asn, "swim-hall")
    with pytest.raises(SportsRefused, match=r"it holds 0\.00 yuan"):
        pay_sport(town.city, settings, new_id(), swimmer.asn, "swim-hall")


def test_entrances_at_once_stay_within_the_cap(town, settings, swimmer):
    """Ten at the same moment: three pay."""
    said = []

    def enter():
        try:
            said.append(pay_sport(town.city, settings, new_id(), swimmer.asn, "swim-hall").state)
        except SportsRefused:
            said.append(None)

    threads = [threading.Thread(target=enter) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert said.count(SportState.PAID) == 3
    with reading(town.city.engine) as conn:
        assert len(sports_of(conn, venue="swim-hall")) == 3
        assert town.city.ledger.balance_fen(conn, online_account(swimmer.asn)) == 50_000


def test_what_is_given_back_can_be_spent_again(town, settings, swimmer):
    """To the pot and to the cap, once."""
    paid = pay_sport(town.city, settings, new_id(), swimmer.asn, "swim-hall")
    for _ in range(2):
        assert return_sport(town.city, paid.id, reason="closed").state is SportState.RETURNED
    left = allowance(town.city, settings, swimmer.asn)
    assert (left.pot_fen, left.cap_left_fen, left.fen) == (12_000, 10_000, 10_000)
    with reading(town.city.engine) as conn:
        assert town.city.ledger.balance_fen(conn, partner_payable("swim-hall")) == 0


def test_a_payment_that_broke_off_is_finished_once(town, settings, swimmer, monkeypatch):
    """It counts for the cap until the job comes."""

    def cut(*_args, **_more):
        raise KeyboardInterrupt

    identity = new_id()
    with monkeypatch.context() as power:
        power.setattr("citycard.city.charging.charge", cut)
        with pytest.raises(KeyboardInterrupt):
            pay_sport(town.city, settings, identity, swimmer.asn, "swim-hall")
    assert allowance(town.city, settings, swimmer.asn).pot_fen == 9_000
    town.city.plugins.run_job("health.finish")
    assert pay_sport(town.city, settings, identity, swimmer.asn, "swim-hall").state is SportState.PAID
    assert allowance(town.city, settings, swimmer.asn).pot_fen == 9_000


def test_other_places_and_people_are_refused(town, settings, swimmer):
    """No venue, no account, no programme money, another's id."""
    with pytest.raises(SportsRefused, match="no venue; there are swim-hall"):
        pay_sport(town.city, settings, new_id(), swimmer.asn, "clinic-east")
    with pytest.raises(SportsRefused, match=r"it holds 0\.00 yuan"):
        pay_sport(town.city, settings, new_id(), town.card().asn, "swim-hall")
    paid = pay_sport(town.city, settings, new_id(), swimmer.asn, "swim-hall")
    with pytest.raises(AlreadyDone):
        pay_sport(town.city, settings, paid.id, town.card().asn, "swim-hall")
    with pytest.raises(NotFound):
        return_sport(town.city, new_id(), reason="x")


def test_a_senior_pays_half_at_the_venue(town, settings, swimmer):
    """Concessions hold for sports too."""
    city, card = town.city, town.card("health-senior")
    grant(city.wallet, new_id(), "health-sports", town.account(card), 1_500)
    assert pay_sport(city, settings, new_id(), card.asn, "swim-hall").amount_fen == 1_500


def test_a_refusal_is_not_believed_where_the_money_moved(town, settings, swimmer, monkeypatch):
    """Of two requests for one payment, one takes the money, and the other is refused after it."""
    city, identity, real = town.city, new_id(), charging.charge

    def refused(*args, **more):
        monkeypatch.setattr(charging, "charge", real)
        real(*args, **more)
        raise DebitRefused(reason="no", code="no", plugin="health")

    monkeypatch.setattr(charging, "charge", refused)
    assert pay_sport(city, settings, identity, swimmer.asn, "swim-hall").state is SportState.PAID
    left = allowance(city, settings, swimmer.asn)
    assert (left.pot_fen, left.cap_left_fen) == (9_000, 7_000)
    assert return_sport(city, identity, reason="closed").state is SportState.RETURNED
    assert allowance(city, settings, swimmer.asn).cap_left_fen == 10_000


def test_a_payment_that_stalled_until_it_was_refused_takes_no_money(town, settings, swimmer, monkeypatch):
    """The account was away for a moment, and the job refused it: the request that wakes up is refused too."""
    city, identity, real = town.city, new_id(), charging.charge

    def gone(*_args, **_more):
        raise OnlineAccountUnknown(number=swimmer.asn)

    def stalled(*args, **more):
        monkeypatch.setattr(charging, "charge", gone)
        city.plugins.run_job("health.finish")
        monkeypatch.setattr(charging, "charge", real)
        return real(*args, **more)

    monkeypatch.setattr(charging, "charge", stalled)
    for _ in range(2):
        with pytest.raises(SportsRefused):
            pay_sport(city, settings, identity, swimmer.asn, "swim-hall")
    left = allowance(city, settings, swimmer.asn)
    assert (left.pot_fen, left.cap_left_fen) == (12_000, 10_000)
    with reading(city.engine) as conn:
        assert [str(one.state) for one in sports_of(conn, venue="swim-hall")] == ["refused"]
