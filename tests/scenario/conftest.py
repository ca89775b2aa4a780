"""A city whose card is topped up online, two cities that exchange, and the books of everybody."""

from __future__ import annotations

import datetime as dt
import importlib
import socket
import sys
from pathlib import Path

import pytest

from citycard import registry
from citycard.city import City
from citycard.city.orders import look_after_due, order_top_up
from citycard.clock import FixedClock
from citycard.errors import CardRemoved
from citycard.ids import new_id
from citycard.store import reading, writing
from citycard.terminal import InProcessReader, Terminal
from citycard.wallet import card_purse
from citycard.wallet.addresses import LOSS_UNPAID_LOADS, TOP_UPS_IN_FLIGHT, provider_receivable
from citycard.wallet.order import OrderState
from citycard.wallet.orderbook import find_order

ASN = "01019901000000000001"
CREDIT_FOR_LOAD = 0x52
sys.path.insert(0, str(Path(__file__).parent))  # twocities is for several tests
TEMPLATE = Path(__file__).parents[2] / "examples" / "morning" / "city.toml"


@pytest.fixture
def box(payment_sandbox):
    return payment_sandbox


@pytest.fixture
def port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def town(tmp_path, box, port):
    """A city with one card in use, and the sandbox as its provider; its clock can be moved."""
    provider = box.section(f"http://127.0.0.1:{port}/api/providers/pay/notifications") + "timeout_s = 2.0\n"
    template = tmp_path / "template.toml"
    template.write_text(TEMPLATE.read_text(encoding="utf-8") + "\n" + provider, encoding="utf-8")
    City.create(tmp_path / "town", template).close()
    city = City.open(tmp_path / "town", clock=FixedClock(dt.datetime.now(dt.UTC)))
    city.issuing.publish()
    with writing(city.engine) as conn:
        registry.add_cards(conn, [city.issuing.card(ASN, "standard", city.now_local().date())])
    yield city
    city.close()


@pytest.fixture
def chip(town):
    return town.issuing.chip(ASN, "standard", town.now_local().date())


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


class Story:
    """A card, a city and a provider, and what happens between them."""

    def __init__(self, town, chip, box):
        self.town, self.chip, self.box = town, chip, box
        self._before = box.books()

    @property
    def reader(self):
        """A reader in which the card stays."""
        return InProcessReader(self.chip)

    def torn_reader(self, *, after):
        """A reader from which the card is taken before or after it is loaded."""
        return TornReader(self.chip, after=after)

    def order(self, fen=5000, identity=None):
        return order_top_up(self.town, identity or new_id(), ASN, fen)

    def pay(self, order):
        """Pay at the provider, which tells nobody."""
        self.box.fail("notify", "never")
        self.box.pay(order.number)

    def paid_order(self, fen=5000):
        order = self.order(fen)
        self.pay(order)
        return self.found_out(order, OrderState.PAID)

    def now(self, order, town=None):
        """Return the order as the store has it."""
        with reading((town or self.town).engine) as conn:
            return find_order(conn, order.id)

    def found_out(self, order, *wanted, town=None, minutes=1):
        """Let the clock go on and the job do its rounds until the order is where it should be."""
        city = town or self.town
        for _ in range(20):
            if self.now(order, city).state in wanted:
                return self.now(order, city)
            city.clock.moment += dt.timedelta(minutes=minutes)
            look_after_due(city)
        raise AssertionError(self.now(order, city))

    def later(self, **time):
        self.town.clock.moment += dt.timedelta(**time)

    def balance_fen(self):
        """Return what the card itself says."""
        gate = "990100000077"
        terminal = Terminal(gate, self.town.sam(gate))
        return terminal.tap(self.reader, self.town.now_local()).view.balance_fen

    def load_with_cash(self, fen):
        gate, at = "990100000057", self.town.now_local()
        Terminal(gate, self.town.sam(gate), host=self.town.desk).tap(self.reader, at).load(fen, at)

    def books(self):
        """Return what changed in the provider's own books since the story began."""
        return {name: value - self._before[name] for name, value in self.box.books().items()}

    def adds_up(self, *, on_card_fen, refunded_fen=0, cash_fen=0, lost_fen=0):
        """Check that provider, ledger and card say the same, and that nothing is left on the way."""
        books, ledger = self.books(), self.town.ledger
        with reading(self.town.engine) as conn:
            assert ledger.audit(conn) == []
            owed = ledger.balances(conn, 1104).get(provider_receivable("pay"), 0)
            in_flight = ledger.balances(conn, 2206).get(TOP_UPS_IN_FLIGHT, 0)
            purse = ledger.balances(conn, 2001).get(card_purse(ASN), 0)
            lost = ledger.balances(conn, 5002).get(LOSS_UNPAID_LOADS, 0)
            held = ledger.balance(conn, card_purse(ASN)).credits_pending_fen if purse else 0
        assert (self.balance_fen(), purse) == (on_card_fen, on_card_fen)
        assert (owed, books["refunded_fen"], lost) == (books["owed_fen"], refunded_fen, lost_fen)
        assert (owed + cash_fen + lost, in_flight, held) == (on_card_fen, 0, 0)


@pytest.fixture
def story(town, chip, box):
    return Story(town, chip, box)


@pytest.fixture
def ferry(monkeypatch, tmp_path):
    """A plugin on disk as if it was installed."""
    from twocities import PLUGIN

    package, info = tmp_path / "citycard_ferry", tmp_path / "citycard_ferry-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text('"""A plugin."""\n')
    (package / "plugin.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: citycard-ferry\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[citycard]\nferry = citycard_ferry.plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.startswith("citycard_ferry")]:
        del sys.modules[name]


@pytest.fixture
def sides(ferry, tmp_path):
    """East and West, each with four cards, and each on the list of the other."""
    from twocities import introduce, made

    east, west = made(tmp_path, "East", "9901", 4), made(tmp_path, "West", "9902", 4)
    introduce(east, west)
    introduce(west, east)
    yield east, west
    east.city.close()
    west.city.close()
