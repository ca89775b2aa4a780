"""Paying from an account: once for each id, whatever is broken off in between."""

from __future__ import annotations

import datetime as dt
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import attrs
import pytest
from sqlalchemy import select

from citycard.city import charging
from citycard.store import reading
from citycard.wallet import online_account
from citycard_utilities import paying
from citycard_utilities.errors import (
    BillBusy,
    BillSettled,
    BillUnknown,
    PaymentDeclined,
    RequestDiffers,
)
from citycard_utilities.importing import take_file
from citycard_utilities.jobs import after_run
from citycard_utilities.matching import match_records
from citycard_utilities.opening import settings_of
from citycard_utilities.paying import finish_pending, pay_bill
from citycard_utilities.receipts import Money, take
from citycard_utilities.tables import bill, receipt

WATER = "water-works"


class _BrokenOffError(Exception):
    pass


def _broken_off(*_arguments, **_named):
    raise _BrokenOffError


def with_bills(town, settings, bill_file, due):
    lines = [("W1", "H1", 2000, due), ("W2", "H1", 90_000, due)]
    take_file(town.city, settings, WATER, bill_file(*lines), file="1.csv")
    return town.account(town.card(), 5_000)


@pytest.fixture
def account(town, settings, bill_file, due):
    """Give an account with 50 yuan, and bills to pay."""
    return with_bills(town, settings, bill_file, due)


def left_fen(town, account):
    with reading(town.city.engine) as conn:
        return town.city.ledger.balance(conn, online_account(account)).available_fen


def states(town):
    with reading(town.city.engine) as conn:
        bills = dict(conn.execute(select(bill.c.number, bill.c.state)).all())
        return bills, list(conn.scalars(select(receipt.c.state)))


@pytest.mark.parametrize("place", [(charging, "charge"), (paying, "_done")])
def test_a_payment_that_is_broken_off_is_finished_by_whoever_comes_next(
    town, settings, account, monkeypatch, place
):
    identity = uuid4()
    with monkeypatch.context() as broken:
        broken.setattr(*place, _broken_off)
        with pytest.raises(_BrokenOffError):
            pay_bill(town.city, settings, identity, account, WATER, "W1")
    assert states(town)[1] == ["pending"]
    with pytest.raises(BillBusy):
        pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    assert finish_pending(town.city, settings) == 0
    town.pass_time(dt.timedelta(minutes=3))
    assert finish_pending(town.city, settings) == 1
    assert (states(town)[0]["W1"], left_fen(town, account)) == ("paid", 3000)
    # And the client, who asks again, hears what became of it.
    assert pay_bill(town.city, settings, identity, account, WATER, "W1").state == "done"
    assert left_fen(town, account) == 3000
    town.check_books()


def test_what_the_account_does_not_pay_leaves_the_bill_open_for_another_payment(town, settings, account):
    identity = uuid4()
    for _ in range(2):
        with pytest.raises(PaymentDeclined, match="5000"):
            pay_bill(town.city, settings, identity, account, WATER, "W2")
    assert states(town) == ({"W1": "open", "W2": "open"}, ["refused"])
    assert left_fen(town, account) == 5000


def test_an_id_stands_for_one_payment(town, settings, account):
    identity = uuid4()
    pay_bill(town.city, settings, identity, account, WATER, "W1")
    with pytest.raises(RequestDiffers):
        pay_bill(town.city, settings, identity, account, WATER, "W2")
    with pytest.raises(BillSettled):
        pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    with pytest.raises(BillUnknown):
        pay_bill(town.city, settings, uuid4(), account, WATER, "W404")


def test_money_of_an_account_that_comes_second_goes_back_to_it(town, settings, account, monkeypatch):
    identity = uuid4()
    with monkeypatch.context() as broken:
        broken.setattr(paying, "_done", _broken_off)
        with pytest.raises(_BrokenOffError):
            pay_bill(town.city, settings, identity, account, WATER, "W1")
    # While it hung, the record of a kiosk came in and paid the bill.
    money = Money(
        id="990100000001-1-1",
        channel="card",
        biller=WATER,
        bill="W1",
        household="H1",
        asn="1" * 20,
        amount_fen=2000,
        at=town.now,
        run=1,
    )
    with town.city.engine.begin() as conn:
        take(conn, settings, [money])
    done = pay_bill(town.city, settings, identity, account, WATER, "W1")
    assert (done.applied_fen, done.returned_fen) == (0, 2000)
    after_run(town.city, settings)
    assert left_fen(town, account) == 5000


