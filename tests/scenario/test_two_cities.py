"""Two cities exchange a day: each one's cards are used in the other, and both books agree to the fen.

Each has its own store, folder, vault and keys. What joins their terminals is that a SAM holds the purchase
keys of both, as one under a national root does; what joins their books are files.
"""

from __future__ import annotations

import datetime as dt
import importlib
import sys

import attrs
import pytest

from citycard import registry
from citycard.city import City
from citycard.clearing import clear, receive
from citycard.clock import FixedClock
from citycard.exchange.receiving import receive as receive_files
from citycard.exchange.sending import send
from citycard.registry import CityFee, OtherCity, Used
from citycard.store import reading, writing
from citycard.terminal import Acceptance, InProcessReader, SoftSam, Terminal
from citycard.terminal.record import RecordPlan
from citycard.wallet.addresses import city_receivable, partner_payable, payable_of

NOON = dt.datetime(2026, 3, 2, 12, 0)
DAY = NOON.date()
FERRY = 700
TEMPLATE = """\
[city]
name = "{name}"
code = "{code}"

[plugins]
allow = ["ferry"]
enable = ["ferry"]

[clearing]
fee_bp = 100

[bank]
account = "62000000{code}"
"""
PLUGIN = '''
"""A ferry, whose fare is what its till says."""

from citycard import CardProduct, Participant, PluginInfo, Service, hookimpl


@hookimpl
def citycard_plugin():
    return PluginInfo(name="ferry", title="Ferry", core=">=0.1,<0.2")


@hookimpl
def citycard_card_products():
    yield CardProduct(name="standard", kind=1, title="City card")


@hookimpl
def citycard_services():
    yield Service(name="ferry", number=700, title="Ferry")


@hookimpl
def citycard_participants():
    yield Participant(id="ferry", name="Ferry Company", account_no="6200001", bank_bic="CITYCNBJXXX")
'''


@pytest.fixture
def ferry(monkeypatch, tmp_path):
    """A plugin on disk as if it was installed."""
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


@attrs.define
class Side:
    """A city of the two, with its ferry's terminal and its cards."""

    city: City
    terminal: Terminal
    chips: list

    @property
    def code(self):
        return self.city.code

    def asn(self, place):
        return f"0101{self.code}{place + 1:012d}"

    def reader(self, place):
        return InProcessReader(self.chips[place])

    def balances(self, *addresses):
        with reading(self.city.engine) as conn:
            assert self.city.ledger.audit(conn) == []
            return tuple(self.city.ledger.balance_fen(conn, address) for address in addresses)

    def hand_in(self, spoil=lambda data: data):
        data = self.terminal.close_batch(DAY, NOON)
        report = receive(self.city, [("day.ccb", spoil(data))])
        assert report.count("accepted") == 1

    def day(self, hours=0):
        self.city.clock.moment += dt.timedelta(hours=hours)


def made(tmp_path, name, code, cards):
    template = tmp_path / f"{code}.toml"
    template.write_text(TEMPLATE.format(name=name, code=code))
    clock = FixedClock(NOON.replace(tzinfo=dt.UTC) - dt.timedelta(hours=8))
    city = City.create(tmp_path / code, template, clock=clock)
    city.issuing.publish()
    number = f"{code}00000001"
    with writing(city.engine) as conn:
        registry.add_terminals(
            conn, [registry.Terminal(number=number, partner="ferry", opened_on=DAY - dt.timedelta(days=1))]
        )
    side = Side(city, None, [])
    for place in range(cards):
        asn = side.asn(place)
        with writing(city.engine) as conn:
            registry.add_cards(conn, [city.issuing.card(asn, "standard", DAY)])
        side.chips.append(city.issuing.chip(asn, "standard", DAY))
        session = Terminal(number, city.sam(number), host=city.desk).tap(side.reader(place), NOON)
        session.load(5000, NOON)
    return side


def introduce(side, other, **changes):
    """Put a city on the list of another, with its key, and the fees of both ways."""
    bare = {
        "code": other.code,
        "name": other.city.config.city.name,
        "issuers": (other.city.config.city.issuer,),
        "valid_from": DAY,
        "account_name": "Other City",
        "account_no": f"62000000{other.code}",
        "bank_bic": "CITYCNBJXXX",
    }
    with writing(side.city.engine) as conn:
        registry.add_city(conn, OtherCity(**bare | changes))
        registry.add_city_key(conn, other.code, other.city.exchange_signer.key.pem, at=side.city.clock.now())
        for used, bp in ((Used.HERE, 60), (Used.THERE, 60)):
            registry.set_city_fee(
                conn, CityFee(city=other.code, used=used, valid_from=DAY, bp=bp, fixed_fen=1)
            )


@pytest.fixture
def sides(ferry, tmp_path):
    east, west = made(tmp_path, "East", "9901", 4), made(tmp_path, "West", "9902", 4)
    introduce(east, west)
    introduce(west, east)
    yield east, west
    east.city.close()
    west.city.close()


def open_terminal(side, other, cards=()):
    """Give a terminal of one city whose SAM holds the purchase keys of the other: its guests pay there."""
    number = f"{side.code}00000001"
    key = side.city.vault.terminal_key(bytes.fromhex(number))
    serial = side.terminal._sam.serial if side.terminal else 10
    home = side.city.config.city.issuer
    side.terminal = Terminal(
        number,
        SoftSam(number, other.city.vault.sam_keys(), key, serial),
        acceptance=Acceptance(home_issuer=home, blacklist=frozenset(cards)),
        next_batch=side.terminal.next_batch if side.terminal else 1,
        next_sequence=side.terminal.next_sequence if side.terminal else 1,
    )
    return side.terminal


def pay(side, guest, place, amount_fen, minutes=0):
    at = NOON + dt.timedelta(minutes=minutes)
    session = side.terminal.tap(guest.reader(place), at)
    debit = session.purchase(amount_fen, at)
    side.terminal.record(debit, RecordPlan(service=FERRY, list_price_fen=amount_fen))


def carry(source, target):
    """Make the files that are due in one city and hand them in in the other."""
    files = [source.city.folder / file.path for file in send(source.city)]
    return receive_files(target.city, files)


def test_a_card_of_another_city_is_used_here_and_its_city_pays_for_it(sides):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    east.hand_in()
    report = clear(east.city)
    assert [(one.code, one.records, one.amount_fen) for one in report.totals] == [("X01", 1, 350)]
    (file,) = carry(east, west)
    assert (file.state, file.records, file.amount_fen) == ("accepted", 1, 350)
    report = clear(west.city)
    assert [(one.code, one.records, one.amount_fen) for one in report.totals] == [("OK", 1, 350)]
    # The fee is 0.6 % of 350 fen, 2.1, and a fen: 3 fen stay with the issuer.
    (file,) = carry(west, east)
    assert (file.state, file.gross_fen, file.fee_fen) == ("accepted", 350, 3)
    assert east.balances(city_receivable(west.code)) == (347,)
    assert west.balances(payable_of(f"city/{east.code}")) == (347,)
    # The operator is owed its fare without that fee and the clearing fee of 1 %, rounded: 350 - 3 - 4.
    assert east.balances(partner_payable("ferry"), "control/window") == (343, 0)
    assert clear(east.city).partners[0].paid_fen == 343
