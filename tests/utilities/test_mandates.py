"""Direct debit: made once, collected in time, tried again by the schedule, ended at any moment."""

from __future__ import annotations

import datetime as dt
from uuid import uuid4

import pytest
from sqlalchemy import select

from citycard.store import reading, writing
from citycard.store.outbox import outbox
from citycard.wallet import move_account
from citycard_utilities import mandates as module
from citycard_utilities.errors import MandateConflict, MandateUnknown, RequestDiffers
from citycard_utilities.importing import take_file
from citycard_utilities.mandates import (
    collect,
    collections_of,
    end_mandate,
    make_mandate,
    mandate_owner,
    mandates_of,
)
from citycard_utilities.paying import pay_bill
from citycard_utilities.tables import receipt

WATER = "water-works"


@pytest.fixture
def holder(town, settings, bill_file, due):
    """Give a card with an empty account, and two bills of household H1."""
    lines = [("W1", "H1", 2000, due), ("W2", "H1", 500, due + dt.timedelta(days=30))]
    take_file(town.city, settings, WATER, bill_file(*lines), file="1.csv")
    card = town.card()
    town.account(card)
    return card


@pytest.fixture
def mandate(town, settings, holder):
    return make_mandate(town.city, settings, uuid4(), holder.asn, WATER, "H1")


@pytest.fixture
def near(town, due):
    """Let it be three days before the due date."""
    town.pass_time(dt.datetime.combine(due, dt.time(8)) - dt.timedelta(days=3) - town.now)


def turns(town):
    with reading(town.city.engine) as conn:
        return [(one.bill, one.state, one.tries) for one in collections_of(conn)]


def failed(town):
    with reading(town.city.engine) as conn:
        bodies = conn.scalars(select(outbox.c.body).where(outbox.c.topic == "utilities.collection-failed"))
        return [body["next_on"] for body in bodies]


def test_a_mandate_is_made_once_and_a_household_has_one(town, settings, holder):
    identity = uuid4()
    made, again = (
        make_mandate(town.city, settings, identity, holder.asn, WATER, "H1", most_fen=9) for _ in range(2)
    )
    assert made == again
    with pytest.raises(RequestDiffers, match="most_fen"):
        make_mandate(town.city, settings, identity, holder.asn, WATER, "H1", most_fen=8)
    with pytest.raises(MandateConflict, match=str(identity)):
        make_mandate(town.city, settings, uuid4(), holder.asn, WATER, "H1")
    end_mandate(town.city, identity)
    other = make_mandate(town.city, settings, uuid4(), holder.asn, WATER, "H1")
    end_mandate(town.city, other.id)
    with reading(town.city.engine) as conn:
        assert [one.active for one in mandates_of(conn, holder.asn)] == [False, False]
    with pytest.raises(MandateUnknown):
        end_mandate(town.city, uuid4())


def test_nothing_is_collected_before_its_time(town, settings, holder, mandate):
    town.account(holder, 5_000)
    assert collect(town.city, settings).paid == 0
    assert turns(town) == []


def test_an_empty_account_is_tried_on_the_days_of_the_schedule_and_then_given_up(
    town, settings, holder, mandate, near
):
    days = []
    for day in range(12):
        done = collect(town.city, settings)
        days += [day] * done.refused
        assert collect(town.city, settings).refused == 0
        town.pass_time(dt.timedelta(days=1))
    assert days == [0, 1, 3, 7]
    assert turns(town) == [("W1", "given-up", 4)]
    assert [bool(day) for day in failed(town)] == [True, True, True, False]
    # Given up is given up: money that comes later is the holder's to pay with.
    town.account(holder, 5_000)
    assert collect(town.city, settings).paid == 0


def test_a_try_that_works_pays_the_bill_with_its_late_fee(town, settings, holder, mandate, near):
    collect(town.city, settings)
    town.account(holder, 5_000)
    town.pass_time(dt.timedelta(days=7))
    done = collect(town.city, settings)
    # Four days late, two of grace: 1 % of 20.00.
    assert (done.paid, done.amount_fen) == (1, 2020)
    assert collect(town.city, settings).paid == 0
    with reading(town.city.engine) as conn:
        assert conn.execute(select(receipt.c.channel, receipt.c.state)).all()[-1] == ("mandate", "done")


def test_a_bill_that_was_paid_otherwise_is_not_collected(town, settings, holder, mandate, near):
    collect(town.city, settings)
    other = town.account(town.card(), 5_000)
    pay_bill(town.city, settings, uuid4(), other, WATER, "W1")
    town.account(holder, 5_000)
    town.pass_time(dt.timedelta(days=1))
    assert collect(town.city, settings).paid == 0
    assert turns(town) == [("W1", "unneeded", 1)]


def test_a_mandate_that_is_ended_collects_nothing_more(town, settings, holder, mandate, near):
    collect(town.city, settings)
    end_mandate(town.city, mandate.id)
    town.account(holder, 5_000)
    town.pass_time(dt.timedelta(days=1))
    assert (collect(town.city, settings).paid, turns(town)) == (0, [("W1", "stopped", 1)])


def test_a_bill_above_the_mandates_limit_is_left_to_its_holder(town, settings, holder, near):
    town.account(holder, 5_000)
    make_mandate(town.city, settings, uuid4(), holder.asn, WATER, "H1", most_fen=1999)
    assert collect(town.city, settings).paid == 0
    assert (turns(town), failed(town)) == ([("W1", "given-up", 0)], [""])


def test_a_bill_that_is_replaced_is_collected_as_it_is_now(
    town, settings, holder, mandate, near, bill_file, due
):
    collect(town.city, settings)
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 1200, due)), file="2.csv")
    town.account(holder, 5_000)
    town.pass_time(dt.timedelta(days=1))
    done = collect(town.city, settings)
    assert (done.paid, done.amount_fen) == (1, 1200)
    assert sorted(turns(town)) == [("W1", "done", 0), ("W1", "unneeded", 1)]


def test_collecting_that_is_broken_off_goes_on_and_pays_once(
    town, settings, holder, mandate, near, monkeypatch
):
    town.account(holder, 5_000)
    with monkeypatch.context() as broken:
        broken.setattr(module, "_become", _broken_off)
        with pytest.raises(_BrokenOffError):
            collect(town.city, settings)
    assert collect(town.city, settings).amount_fen == 2000
    with reading(town.city.engine) as conn:
        assert conn.execute(select(receipt.c.amount_fen)).all() == [(2000,)]
    town.check_books()


class _BrokenOffError(Exception):
    pass


def _broken_off(*_arguments, **_named):
    raise _BrokenOffError


def test_a_mandate_follows_its_account_to_the_card_that_comes_after(town, settings, holder, mandate):
    successor = town.card()
    with writing(town.city.engine) as conn:
        move_account(conn, holder.asn, successor.asn)
        assert mandate_owner(conn, mandate.id) == successor.asn
        assert [one.id for one in mandates_of(conn, successor.asn)] == [mandate.id]
    with town.client("citizen", successor.asn) as client:
        assert client.post(f"/utilities/mandates/{mandate.id}/end").json()["active"] is False
