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
from citycard.clearing.columns import PLACES
from citycard.clock import FixedClock
from citycard.exchange.positions import city_statement, positions
from citycard.exchange.receiving import receive as receive_files
from citycard.exchange.reports import exchange_status
from citycard.exchange.sending import send
from citycard.exchange.settling import settle
from citycard.registry import CityFee, OtherCity, Used
from citycard.store import reading, writing
from citycard.terminal import Acceptance, InProcessReader, SoftSam, Terminal
from citycard.terminal.record import MAC_OFFSET, RecordPlan
from citycard.wallet.addresses import card_purse, city_receivable, partner_payable, payable_of

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

    def later(self, hours):
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


def lie(side):
    """Let the last record's TAC be another one; the terminal signs it all the same."""
    records = side.terminal._batch.records
    raw = bytearray(records[-1])
    raw[PLACES["tac"].start] ^= 1
    raw[MAC_OFFSET : MAC_OFFSET + 4] = side.terminal._sam.record_mac(bytes(raw[:MAC_OFFSET]))
    records[-1] = bytes(raw)


def totals(side, way, number=1):
    """Give where the records of a file ended, by code."""
    (account,) = [
        one for one in exchange_status(side.city).accounts if (one.way, one.number) == (way, number)
    ]
    assert sum(total.records for total in account.totals) == account.records
    assert sum(total.amount_fen for total in account.totals) == account.amount_fen
    return {total.code or total.state: (total.records, total.amount_fen) for total in account.totals}


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


def a_day_in_both(east, west):
    """Play a day: cards of each city in the other, with a bad TAC and a card that was reported lost."""
    west.city.issuing.publish()
    open_terminal(east, west)
    open_terminal(west, east)
    pay(east, west, 0, 350)
    pay(east, west, 1, 200)
    lie(east)
    # The card is reported lost; the list has not reached East's terminal, then it has, and is not heeded.
    with writing(west.city.engine) as conn:
        registry.blacklist_cards(conn, [west.asn(2)], reason="lost")
        registry.publish_blacklist(conn, at=west.city.clock.now())
    pay(east, west, 2, 150, minutes=5)
    (listed,) = carry(west, east)
    assert (listed.kind, listed.state, listed.records) == ("cards", "accepted", 1)
    with reading(east.city.engine) as conn:
        assert registry.blacklist_at(conn, 1) == {west.asn(2)}
    east.terminal.acceptance = Acceptance(blacklist_number=1)
    pay(east, west, 2, 120, minutes=10)
    pay(west, east, 0, 500)
    pay(west, east, 1, 90)
    east.hand_in()
    west.hand_in()


