"""Bills: every month once, paid once, and what broke off is finished or forgotten."""

import datetime as dt
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from citycard.city import charging
from citycard.city.accounts import payee
from citycard.city.charging import charge
from citycard.errors import ActDiffers, ActGivenUp, CitycardError, FundsMissing, OnlineAccountUnknown
from citycard.ids import new_id
from citycard.kernel.services import Refusal
from citycard.store import reading
from citycard.store.outbox import outbox
from citycard.wallet import Payments
from citycard_community.billing import (
    ask_payment,
    bill_month,
    finish_payment,
    finish_payments,
    open_bills,
    pay_from_account,
)
from citycard_community.errors import BillUnknown, PartRefused, PaymentRefused
from citycard_community.leases import begin_lease
from citycard_community.tables import bill

FEE_FEN = 22_375
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def housed(estate):
    """Give an owner with a flat that is billed, and money for many months."""
    card = estate.town.card()
    estate.town.account(card, 200_000)
    estate.home(card)
    bill_month(estate.city, estate.settings, estate.today)
    return card


@pytest.fixture
def owner(estate):
    return housed(estate)


def pay(estate, card, bill=1, amount_fen=None, identity=None):
    return pay_from_account(estate.city, estate.settings, identity or new_id(), card.asn, bill, amount_fen)


def test_each_month_is_billed_once_and_months_that_were_missed_are_made_up(estate, owner):
    assert bill_month(estate.city, estate.settings, estate.today) == 0
    assert bill_month(estate.city, estate.settings, dt.date(2026, 5, 3)) == 2
    with reading(estate.city.engine) as conn:
        found = open_bills(conn, estate.settings, dt.date(2026, 5, 3), "sunrise")
    assert [(one.bill.month.isoformat(), one.bill.due_on.isoformat()) for one in found] == [
        ("2026-03-01", "2026-03-20"),
        ("2026-04-01", "2026-05-03"),
        ("2026-05-01", "2026-05-20"),
    ]


def test_a_refusal_leaves_nothing_behind(estate):
    poor = estate.town.card()
    estate.town.account(poor, 100)
    estate.home(poor)
    bill_month(estate.city, estate.settings, estate.today)
    with pytest.raises(FundsMissing):
        pay(estate, poor)
    assert estate.owed(poor) == [(1, FEE_FEN)]
    estate.town.account(poor, 50_000)
    assert pay(estate, poor).state == "done"
    assert estate.owed(poor) == [(1, 0)]


def test_an_id_belongs_to_one_payment(estate, owner):
    identity = new_id()
    pay(estate, owner, identity=identity)
    with pytest.raises(PaymentRefused, match="given to another payment"):
        pay(estate, owner, identity=identity, amount_fen=5)
    with pytest.raises(BillUnknown):
        pay(estate, owner, bill=99)


EACH_STORE = ["estate", pytest.param("on_postgresql", marks=pytest.mark.postgresql)]


@pytest.mark.parametrize("town", EACH_STORE)
def test_many_who_pay_at_once_pay_once(town, request):
    estate = request.getfixturevalue(town)
    owner = housed(estate)

    def one(_):
        try:
            return pay(estate, owner).amount_fen
        except CitycardError:
            return 0

    with ThreadPoolExecutor(4) as pool:
        paid = list(pool.map(one, range(6)))

    assert sorted(paid) == [0] * 5 + [FEE_FEN]
    assert estate.owed(owner) == [(1, 0)]
    assert estate.clear().carried_fen == FEE_FEN


def test_where_parts_are_taken_they_add_up_to_the_bill(with_settings):
    estate = with_settings(fee={"fen_per_m2": 250, "due_day": 20, "late_bp_per_day": 5, "partial": True})
    owner = housed(estate)
    assert pay(estate, owner, amount_fen=10_000).amount_fen == 10_000
    estate.town.pass_time(28 * DAY)  # ten days late, on what is unpaid
    assert estate.owed(owner) == [(1, 12_375 + 62)]
    part = pay(estate, owner, amount_fen=100)
    assert (part.late_fen, estate.owed(owner)) == (62, [(1, 12_375 - 38)])
    with pytest.raises(PartRefused, match="12338 fen are offered, 12337 fen are owed"):
        pay(estate, owner, amount_fen=12_338)
    pay(estate, owner)
    assert estate.owed(owner) == [(1, 0)]
    assert estate.clear().carried_fen == FEE_FEN + 62


def test_a_payment_that_broke_off_before_the_money_moved_is_forgotten_after_an_hour(estate, owner):
    ask_payment(estate.city, estate.settings, new_id(), owner.asn, 1, None, way="account")
    assert estate.owed(owner) == [(1, 0)]
    assert finish_payments(estate.city, estate.settings, estate.now) == 0
    assert estate.owed(owner) == [(1, 0)]
    estate.town.pass_time(2 * HOUR)
    estate.city.plugins.run_job("community.finish")
    assert estate.owed(owner) == [(1, FEE_FEN)]


