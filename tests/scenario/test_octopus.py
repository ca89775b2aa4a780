"""Money and card never part: what was paid is on the card or goes back, and nobody is asked.

In 2007 an operator paid for 15,270 loads that banks had debited and cards never saw. Here real software cards
are loaded with money that a payment provider took, which runs as its own process, as does the city's server.
Every story ends with the provider's own books, the ledger and the card saying the same.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from sqlalchemy import event

from citycard import registry
from citycard.city import City
from citycard.city.delivering import Delivery, deliver
from citycard.city.expiring import expire
from citycard.city.orders import look_after_due, notified, order_top_up
from citycard.clock import FixedClock
from citycard.errors import CardRemoved, CitycardError, ProviderUnavailable
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.terminal import InProcessReader, Terminal
from citycard.terminal.journal import Journal
from citycard.wallet import card_purse
from citycard.wallet.addresses import LOSS_UNPAID_LOADS, TOP_UPS_IN_FLIGHT, provider_receivable
from citycard.wallet.load import LoadMoney
from citycard.wallet.loadbook import loads_of, lost_loads
from citycard.wallet.order import OrderState
from citycard.wallet.orderbook import find_order

ASN = "01019901000000000001"
TEMPLATE = Path(__file__).parents[2] / "examples" / "morning" / "city.toml"
CREDIT_FOR_LOAD = 0x52
MAIN = "from citycard.cli.main import main; main()"


def run(*words, folder):
    """Start a command of the product as its own process, in a group of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", MAIN, *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=folder,
        env=os.environ,
        text=True,
        start_new_session=True,
    )


class Box:
    """The sandbox in its own process: what it says, and what it is told."""

    def __init__(self, folder):
        self.process = run("sandbox", "payments", "--port", "0", "--folder", "box", "--json", folder=folder)
        lines = []
        while not lines or lines[-1] != "}\n":
            lines.append(self.process.stdout.readline())
            assert lines[-1], "the sandbox did not start"
        self.settings = json.loads("".join(lines))

    def ask(self, path, content=None):
        body = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(self.settings["url"] + path, data=body)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def fail(self, on, what, *, times=1, seconds=0.0):
        self.ask("/sandbox/faults", {"on": on, "what": what, "times": times, "seconds": seconds})

    def books(self):
        return json.loads(self.ask("/sandbox/books"))

    def pay(self, order):
        self.ask(f"/pay/{order.number}", {})

    def end(self):
        os.kill(self.process.pid, signal.SIGTERM)
        self.process.wait(timeout=10)
        self.process.stdout.close()


class TornReader:
    """A reader from which the card is taken at CREDIT FOR LOAD: before the command reaches it, or after."""

    def __init__(self, chip, *, after):
        self._reader = InProcessReader(chip)
        self._after = after
        self.torn = False

    def connect(self):
        return self._reader.connect()

    def transmit(self, apdu):
        if apdu[1] == CREDIT_FOR_LOAD and not self.torn:
            self.torn = True
            if self._after:
                self._reader.transmit(apdu)
            raise CardRemoved(during="CREDIT FOR LOAD")
        return self._reader.transmit(apdu)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    box = Box(tmp_path_factory.mktemp("box"))
    yield box
    box.end()


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def town(tmp_path, box, port):
    """A city with one card in use, and the sandbox as its provider; its clock can be moved."""
    settings = box.settings | {"notify_url": f"http://127.0.0.1:{port}/api/providers/pay/notifications"}
    lines = [f'{name} = "{value}"' for name, value in settings.items()]
    provider = "\n".join(["[topup.provider]", *lines, "timeout_s = 2.0"])
    template = tmp_path / "template.toml"
    template.write_text(TEMPLATE.read_text(encoding="utf-8") + "\n" + provider + "\n", encoding="utf-8")
    City.create(tmp_path / "town", template).close()
    city = City.open(tmp_path / "town", clock=FixedClock(dt.datetime.now(dt.UTC)))
    today = city.now_local().date()
    city.issuing.publish()
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", today)])
    city.today = today
    yield city
    city.close()