def test_a_bill_costs_more_after_its_due_date(town, settings, account, due):
    town.pass_time(dt.datetime.combine(due, dt.time(12)) + dt.timedelta(days=4) - town.now)
    paid = pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    assert (paid.amount_fen, paid.late_fen) == (2020, 20)
    assert left_fen(town, account) == 2980


def test_a_biller_with_a_fee_gets_less_and_the_city_keeps_it(town, settings, account, bill_file, due):
    power = "power-grid"
    take_file(town.city, settings, power, bill_file(("E1", "H1", 2001, due)), file="2.csv")
    pay_bill(town.city, settings, uuid4(), account, power, "E1")
    with reading(town.city.engine) as conn:
        assert town.city.ledger.balance_fen(conn, f"partner/{power}/payable") == 2001 - 10
        assert town.city.ledger.balance_fen(conn, "income/clearing-fee") == 10


def test_matching_nothing_takes_nothing(town, settings):
    with town.city.engine.begin() as conn:
        taken, credits_, readings = match_records(conn, settings, [], 1)
    assert (taken.receipts, credits_, readings) == (0, 0, 0)


def test_many_who_pay_one_bill_at_once_pay_it_once(town, settings, account):
    def ask(_):
        try:
            return pay_bill(town.city, settings, uuid4(), account, WATER, "W1").state
        except (BillBusy, BillSettled) as refused:
            return type(refused).__name__

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(16)))
    assert answers.count("done") == 1
    assert set(answers) <= {"done", "BillBusy", "BillSettled"}
    assert left_fen(town, account) == 3000


EACH_STORE = ["town", pytest.param("on_postgresql", marks=pytest.mark.postgresql)]


@pytest.mark.parametrize("store", EACH_STORE)
def test_the_same_payment_asked_for_many_times_at_once_has_one_answer(store, request, bill_file, due):
    town = request.getfixturevalue(store)
    settings, identity = settings_of(town.city), uuid4()
    account = with_bills(town, settings, bill_file, due)

    def ask(_):
        return pay_bill(town.city, settings, identity, account, WATER, "W1")

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(12)))
    assert answers == answers[:1] * 12
    assert (answers[0].state, left_fen(town, account)) == ("done", 3000)
    town.check_books()


def test_a_payment_that_stalled_until_it_was_refused_takes_no_money(town, settings, account, monkeypatch):
    identity, price = uuid4(), charging.price

    def late(*given, **named):
        quote = price(*given, **named)
        monkeypatch.setattr(charging, "price", price)
        town.pass_time(dt.timedelta(minutes=3))
        town.city.plugins.disable("utilities", by="tests", partner=WATER)
        assert finish_pending(town.city, settings) == 1
        town.city.plugins.enable("utilities", by="tests", partner=WATER)
        return quote

    monkeypatch.setattr(charging, "price", late)
    for _ in range(2):
        with pytest.raises(PaymentDeclined, match="switched off"):
            pay_bill(town.city, settings, identity, account, WATER, "W1")
    assert (states(town), left_fen(town, account)) == (({"W1": "open", "W2": "open"}, ["refused"]), 5000)
    assert pay_bill(town.city, settings, uuid4(), account, WATER, "W1").state == "done"


def test_a_payment_that_was_made_counts_whatever_the_settings_say_later(town, settings, account, monkeypatch):
    with monkeypatch.context() as broken:
        broken.setattr(paying, "_done", _broken_off)
        with pytest.raises(_BrokenOffError):
            pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    town.pass_time(dt.timedelta(minutes=3))
    without = attrs.evolve(settings, billers=settings.billers[1:])
    assert finish_pending(town.city, without) == 1
    assert states(town) == ({"W1": "paid", "W2": "open"}, ["done"])
