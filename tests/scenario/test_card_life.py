"""A card's whole life at real readers: made, sold, used, lost, refused, replaced, given back, paid out.

Every step is a command of the card clerk; after each the ledger is in order and says where the money is.
"""

from __future__ import annotations

import datetime as dt
import importlib
import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from citycard import registry
from citycard.chip import Chip
from citycard.city import City
from citycard.city.cardmoney import CardMoney
from citycard.cli.main import cli
from citycard.errors import CardRefused
from citycard.pcsc import PcscReader, VpcdSlot
from citycard.store import reading, writing
from citycard.terminal import Acceptance, Terminal
from citycard.terminal.lists import ListStore
from citycard.wallet import INCOME_CARDS, LOSS_LATE_TAPS, TRUST_BANK

TERMINAL, FIRST = "990100000001", "01019901000000000001"
SECOND = FIRST[:-1] + "2"
TEMPLATE = Path(__file__).parents[2] / "examples" / "morning" / "city.toml"
CHANGED = {
    'allow = ["transit"]': 'allow = ["transit", "pool"]',
    "[clearing]": "[cards]\nclearing_days = 0\nreplacement_fee_fen = 500\n\n[clearing]",
    'title = "City card"': 'title = "City card"\ndeposit_fen = 2000',
}
PLUGIN = '''
"""A pool that counts visits on cards."""

from citycard import PluginInfo, SectorLayout, codec, hookimpl


@codec.layout(size=8)
class Visits:
    """How often its holder came."""

    count: int = codec.unsigned(4)
    rest: bytes = codec.reserved(4)


@hookimpl
def citycard_plugin():
    return PluginInfo(name="pool", title="Pool", core=">=0.1,<0.2")


@hookimpl
def citycard_sectors():
    yield SectorLayout(name="pool", title="Pool", record=Visits, initial=bytes(8))
'''


@pytest.fixture
def pool(monkeypatch, tmp_path):
    """A plugin on disk as if it was installed."""
    package, info = tmp_path / "citycard_pool", tmp_path / "citycard_pool-1.0.dist-info"
    package.mkdir()
    info.mkdir()
    (package / "__init__.py").write_text('"""A plugin."""\n')
    (package / "plugin.py").write_text(PLUGIN)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: citycard-pool\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[citycard]\npool = citycard_pool.plugin\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    yield
    for name in [name for name in sys.modules if name.startswith("citycard_pool")]:
        del sys.modules[name]


@pytest.fixture
def town(pool, tmp_path, monkeypatch):
    template = TEMPLATE.read_text(encoding="utf-8")
    for before, after in CHANGED.items():
        template = template.replace(before, after, 1)
    (tmp_path / "template.toml").write_text(template, encoding="utf-8")
    city = City.create(tmp_path / "town", tmp_path / "template.toml")
    city.open_declared()
    with writing(city.engine) as conn:
        gate = registry.Terminal(number=TERMINAL, partner="haibin-metro", opened_on=dt.date(2026, 1, 1))
        registry.add_terminals(conn, [gate])
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path / "town"


@pytest.fixture
def blanks(pcscd, town):
    """Two cards as they come from the maker, each in a reader of its own."""
    city = City.open(town)
    profile = city.issuing.chip_profile
    city.close()
    with (
        VpcdSlot(Chip.blank(profile, transport=True), port=pcscd.slots[0].port),
        VpcdSlot(Chip.blank(profile, transport=True), port=pcscd.slots[1].port),
    ):
        for slot in pcscd.slots[:2]:
            with PcscReader(slot.reader) as one:
                one.wait_for_card(10)
        yield tuple(slot.reader for slot in pcscd.slots[:2])


def call(*words, answers="", code=0):
    """Run a command as the clerk does, and give what it prints with --json, or what it complains of."""
    done = CliRunner().invoke(cli, [*map(str, words), "--json"], input=answers, standalone_mode=False)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        assert getattr(done.exception, "exit_code", 70) == code, done.exception
        return str(done.exception)
    assert code == 0
    return json.loads(done.stdout)