def test_a_day_in_both_directions_leaves_both_books_the_same(sides):
    east, west = sides
    a_day_in_both(east, west)
    assert {one.code: one.records for one in clear(east.city).totals} == {"X01": 4}
    assert {one.code: one.records for one in clear(west.city).totals} == {"X01": 2}

    # A file is cut on its way, sent again, and then once more.
    (file,) = send(east.city)
    data = (east.city.folder / file.path).read_bytes()
    (cut,) = receive_files(west.city, [(file.name, data[: len(data) // 2])])
    assert (cut.state, cut.code) == ("quarantined", "F07")
    assert receive_files(west.city, [(file.name, data)])[0].state == "accepted"
    again = receive_files(west.city, [(file.name, data)])[0]
    assert (again.state, again.code) == ("duplicate", "F04")
    assert send(east.city) == []
    assert [one.state for one in carry(west, east)] == ["accepted"]
    assert totals(east, "out") == {"waiting": (4, 820)}

    assert {one.code: one.records for one in clear(west.city).totals} == {
        "OK": 1,
        "B02": 1,
        "T01": 1,
        "B01": 1,
    }
    assert {one.code: one.records for one in clear(east.city).totals} == {"OK": 2}
    answered = carry(west, east) + carry(east, west)
    assert [(one.gross_fen, one.fee_fen) for one in answered] == [(500, 5), (590, 6)]
    ended = {"OK": (1, 350), "B02": (1, 150), "T01": (1, 200), "B01": (1, 120)}
    assert totals(east, "out") == totals(west, "in") == ended
    assert totals(west, "out") == totals(east, "in") == {"OK": (2, 590)}
    assert east.balances(city_receivable("9902"), payable_of("city/9902")) == (495, 584)
    assert west.balances(city_receivable("9901"), payable_of("city/9901")) == (584, 495)
    assert west.balances(*(card_purse(west.asn(place)) for place in range(3))) == (4650, 5000, 4850)
    assert east.balances("control/window", "income/city-fee") == (0, 6)
    assert west.balances("control/window", "income/city-fee") == (0, 5)
    assert east.balances(partner_payable("ferry")) == (500 - 5 - 5,)

    at_east, at_west = positions(east.city), positions(west.city)
    assert [(one.window, one.city, one.net_fen) for one in at_east] == [(DAY, "9901", -89), (DAY, "9902", 89)]
    assert at_east == at_west

    for side in sides:
        side.later(hours=24)
    (ours,), (theirs,) = (settle(side.city, DAY, actor="clerk") for side in sides)
    assert (ours.net_fen, theirs.net_fen) == (-89, 89)
    assert (ours.payment is None, theirs.payment is None) == (False, True)
    assert east.balances(city_receivable("9902"), payable_of("city/9902")) == (0, 0)
    assert west.balances(city_receivable("9901"), payable_of("city/9901")) == (89, 0)
    assert [settle(side.city, DAY, actor="clerk") for side in sides] == [[], []]
    assert (city_statement(east.city, "9902").net_fen, city_statement(east.city, "9902").open_fen) == (-89, 0)


def test_the_same_record_in_another_batch_is_a_duplicate_at_once(sides):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    (record,) = east.terminal.records
    east.hand_in()
    clear(east.city)
    east.terminal._batch.add(record)
    pay(east, west, 0, 100, minutes=1)
    east.hand_in()
    assert {one.code: one.records for one in clear(east.city).totals} == {"D04": 1, "X01": 1}
    assert [file.records for file in send(east.city)] == [1, 1]


def test_a_file_that_is_missing_a_number_is_said_and_comes_later(sides):
    east, west = sides
    open_terminal(east, west)
    for minutes in (0, 1):
        pay(east, west, 0, 100, minutes=minutes)
        east.hand_in()
        clear(east.city)
    first, second = (east.city.folder / file.path for file in send(east.city))
    receive_files(west.city, [second])
    (missing,) = exchange_status(west.city).missing
    assert (missing.city, missing.kind, missing.number) == ("9901", "records", 1)
    # The card's counters say the same: one is missing, and comes late.
    assert {one.code for one in clear(west.city).totals} == {"C01"}
    receive_files(west.city, [first])
    assert exchange_status(west.city).missing == ()
    assert {one.code for one in clear(west.city).totals} == {"L01"}
    assert [file.gross_fen for file in carry(west, east)] == [100, 100]


@pytest.mark.parametrize(
    ("spoil", "code"),
    [
        (lambda data: data.replace(b'"line":1', b'"line":2'), "F03"),
        (lambda data: data[:-4] + b'0"}\n', "F02"),
        (lambda _: b"", "F07"),
        (lambda _: b"\n" * 3, "F07"),
        (lambda data: data + b"{}\n", "F07"),
    ],
)
def test_a_file_that_was_changed_is_quarantined_and_nothing_comes_of_it(sides, spoil, code):
    east, west = sides
    open_terminal(east, west)
    pay(east, west, 0, 350)
    east.hand_in()
    clear(east.city)
    (file,) = send(east.city)
    data = (east.city.folder / file.path).read_bytes()
    assert [one.code for one in receive_files(west.city, [("file", spoil(data))])] == [code]
    assert not clear(west.city).changed
    assert receive_files(east.city, [("file", data)])[0].code == "F01"
    assert receive_files(west.city, [("file", data)])[0].code == "OK"


def test_an_answer_with_another_fee_than_agreed_is_quarantined(sides):
    east, west = sides
    with writing(west.city.engine) as conn:
        registry.set_city_fee(
            conn, CityFee(city="9901", used=Used.THERE, service=FERRY, valid_from=DAY, bp=100)
        )
    open_terminal(east, west)
    pay(east, west, 0, 350)
    east.hand_in()
    clear(east.city)
    carry(east, west)
    clear(west.city)
    (answer,) = carry(west, east)
    assert (answer.state, answer.code) == ("quarantined", "F09")
    assert "line 1 has a fee of 4 fen, and 3 were agreed" in answer.reason
    # Agreed here too, the same file is taken.
    with writing(east.city.engine) as conn:
        registry.set_city_fee(
            conn, CityFee(city="9902", used=Used.HERE, service=FERRY, valid_from=DAY, bp=100)
        )
    sent = west.city.folder / "exchange" / "out" / "9901" / answer.name
    assert receive_files(east.city, [sent])[0].state == "accepted"
    assert receive_files(east.city, [sent])[0].state == "duplicate"
    assert east.balances(city_receivable("9902")) == (346,)
