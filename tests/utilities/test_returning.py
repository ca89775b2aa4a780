"""Money that goes back: once, to where it came from, whatever is broken off; and what others gave back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from citycard.city import refunds
from citycard.city.charging import give_back
from citycard.city.refunds import give_refund, purchase_of
from citycard.store import reading
from citycard.wallet import online_account
from citycard.wallet.refunds import Destination
from citycard_utilities import returning
from citycard_utilities.bills import bills_of
from citycard_utilities.errors import CreditSpent, ReceiptUnknown, RequestDiffers, ReversalRefused
from citycard_utilities.importing import take_file
from citycard_utilities.jobs import after_run
from citycard_utilities.kiosk import Slip, pay_slip
from citycard_utilities.opening import settings_of
from citycard_utilities.paying import pay_bill, receipt_of
from citycard_utilities.returning import assign, give_returns, note_refunds, returns_of, reverse
from citycard_utilities.tables import receipt

WATER = "water-works"
WHY = {"reason": "wrong bill", "approved_by": "Wang"}


class _BrokenOffError(Exception):
    pass


def _broken_off(*_arguments, **_named):
    raise _BrokenOffError


@pytest.fixture
def citizen(town, settings, bill_file, due):
    lines = [("W1", "H1", 2000, due), ("W2", "H1", 700, due)]
    take_file(town.city, settings, WATER, bill_file(*lines), file="1.csv")
    card = town.card()
    town.load(card, 20_000)
    return card


@pytest.fixture
def at_kiosk(town, citizen, due):
    """Give what pays a slip at a kiosk and clears it, and gives the receipt's id."""
    kiosk = town.till(town.terminal(town.partner("kiosk-street")))

    def paid(bill="W1", fen=2000):
        slip = Slip(biller=1, bill=bill, household="H1", amount_fen=fen, due=due)
        kiosk.serve(citizen.reader, town.now, pay_slip(slip))
        town.clear(kiosk)
        with reading(town.city.engine) as conn:
            return conn.scalars(select(receipt.c.id).order_by(receipt.c.run.desc(), receipt.c.id)).first()

    return paid


@pytest.mark.parametrize("store", ["town", pytest.param("on_postgresql", marks=pytest.mark.postgresql)])
def test_a_reversal_asked_for_many_times_at_once_has_one_answer(store, request, bill_file, due):
    town = request.getfixturevalue(store)
    settings, identity = settings_of(town.city), uuid4()
    take_file(town.city, settings, WATER, bill_file(("W1", "H1", 2000, due)), file="1.csv")
    account = town.account(town.card(), 5000)
    paid = pay_bill(town.city, settings, uuid4(), account, WATER, "W1")
    with ThreadPoolExecutor(6) as pool:
        work = [pool.submit(reverse, town.city, settings, identity, paid.id, **WHY) for _ in range(8)]
        assert {one.result().amount_fen for one in work} == {2000}
    with reading(town.city.engine) as conn:
        assert town.city.ledger.balance_fen(conn, online_account(account)) == 5000
        assert receipt_of(conn, paid.id).returned_fen == 2000


def open_bills(town, settings):
    found = bills_of(town.city, settings, WATER, "H1", open_only=True)
    return {one.bill: one.to_pay_fen for one in found.bills}


@pytest.mark.parametrize("place", [(returning, "_move"), (refunds, "give_refund"), (returning, "publish")])
def test_a_reversal_that_is_broken_off_is_finished_and_moves_its_money_once(
    town, settings, citizen, at_kiosk, monkeypatch, place
):
    name, identity = at_kiosk(), uuid4()
    with monkeypatch.context() as broken:
        broken.setattr(*place, _broken_off)
        with pytest.raises(_BrokenOffError):
            reverse(town.city, settings, identity, name, **WHY)
    # Meanwhile the holder opened an account: what was given before stays where it went.
    account = town.account(citizen)
    give_returns(town.city)
    back = reverse(town.city, settings, identity, name, **WHY)
    assert (back.state, give_returns(town.city)) == ("done", 0)
    with reading(town.city.engine) as conn:
        online_fen = town.city.ledger.balance_fen(conn, online_account(account))
        owed_fen = 0 if online_fen else town.city.ledger.balance_fen(conn, f"card/{citizen.asn}/refund")
    assert online_fen + owed_fen == 2000
    assert open_bills(town, settings) == {"W1": 2000, "W2": 700}
    town.check_books()