@pytest.fixture
def chip(town):
    return town.issuing.chip(ASN, "standard", town.today)


@pytest.fixture
def before(box):
    return box.books()


@pytest.fixture
def adds_up(town, chip, box, before):
    """Check at the end of a story: provider's books, ledger and card say the same."""

    def adds_up(*, on_card_fen, refunded_fen=0, lost_fen=0):
        books = {name: value - before[name] for name, value in box.books().items()}
        with reading(town.engine) as conn:
            assert town.ledger.audit(conn) == []
            owed_fen = town.ledger.balance_fen(conn, provider_receivable("pay"))
            in_flight_fen = town.ledger.balance_fen(conn, TOP_UPS_IN_FLIGHT)
            purse = town.ledger.balance(conn, card_purse(ASN)) if on_card_fen else None
            lost = town.ledger.balances(conn, 5002).get(LOSS_UNPAID_LOADS, 0)
        assert balance_of(town, chip) == on_card_fen
        assert (purse.balance_fen if purse else 0) == on_card_fen
        assert (books["owed_fen"], books["refunded_fen"], lost) == (owed_fen, refunded_fen, lost_fen)
        assert owed_fen + lost_fen == on_card_fen
        assert in_flight_fen == 0
        if purse:
            assert purse.credits_pending_fen == 0

    return adds_up


def balance_of(town, chip):
    gate = "990100000077"
    return Terminal(gate, town.sam(gate)).tap(InProcessReader(chip), town.now_local()).view.balance_fen


def ordered(town, fen=5000):
    return order_top_up(town, new_id(), ASN, fen)


def state_of(town, order):
    with reading(town.engine) as conn:
        return find_order(conn, order.id)


def found_out(town, order, wanted, *, minutes=1):
    """Let the clock go on and the job do its rounds until the order is where it should be."""
    for _ in range(20):
        if state_of(town, order).state is wanted:
            return
        town.clock.moment += dt.timedelta(minutes=minutes)
        look_after_due(town)
    raise AssertionError(f"the order is {state_of(town, order)}")


def paid(town, box, fen=5000):
    box.fail("notify", "never")
    order = ordered(town, fen)
    box.pay(order)
    found_out(town, order, OrderState.PAID)
    return order


def test_a_paid_order_is_loaded_at_the_next_sight_and_only_there(town, chip, box, adds_up):
    order = paid(town, box)
    seen = deliver(town, InProcessReader(chip))
    again = deliver(town, InProcessReader(chip))

    assert (seen.delivered, seen.balance_after_fen) == ((order.id,), 5000)
    assert (again.delivered, again.balance_after_fen) == ((), 5000)
    adds_up(on_card_fen=5000)


def test_a_card_torn_before_the_write_is_loaded_when_it_comes_back(town, chip, box, adds_up):
    order = paid(town, box)
    with pytest.raises(CardRemoved):
        deliver(town, TornReader(chip, after=False))
    assert state_of(town, order).load is not None

    seen = deliver(town, InProcessReader(chip))

    assert (seen.recovered_fen, seen.delivered) == (0, (order.id,))
    adds_up(on_card_fen=5000)


def test_a_card_torn_before_the_write_that_never_comes_back_is_refunded(town, chip, box, adds_up):
    order = paid(town, box)
    with pytest.raises(CardRemoved):
        deliver(town, TornReader(chip, after=False))
    town.clock.moment += dt.timedelta(days=6)
    assert expire(town).loads == ()
    town.clock.moment += dt.timedelta(days=2)
    (one,) = expire(town).loads

    assert (one.payer.name, one.money) == (str(order.id), LoadMoney.RETURNED)
    assert state_of(town, order).state is OrderState.REFUNDED
    adds_up(on_card_fen=0, refunded_fen=5000)
    # The card comes after all, and gets nothing twice.
    assert deliver(town, InProcessReader(chip)).delivered == ()
    adds_up(on_card_fen=0, refunded_fen=5000)


