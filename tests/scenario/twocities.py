"""Two cities, each with its own store, folder and vault; a ferry in each, and cards of both."""

from __future__ import annotations

import datetime as dt

import attrs

from citycard import registry
from citycard.city import City
from citycard.clearing import receive
from citycard.clearing.columns import PLACES
from citycard.clearing.spent import purse_fen
from citycard.clock import FixedClock
from citycard.exchange.receiving import receive as receive_files
from citycard.exchange.reports import exchange_status
from citycard.exchange.sending import send
from citycard.registry import CityFee, OtherCity, Used
from citycard.store import reading, writing
from citycard.terminal import Acceptance, InProcessReader, SoftSam, Terminal
from citycard.terminal.record import MAC_OFFSET, RecordPlan

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

    def purse_fen(self, place):
        with reading(self.city.engine) as conn:
            return purse_fen(self.city.ledger, self.city.folder, conn, self.asn(place))

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
