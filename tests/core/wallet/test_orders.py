"""An order's steps and their money: each is taken once, in the order that they can happen in."""

from __future__ import annotations

from datetime import timedelta

import pytest

from citycard.errors import LoadRefused, OrderConflict, OrderInvalid, OrderRefused, OrderUnknown
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.wallet import Accounts, TopUpDesk, online_account
from citycard.wallet.order import OrderState, PaymentOrder
from citycard.wallet.orderbook import add_order, due_orders, find_order, orders, uncollected_orders
from citycard.wallet.orders import (
    order_closed,
    order_paid,
    order_refunded,
    refund_order,
    settle_provider,
)


@pytest.fixture
def ordered(wallet, card):
    def order(**more):
        now = wallet.clock.now()
        values = {
            "id": new_id(),
            "provider": "pay",
            "asn": card.asn,
            "amount_fen": 5000,
            "created_at": now,
            "expires_at": now + timedelta(minutes=30),
            "look_at": now,
        }
        with writing(wallet.engine) as conn:
            return add_order(conn, PaymentOrder(**values | more))

    return order


@pytest.fixture
def paid(wallet):
    def pay(order, fen=5000):
        with writing(wallet.engine) as conn:
            return order_paid(
                conn,
                wallet.ledger,
                order.id,
                transaction="t1",
                amount_fen=fen,
                at=wallet.now_local(),
            )

    return pay


@pytest.fixture
def money(wallet):
    def money():
        with reading(wallet.engine) as conn:
            assert wallet.ledger.audit(conn) == []
            owed = wallet.ledger.balances(conn, 1104).get("provider/pay/receivable", 0)
            return owed, wallet.ledger.balances(conn, 2206).get("topup/in-flight", 0)

    return money


def step(wallet, work, order, *more, **named):
    with writing(wallet.engine) as conn:
        return work(conn, wallet.ledger, order.id, *more, **named)


def test_a_paid_order_is_in_flight_once(ordered, paid, money):
    order = ordered()
    for _ in range(2):
        assert paid(order).state is OrderState.PAID
    assert money() == (5000, 5000)


def test_an_order_for_an_account_is_there_with_its_payment(wallet, ordered, paid, money, card):
    Accounts(wallet).open(new_id(), card.asn)
    assert paid(ordered(account=card.asn)).state is OrderState.DELIVERED
    with reading(wallet.engine) as conn:
        assert wallet.ledger.balance_fen(conn, online_account(card.asn)) == 5000
    assert money() == (5000, 0)


def test_an_order_for_an_account_that_was_closed_is_refunded(wallet, ordered, paid, card):
    Accounts(wallet).open(new_id(), card.asn)
    Accounts(wallet).close(new_id(), card.asn)
    assert paid(ordered(account=card.asn)).state is OrderState.REFUNDING
    with reading(wallet.engine) as conn:
        assert wallet.ledger.balance_fen(conn, online_account(card.asn)) == 0


def test_an_order_for_an_account_that_is_not_there_is_refunded(wallet, ordered, paid, money, card):
    order = paid(ordered(account=card.asn))
    assert (order.state, order.look_at) == (OrderState.REFUNDING, wallet.clock.now())
    for _ in range(2):
        assert step(wallet, order_refunded, order, at=wallet.now_local()).state is OrderState.REFUNDED
    assert money() == (0, 0)


def test_an_order_that_is_paid_after_it_was_closed_is_refunded(wallet, ordered, paid, money):
    order = ordered()
    assert step(wallet, order_closed, order).state is OrderState.CLOSED
    assert paid(order).state is OrderState.REFUNDING
    assert money() == (5000, 5000)


def test_an_order_that_was_paid_is_not_closed(wallet, ordered, paid):
    order = ordered()
    paid(order)
    assert step(wallet, order_closed, order).state is OrderState.PAID


def test_another_amount_than_was_ordered_is_refused(ordered, paid, money):
    with pytest.raises(OrderRefused, match="4999 fen were paid for 5000 fen"):
        paid(ordered(), 4999)
    assert money() == (0, 0)


def test_an_order_is_not_refunded_while_a_load_with_its_money_is_open(wallet, vault, ordered, paid, card):
    order = paid(ordered())
    desk = TopUpDesk(vault, wallet.ledger).for_agent(f"order/{order.id}")
    asked = card.init(5000)
    mac2 = desk.begin(**asked)
    with pytest.raises(OrderRefused, match="hold the card to a reader"):
        step(wallet, refund_order, order, "asked for")
    desk.confirm(card.asn, 0, card.credit(asked, mac2))
    with reading(wallet.engine) as conn:
        assert find_order(conn, order.id).state is OrderState.DELIVERED
    with pytest.raises(OrderRefused, match="only one that is paid"):
        step(wallet, refund_order, order, "asked for")


def test_nobody_loads_what_is_being_refunded(wallet, vault, ordered, paid, card):
    order = paid(ordered())
    step(wallet, refund_order, order, "asked for")
    with pytest.raises(LoadRefused, match=r"order.*it is refunding"):
        TopUpDesk(vault, wallet.ledger).for_agent(f"order/{order.id}").begin(**card.init(5000))


def test_the_provider_hands_over_what_it_owes_once(wallet, ordered, paid, money):
    paid(ordered())
    receipt = new_id()
    for expected in (True, False):
        with writing(wallet.engine) as conn:
            new = settle_provider(
                conn, wallet.ledger, "pay", 5000, ref="bank/1/1", id=receipt, at=wallet.now_local()
            )
        assert new is expected
    assert money() == (0, 5000)
    with reading(wallet.engine) as conn:
        assert wallet.ledger.find(conn, [receipt]) == {}, "a client's id is none of the ledger's"


def test_an_id_stands_for_one_order(ordered):
    order = ordered()
    assert ordered(id=order.id).id == order.id
    with pytest.raises(OrderConflict, match="amount_fen 5000, not 4000"):
        ordered(id=order.id, amount_fen=4000)


@pytest.mark.parametrize(
    ("field", "value"), [("asn", "17"), ("account", "x"), ("amount_fen", 0), ("amount_fen", True)]
)
def test_an_order_of_nonsense_is_refused(ordered, field, value):
    with pytest.raises(OrderInvalid, match=field):
        ordered(**{field: value})


def test_orders_are_listed_and_found_when_they_are_due(wallet, ordered, paid):
    first, second = ordered(), ordered()
    paid(first)
    with reading(wallet.engine) as conn:
        assert [one.id for one in due_orders(conn, wallet.clock.now())] == [second.id]
        assert {one.id for one in orders(conn, asn=first.asn)} == {first.id, second.id}
        assert [one.id for one in orders(conn, states=[OrderState.PAID])] == [first.id]
        assert [one.id for one in uncollected_orders(conn, wallet.clock.now())] == [first.id]
        with pytest.raises(OrderUnknown, match="citycard topup list"):
            find_order(conn, new_id())