@pytest.mark.parametrize("elsewhere", [False, True], ids=["same desk", "another desk"])
def test_a_loaded_card_whose_answer_was_lost_is_recognised_at_the_next_sight(
    town, chip, box, adds_up, elsewhere
):
    order = paid(town, box)
    with pytest.raises(CardRemoved):
        deliver(town, TornReader(chip, after=True))
    assert state_of(town, order).state is OrderState.PAID

    terminal = "990100000055" if elsewhere else None
    seen = deliver(town, InProcessReader(chip), terminal)

    assert (seen.recovered_fen, seen.delivered, seen.balance_after_fen) == (5000, (), 5000)
    assert state_of(town, order).state is OrderState.DELIVERED
    adds_up(on_card_fen=5000)


def test_a_loaded_card_is_recognised_by_its_counter_alone(town, chip, box, adds_up):
    """The TAC is lost for good, because the card was loaded with cash meanwhile; its counter went on."""
    order = paid(town, box)
    with pytest.raises(CardRemoved):
        deliver(town, TornReader(chip, after=True))
    desk_load(town, chip, 100)

    with reading(town.engine) as conn:
        first, second = loads_of(conn, ASN)
    assert (first.agent, first.proof, first.money) == (f"order/{order.id}", "counter", "taken")
    assert (second.amount_fen, second.proof) == (100, "tac")
    assert state_of(town, order).state is OrderState.DELIVERED
    assert balance_of(town, chip) == 5100


def test_a_card_that_shows_the_load_after_the_refund_is_right_and_the_city_bears_it(town, chip, box, adds_up):
    order = paid(town, box)
    with pytest.raises(CardRemoved):
        deliver(town, TornReader(chip, after=True))
    town.clock.moment += dt.timedelta(days=8)
    expire(town)
    assert state_of(town, order).state is OrderState.REFUNDED

    deliver(town, InProcessReader(chip))
    desk_load(town, chip, 100)
    with reading(town.engine) as conn:
        (lost,) = lost_loads(conn)
    assert (lost.asn, lost.amount_fen) == (ASN, 5000)
    assert "the city bore 5000 fen" in state_of(town, order).trouble
    assert balance_of(town, chip) == 5100
    with reading(town.engine) as conn:
        assert town.ledger.balance_fen(conn, card_purse(ASN)) == 5100
        assert town.ledger.balance_fen(conn, LOSS_UNPAID_LOADS) == 5000
        assert town.ledger.balance_fen(conn, TOP_UPS_IN_FLIGHT) == 0
        assert town.ledger.audit(conn) == []


def desk_load(town, chip, fen):
    gate = "990100000057"
    at = town.now_local()
    return Terminal(gate, town.sam(gate), host=town.desk).tap(InProcessReader(chip), at).load(fen, at)


def test_a_lost_notification_is_made_up_for_by_asking(town, chip, box, adds_up):
    box.fail("notify", "never")
    order = ordered(town)
    box.pay(order)
    assert state_of(town, order).state is OrderState.CREATED
    found_out(town, order, OrderState.PAID)
    deliver(town, InProcessReader(chip))
    adds_up(on_card_fen=5000)


@pytest.mark.parametrize("fault", ["lose-answer", "late-answer"])
def test_an_order_whose_answer_was_lost_is_the_same_order_when_asked_again(town, chip, box, adds_up, fault):
    box.fail("create", fault, times=2, seconds=3.0)
    identity = new_id()
    with pytest.raises(ProviderUnavailable, match="nothing is lost"):
        order_top_up(town, identity, ASN, 5000)
    order = order_top_up(town, identity, ASN, 5000)
    box.fail("notify", "never")
    box.pay(order)
    found_out(town, order, OrderState.PAID)
    deliver(town, InProcessReader(chip))
    adds_up(on_card_fen=5000)


def test_an_order_that_nobody_pays_is_closed_at_the_provider_too(town, box, before):
    order = ordered(town)
    found_out(town, order, OrderState.CLOSED, minutes=10)
    box.pay(order)
    assert box.books() == before
    assert state_of(town, order).state is OrderState.CLOSED