def money(town, *addresses):
    """Say where the money is, once the ledger and its trial balance are in order."""
    city = City.open(town)
    with reading(city.engine) as conn:
        assert city.ledger.audit(conn) == []
        trial = city.ledger.trial_balance(conn)
        assert trial.debits_fen == trial.credits_fen
        found = tuple(CardMoney(city, conn).balance_fen(one) for one in addresses)
    city.close()
    return found


def card_money(town, asn):
    """Say what is on a card by the books, what was deposited for it, and what is owed for it."""
    city = City.open(town)
    with reading(city.engine) as conn:
        shadow_fen = CardMoney(city, conn).purse_fen(asn)
    city.close()
    return (shadow_fen, *money(town, f"card/{asn}/deposit", f"card/{asn}/refund"))


def tapped(town, reader, folder):
    """Tap at a gate that has taken the newest list; give the card's balance."""
    call("terminal", "lists", "--full", "--out", folder / "newest.ccl")
    city = City.open(town)
    store = ListStore(folder / "gate", city.vault.public_key_pem(), "9901")
    store.apply((folder / "newest.ccl").read_bytes())
    gate = Terminal(TERMINAL, city.sam(TERMINAL), acceptance=store.acceptance(Acceptance()))
    try:
        with PcscReader(reader) as one:
            return gate.tap(one, city.now_local()).view.balance_fen
    finally:
        city.close()


def test_a_card_lives_its_whole_life_at_a_reader(town, blanks, tmp_path):
    old, new = blanks
    call("stock", "range", "add", "a", "--product", "standard", "--first", FIRST, "--size", 10)
    call("stock", "receive", "box", "--cards", 5)
    job = call("job", "open", "standard", 2, "--range", "a", "--lot", "box")["number"]
    call("job", "run", job, "--reader", old, answers="y\nn\n")
    assert call("job", "run", job, "--reader", new, answers="y\n")["missing"] == 0
    assert call("stock", "report")[0]["used"] == 2

    assert "stock" in call("card", "activate", "--reader", old, code=5)
    call("card", "issue", FIRST)
    with pytest.raises(CardRefused):
        tapped(town, old, tmp_path)
    assert call("card", "activate", "--reader", old)["asn"] == FIRST
    assert (card_money(town, FIRST), money(town, TRUST_BANK)) == ((0, 2000, 0), (2000,))

    call("card", "load", "50", "--reader", old, "--terminal", TERMINAL)
    assert card_money(town, FIRST) == (5000, 2000, 0)
    paid = call("card", "pay", "2.50", "--reader", old, "--terminal", TERMINAL, "--service", "bus")
    call("clearing", "receive", paid["batch"])
    call("clearing", "run")
    assert (tapped(town, old, tmp_path), card_money(town, FIRST)) == (4750, (4750, 2000, 0))

    call("plugin", "enable", "pool")
    assert call("card", "update", "--reader", old)["added"] == ["pool"]
    assert call("card", "update", "--reader", old)["added"] == []

    call("card", "lost", FIRST)
    with pytest.raises(CardRefused, match="blacklist"):
        tapped(town, old, tmp_path)
    call("card", "replace", FIRST, SECOND, "--reason", "lost")
    call("card", "activate", "--reader", new)
    assert call("card", "transfer", "--reader", new)["loaded_fen"] == 4750
    assert call("card", "transfer", "--reader", new)["loaded_fen"] == 0
    assert call("card", "stop", "--reader", old)["asn"] == FIRST
    assert (card_money(town, FIRST), card_money(town, SECOND)) == ((0, 0, 0), (4750, 2000, 0))
    assert tapped(town, new, tmp_path) == 4750

    call("card", "renew", "--until", "2060-12-31", "--reader", new)
    call("card", "return", SECOND)
    call("card", "settle")
    assert card_money(town, SECOND) == (0, 0, 6750)
    assert [call("card", "pay-out", SECOND)["paid_fen"] for _ in range(2)] == [6750, 0]
    with pytest.raises(CardRefused, match="blacklist"):
        tapped(town, new, tmp_path)
    # 70 yuan and the fee came in, 67.50 went out: the rest are the ride and the fee.
    assert (card_money(town, SECOND), money(town, TRUST_BANK)) == ((0, 0, 0), (750,))
    assert money(town, INCOME_CARDS, LOSS_LATE_TAPS) == (500, 0)