def meanwhile(monkeypatch, work):
    """Let ``work`` happen once in the midst of the next charge, before its money moves."""
    price, waiting = charging.price, [work]

    def late(*given, **named):
        while waiting:
            waiting.pop()()
        return price(*given, **named)

    monkeypatch.setattr(charging, "price", late)


def test_a_payment_that_stalled_until_it_was_forgotten_takes_no_money(estate, owner, monkeypatch):
    identity = new_id()

    def two_hours():
        estate.town.pass_time(2 * HOUR)
        assert finish_payments(estate.city, estate.settings, estate.now) == 0

    meanwhile(monkeypatch, two_hours)
    for _ in range(2):
        with pytest.raises(ActGivenUp):
            pay(estate, owner, identity=identity)
        assert estate.owed(owner) == [(1, FEE_FEN)]
    assert pay(estate, owner).state == "done"
    assert estate.clear().carried_fen == FEE_FEN


def test_a_payment_that_another_call_made_in_the_midst_of_a_refusal_is_done(estate, owner, monkeypatch):
    identity, veto = new_id(), type(estate.city.plugins).veto

    def other_first(plugins, request):
        monkeypatch.setattr(type(plugins), "veto", veto)
        assert pay(estate, owner, identity=identity).state == "done"
        return Refusal(code="no", reason="this one is told no", plugin="market")

    monkeypatch.setattr(type(estate.city.plugins), "veto", other_first)
    assert pay(estate, owner, identity=identity).state == "done"
    assert estate.owed(owner) == [(1, 0)]
    assert estate.clear().carried_fen == FEE_FEN


@pytest.mark.parametrize("town", EACH_STORE)
def test_many_who_finish_a_payment_at_once_count_it_once(town, request):
    estate = request.getfixturevalue(town)
    owner, identity = housed(estate), new_id()
    asked = ask_payment(estate.city, estate.settings, identity, owner.asn, 1, None, way="purse")
    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(finish_payment, estate.city, estate.settings, identity) for _ in range(6)]
        assert {one.result().state for one in work} == {"done"}
    with reading(estate.city.engine) as conn:
        row = conn.execute(select(bill)).one()
        events = conn.scalars(select(outbox.c.seq).where(outbox.c.topic == "community.bill-paid")).all()
    assert (row.paid_fen, len(events)) == (asked.amount_fen, 1)


def test_a_payment_that_broke_off_after_the_money_moved_is_finished(estate, owner):
    identity = new_id()
    asked = ask_payment(estate.city, estate.settings, identity, owner.asn, 1, None, way="account")
    charge(
        estate.city,
        identity,
        owner.asn,
        service="community-property-fee",
        partner="sunrise-pm",
        list_price_fen=asked.amount_fen,
    )
    assert finish_payments(estate.city, estate.settings, estate.now) == 1
    assert finish_payments(estate.city, estate.settings, estate.now) == 0
    assert pay(estate, owner, identity=identity).state == "done"
    assert estate.clear().carried_fen == FEE_FEN


def test_a_tenant_sees_the_bills_of_the_own_months_and_while_the_lease_runs(estate, owner):
    tenant = estate.town.card()
    begin_lease(
        estate.city,
        estate.settings,
        new_id(),
        1,
        [tenant.asn],
        dt.date(2026, 4, 1),
        dt.date(2026, 4, 30),
    )
    assert estate.owed(tenant) == []
    estate.town.pass_time(dt.datetime(2026, 4, 1, 9, 0) - estate.now)
    estate.city.plugins.run_job("community.bill")
    assert [number for number, _ in estate.owed(tenant)] == [2]
    assert [number for number, _ in estate.owed(owner)] == [1, 2]
    estate.town.pass_time(30 * DAY)
    assert estate.owed(tenant) == []


def broken_off(monkeypatch, work):
    """Do what breaks off as soon as the money has moved."""
    pay_first = charging.charge

    def pay_and_break(*given, **named):
        pay_first(*given, **named)
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(charging, "charge", pay_and_break)
        with pytest.raises(KeyboardInterrupt):
            work()


def test_what_was_paid_and_broke_off_is_finished_whatever_refuses_the_next_try(estate, owner, monkeypatch):
    identity = new_id()
    broken_off(monkeypatch, lambda: pay(estate, owner, identity=identity))
    monkeypatch.setattr("citycard.city.charging.find_account", _gone)
    assert pay(estate, owner, identity=identity).state == "done"
    assert estate.owed(owner) == [(1, 0)]


def _gone(_conn, number):
    raise OnlineAccountUnknown(number=number)


def test_an_id_that_paid_for_something_else_pays_no_bill(estate, owner):
    identity = new_id()
    Payments(estate.city.wallet).pay(identity, owner.asn, payee(estate.city, "sunrise-pm"), 1)
    with pytest.raises(ActDiffers):
        pay(estate, owner, identity=identity)
    assert estate.owed(owner) == [(1, FEE_FEN)]