def test_a_refund_whose_answer_was_lost_is_made_once(town, chip, box, adds_up):
    order = paid(town, box)
    town.clock.moment += dt.timedelta(days=31)
    box.fail("refund", "lose-answer", times=2)
    expire(town)
    assert state_of(town, order).state is OrderState.REFUNDING
    found_out(town, order, OrderState.REFUNDED, minutes=20)
    adds_up(on_card_fen=0, refunded_fen=5000)


class KilledError(BaseException):
    """The process is gone, in the middle of what it did."""


@pytest.mark.parametrize("after", [False, True], ids=["before the commit", "after it"])
def test_a_process_killed_between_any_two_steps_leaves_nothing_behind(town, chip, box, before, after):
    """Order, pay, deliver, with the process killed at the n-th commit; then another process goes on."""
    on_card_fen = struck = 0
    for place in range(12):
        left = [place]

        def kill(_conn, left=left):
            left[0] -= 1
            if left[0] < 0 and not after:
                left[0] = 10**9
                raise KilledError
            if left[0] < 0:
                left[0] = -1

        def begin(_conn, left=left):
            if after and left[0] < 0:
                left[0] = 10**9
                raise KilledError

        event.listen(town.engine, "commit", kill)
        event.listen(town.engine, "begin", begin)
        identity, journal = new_id(), Journal()
        box.fail("notify", "never")
        try:
            order = order_top_up(town, identity, ASN, 500)
            box.pay(order)
            town.clock.moment += dt.timedelta(minutes=1)
            look_after_due(town)
            Delivery(town, InProcessReader(chip), "990100000088", journal).see()
        except KilledError:
            struck += 1
        finally:
            event.remove(town.engine, "commit", kill)
            event.remove(town.engine, "begin", begin)
        other = City.open(town.folder, clock=town.clock)
        order = order_top_up(other, identity, ASN, 500)
        box.fail("notify", "never")
        box.pay(order)
        found_out_or_over(other, order)
        for _ in range(2):
            deliver(other, InProcessReader(chip))
        on_card_fen += 500
        assert balance_of(other, chip) == on_card_fen
        assert state_of(other, order).state is OrderState.DELIVERED
        with reading(other.engine) as conn:
            assert other.ledger.audit(conn) == []
            assert other.ledger.balance_fen(conn, card_purse(ASN)) == on_card_fen
            assert other.ledger.balance_fen(conn, TOP_UPS_IN_FLIGHT) == 0
        other.close()
        # The cut that did not strike was the last.
        if struck <= place:
            break
    assert struck >= 5
    box.fail("notify", "never", times=0)


def found_out_or_over(town, order):
    for _ in range(20):
        if state_of(town, order).state in {OrderState.PAID, OrderState.DELIVERED}:
            return
        town.clock.moment += dt.timedelta(minutes=1)
        look_after_due(town)
    raise AssertionError(state_of(town, order))


def test_the_provider_tells_a_server_in_its_own_process_once_twice_or_late(town, chip, box, port, adds_up):
    server = run("serve", "--city", str(town.folder), "--port", str(port), "--no-link", folder=town.folder)
    try:
        assert "is served" in server.stdout.readline()
        orders = []
        for fault in (None, "twice", "late"):
            if fault is not None:
                box.fail("notify", fault, seconds=0.5)
            orders.append(ordered(town, 1000))
            box.pay(orders[-1])
        for _ in range(100):
            states = {state_of(town, one).state for one in orders}
            if states == {OrderState.PAID}:
                break
            time.sleep(0.1)
        assert states == {OrderState.PAID}
    finally:
        os.kill(server.pid, signal.SIGTERM)
        server.wait(timeout=15)
        server.stdout.close()
    assert len(deliver(town, InProcessReader(chip)).delivered) == 3
    adds_up(on_card_fen=3000)


def test_nobody_else_is_believed(town, box):
    order = ordered(town)
    with pytest.raises(CitycardError, match="not accepted"):
        notified(town, "pay", "/api/providers/pay/notifications", {}, b"{}")
    assert state_of(town, order).state is OrderState.CREATED