def test_an_id_stands_for_one_reversal_and_a_receipt_goes_back_once(town, settings, at_kiosk):
    name, identity = at_kiosk(), uuid4()
    reverse(town.city, settings, identity, name, **WHY)
    with pytest.raises(RequestDiffers, match="reason"):
        reverse(town.city, settings, identity, name, reason="other", approved_by="Wang")
    with pytest.raises(ReversalRefused, match="went back already"):
        reverse(town.city, settings, uuid4(), name, **WHY)
    with pytest.raises(ReceiptUnknown):
        reverse(town.city, settings, uuid4(), "990100000001-9-9", **WHY)
    with pytest.raises(ReversalRefused, match="approved_by"):
        reverse(town.city, settings, uuid4(), name, reason="x", approved_by=" ")


def test_what_was_too_much_goes_back_with_it_unless_it_paid_another_bill(
    town, settings, at_kiosk, bill_file, due
):
    name = at_kiosk(fen=2300)
    back = reverse(town.city, settings, uuid4(), name, **WHY)
    assert (back.amount_fen, bills_of(town.city, settings, WATER, "H1").credit_fen) == (2300, 0)

    again = at_kiosk(fen=2300)
    take_file(town.city, settings, WATER, bill_file(("W3", "H1", 200, due)), file="2.csv")
    assert bills_of(town.city, settings, WATER, "H1").credit_fen == 0
    with pytest.raises(CreditSpent, match="300"):
        reverse(town.city, settings, uuid4(), again, **WHY)


def test_money_for_an_unknown_bill_is_assigned_or_given_back(town, settings, at_kiosk):
    name = at_kiosk("W77", 900)
    with reading(town.city.engine) as conn:
        assert receipt_of(conn, name).open_fen == 900
    assert assign(town.city, settings, name, "W2") == 700
    with pytest.raises(ReversalRefused, match="W2 is paid"):
        assign(town.city, settings, name, "W2")
    assert assign(town.city, settings, name, "W1") == 200
    assert open_bills(town, settings) == {"W1": 1800}

    other = at_kiosk("W78", 50)
    assert reverse(town.city, settings, uuid4(), other, **WHY).cause == "unmatched"
    with pytest.raises(ReversalRefused, match="has a bill already"):
        assign(town.city, settings, other, "W1")
    town.check_books()


def test_what_the_citys_desk_gave_back_of_a_receipt_opens_its_bill(town, settings, citizen, at_kiosk):
    name = at_kiosk()
    give_refund(
        town.city,
        uuid4(),
        purchase_of(town.city, name),
        500,
        Destination.CASH,
        reason="gate",
        approved_by="Wang",
        evidence="t-1",
        actor="Li",
    )
    account = town.account(citizen, 5_000)
    paid = pay_bill(town.city, settings, uuid4(), account, WATER, "W2")
    give_back(town.city, uuid4(), UUID(paid.id), 700)
    assert [note_refunds(town.city, settings) for _ in range(2)] == [2, 0]
    assert open_bills(town, settings) == {"W1": 500, "W2": 700}
    with reading(town.city.engine) as conn:
        assert {one.cause for one in returns_of(conn)} == {"refunded"}


def test_a_return_that_is_refused_waits_is_told_and_goes_on_with_what_is_left(
    town, settings, at_kiosk, monkeypatch
):
    name, identity = at_kiosk(), uuid4()
    with monkeypatch.context() as broken:
        broken.setattr(returning, "_move", _broken_off)
        with pytest.raises(_BrokenOffError):
            reverse(town.city, settings, identity, name, **WHY)
    # A desk gives a part back before the rest is moved.
    give_refund(
        town.city,
        uuid4(),
        purchase_of(town.city, name),
        500,
        Destination.CASH,
        reason="gate",
        approved_by="Wang",
        evidence="t-1",
        actor="Li",
    )
    assert give_returns(town.city) == 0
    said = {check.record.name: told for check, told in town.city.plugins.health()}
    assert "1 returns were refused" in said["returns"]
    after_run(town.city, settings)
    with reading(town.city.engine) as conn:
        assert sorted((one.cause, one.state, one.amount_fen) for one in returns_of(conn)) == [
            ("refunded", "done", 500),
            ("reversed", "done", 1500),
        ]
    town.check_books()
