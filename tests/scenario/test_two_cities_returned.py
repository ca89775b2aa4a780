"""A payment to another city that its bank returned is owed again, and paid again once."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path

import pytest
from twocities import DAY, carry, open_terminal, pay

from citycard.bank import instruct
from citycard.bank import receive as receive_statement
from citycard.bank.payments import PaymentState, find_payment
from citycard.clearing import clear
from citycard.exchange.positions import city_statement
from citycard.exchange.settling import settle
from citycard.store import reading
from citycard.wallet.addresses import city_receivable, payable_of

_SPEC = importlib.util.spec_from_file_location(
    "camtwriter", Path(__file__).parents[1] / "core" / "bank" / "camtwriter.py"
)
camtwriter = importlib.util.module_from_spec(_SPEC)
sys.modules.setdefault("camtwriter", camtwriter)
_SPEC.loader.exec_module(camtwriter)

OWED = payable_of("city/9901")


@pytest.fixture
def paid(sides):
    """West owes East 347 fen, and has ordered the payment of it."""
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    east.hand_in()
    clear(east.city)
    carry(east, west)
    clear(west.city)
    carry(west, east)
    west.later(hours=24)
    (settlement,) = settle(west.city, DAY, actor="clerk")
    return east, west, settlement.payment


def found(side, payment):
    with reading(side.city.engine) as conn:
        return find_payment(conn, payment)


def come_back(side, payment, number):
    """Let the bank book a payment, and send it back."""
    instruct(side.city)
    one = found(side, payment)
    bank = camtwriter.Bank(side.city.config.bank.account, 100_000 + number)
    day = DAY + dt.timedelta(days=number)
    facts = {"day": day, "end_to_end": one.end_to_end}
    lines = [
        camtwriter.Booked(signed=-one.amount_fen, account=one.creditor.account, **facts),
        camtwriter.Booked(signed=one.amount_fen, why="AC04", **facts),
    ]
    receive_statement(side.city, bank.day(day, *lines))
    assert found(side, payment).state is PaymentState.RETURNED


def test_what_the_bank_returned_is_paid_again_exactly_once(paid):
    _, west, payment = paid
    come_back(west, payment, 1)
    assert west.balances(OWED) == (347,)
    # It is of a window up to DAY, and is open again.
    assert city_statement(west.city, "9901").open_fen == -347
    assert settle(west.city, DAY - dt.timedelta(days=1), actor="clerk") == []
    (again,) = settle(west.city, DAY, actor="clerk")
    assert (again.owed_fen, again.due_fen, again.payment is not None) == (347, 0, True)
    assert again.payment != payment
    assert found(west, again.payment).amount_fen == 347
    assert west.balances(OWED) == (0,)
    assert city_statement(west.city, "9901").open_fen == 0
    assert settle(west.city, DAY, actor="clerk") == []


def test_it_is_paid_with_what_is_owed_since_less_what_is_due(paid):
    east, west, payment = paid
    come_back(west, payment, 1)
    open_terminal(west, east)
    pay(west, east, 0, 500, minutes=60)
    pay(east, west, 1, 100, minutes=60)
    for side, other in ((west, east), (east, west)):
        side.hand_in()
        clear(side.city)
        carry(side, other)
        clear(other.city)
        carry(other, side)
    west.later(hours=48)
    (both,) = settle(west.city, DAY + dt.timedelta(days=1), actor="clerk")
    # 347 come back and 98 new, against 496 of which the fee is taken.
    assert (both.owed_fen, both.due_fen, both.payment) == (347 + 98, 496, None)
    assert west.balances(OWED, city_receivable("9901")) == (0, 496 - 347 - 98)
    assert settle(west.city, DAY + dt.timedelta(days=1), actor="clerk") == []
