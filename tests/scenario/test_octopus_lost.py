"""Answers and notifications are lost, and processes die between two steps: the money adds up all the same."""

from __future__ import annotations

import os
import signal
import time
from contextlib import contextmanager

import pytest
from sqlalchemy import event

from citycard.city import City
from citycard.city.delivering import Delivery, deliver
from citycard.city.expiring import expire
from citycard.city.orders import look_after_due, notified
from citycard.errors import NotificationRefused, ProviderUnavailable
from citycard.ids import new_id
from citycard.terminal.journal import Journal
from citycard.testing.sandbox import start_command
from citycard.wallet.order import OrderState


def test_a_lost_notification_is_made_up_for_by_asking(story):
    order = story.order()
    story.pay(order)
    assert story.now(order).state is OrderState.CREATED
    story.found_out(order, OrderState.PAID)
    deliver(story.town, story.reader)
    story.adds_up(on_card_fen=5000)


@pytest.mark.parametrize("fault", ["lose-answer", "late-answer"])
def test_an_order_whose_answer_was_lost_is_the_same_order_when_asked_again(story, fault):
    story.box.fail("create", fault, times=2, seconds=3.0)
    identity = new_id()
    with pytest.raises(ProviderUnavailable, match="nothing is lost"):
        story.order(identity=identity)
    order = story.order(identity=identity)
    story.pay(order)
    story.found_out(order, OrderState.PAID)
    deliver(story.town, story.reader)
    story.adds_up(on_card_fen=5000)


def test_an_order_that_nobody_pays_is_closed_at_the_provider_too(story):
    order = story.order()
    story.found_out(order, OrderState.CLOSED, minutes=10)
    story.box.pay(order.number)
    assert set(story.books().values()) == {0}
    assert story.now(order).state is OrderState.CLOSED


def test_a_refund_whose_answer_was_lost_is_made_once(story):
    order = story.paid_order()
    story.later(days=31)
    story.box.fail("refund", "lose-answer", times=2)
    expire(story.town)
    assert story.now(order).state is OrderState.REFUNDING
    story.found_out(order, OrderState.REFUNDED, minutes=20)
    story.adds_up(on_card_fen=0, refunded_fen=5000)


class KilledError(BaseException):
    """The process is gone, in the middle of what it did."""


@contextmanager
def killed_at(engine, commit, *, after):
    """Kill the process at the n-th commit from now on: before it, or when the next transaction begins."""
    left = [commit]

    def before_commit(_conn):
        left[0] -= 1
        if left[0] == -1 and not after:
            raise KilledError

    def at_begin(_conn):
        if after and left[0] == -1:
            left[0] = -2
            raise KilledError

    struck = []
    event.listen(engine, "commit", before_commit)
    event.listen(engine, "begin", at_begin)
    try:
        yield struck
    except KilledError:
        struck.append(commit)
    finally:
        event.remove(engine, "commit", before_commit)
        event.remove(engine, "begin", at_begin)


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after it"])
def test_a_process_killed_between_any_two_steps_leaves_nothing_behind(story, after):
    """Order, pay, deliver, with the process killed at each commit in turn; then another process goes on."""
    town, identity = story.town, None
    for place in range(20):
        identity = new_id()
        with killed_at(town.engine, place, after=after) as struck:
            story.pay(story.order(500, identity))
            story.later(minutes=1)
            look_after_due(town)
            Delivery(town, story.reader, "990100000088", Journal()).see()
        other = City.open(town.folder, clock=town.clock)
        order = story.order(500, identity)
        story.pay(order)
        story.found_out(order, OrderState.PAID, OrderState.DELIVERED, town=other)
        for _ in range(2):
            deliver(other, story.reader)
        assert story.now(order, other).state is OrderState.DELIVERED
        other.close()
        story.adds_up(on_card_fen=500 * (place + 1))
        if not struck:
            break
    assert place >= 5
    story.box.fail("notify", "never", times=0)


def test_the_provider_tells_a_server_in_its_own_process_once_twice_or_late(story, port):
    town = story.town
    server = start_command(
        "serve", "--city", str(town.folder), "--port", str(port), "--no-link", folder=town.folder
    )
    try:
        assert "is served" in server.stdout.readline()
        orders = []
        for fault in (None, "twice", "late"):
            if fault is not None:
                story.box.fail("notify", fault, seconds=0.5)
            orders.append(story.order(1000))
            story.box.pay(orders[-1].number)
        for _ in range(100):
            states = {story.now(one).state for one in orders}
            if states == {OrderState.PAID}:
                break
            time.sleep(0.1)
        assert states == {OrderState.PAID}
    finally:
        os.kill(server.pid, signal.SIGTERM)
        server.wait(timeout=15)
        server.stdout.close()
    assert len(deliver(town, story.reader).delivered) == 3
    story.adds_up(on_card_fen=3000)


def test_nobody_else_is_believed(story):
    order = story.order()
    with pytest.raises(NotificationRefused, match="not accepted"):
        notified(story.town, "pay", "/api/providers/pay/notifications", {}, b"{}")
    assert story.now(order).state is OrderState.CREATED
