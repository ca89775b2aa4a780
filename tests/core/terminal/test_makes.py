"""Every make of card at a terminal: issued, loaded, charged, torn and mended, with both kinds of SAM.

The balance is asked of the card by its own command, and TACs are checked by the vault.
"""

from __future__ import annotations

import datetime as dt
from itertools import count

import attrs
import pytest

from citycard.card import CARD_PROFILES, CardProduct, SectorLayout, allocate
from citycard.card.codec import layout, reserved
from citycard.chip import personalise, prepare_blank
from citycard.errors import CardRefused, CardRemoved, KeyVersionUnknown, SectorInvalid
from citycard.terminal import Acceptance, CardSam, InProcessReader, SoftSam, Terminal

AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
NUMBER = "300089000340"
ISSUER = "01015840FFFFFFFF"
ASN = "00005170070104791381"
PRODUCT = CardProduct(name="adult", kind=2)
BODY = b"\x02" + b"\x11" * 39
HOME = Acceptance(home_issuer="01015840")
LOCAL = {"fmcos"}


@layout(size=40)
class Ride:
    rest: bytes = reserved(40)


RIDE = SectorLayout(name="ride", record=Ride, record_id=0x2701)


class Make:
    """One make: its cards, and terminals that serve it."""

    def __init__(self, name: str, vault, sam) -> None:
        self.profile = CARD_PROFILES[name]
        self.version = allocate(PRODUCT, [RIDE], profile=self.profile)
        self.place = self.version.place("ride")
        self._vault, self._sam = vault, sam

    def card(self, issuer: str = ISSUER):
        chip = prepare_blank(self.version, self.profile)
        personalise(
            chip,
            asn=ASN,
            issuer=issuer,
            product=PRODUCT,
            keys=self._vault.card_keys(bytes.fromhex(ASN)[-8:]),
            start=dt.date(2026, 1, 1),
            expiry=dt.date(2036, 1, 1),
            profile=self.profile,
        )
        return chip

    def terminal(self, **settings) -> Terminal:
        settings = {"acceptance": HOME, "profile": self.profile} | settings
        return Terminal(NUMBER, self._sam(), **settings)

    def balance(self, card) -> int:
        card.power_on()
        name = self.profile.aid
        card.transmit(b"\x00\xa4\x04\x00" + bytes((len(name),)) + name + b"\x00")
        answer = card.transmit(bytes.fromhex("805C000204"))
        assert answer[4:] == b"\x90\x00"
        return int.from_bytes(answer[:4], "big")

    def sector(self, card) -> bytes:
        """Read the body of record 1 past its header, whose size the make has."""
        self.balance(card)
        head = self.profile.sector_id_size + 1
        return card.transmit(bytes((0, 0xB2, 1, self.profile.sector_sfi << 3 | 4, 0)))[head:-2]


@pytest.fixture(params=["soft", "psam"])
def sam(request, vault, make_psam):
    def soft():
        keys = vault.sam_keys(maintenance=True)
        return SoftSam(NUMBER, keys, vault.terminal_key(bytes.fromhex(NUMBER)))

    psam = make_psam(maintenance=True)
    return soft if request.param == "soft" else lambda: CardSam(InProcessReader(psam))


@pytest.fixture(params=sorted(CARD_PROFILES))
def make(request, vault, sam) -> Make:
    return Make(request.param, vault, sam)


@pytest.fixture
def loaded(make, host):
    card = make.card()
    make.terminal(host=host).tap(InProcessReader(card), AT).load(10_000, AT)
    return card


class PulledAway(InProcessReader):
    """A reader whose card leaves before CREDIT FOR LOAD."""

    def transmit(self, apdu: bytes) -> bytes:
        if apdu[:2] == b"\x80\x52":
            raise CardRemoved(during="command 8052")
        return super().transmit(apdu)


def proven(vault, debit) -> bool:
    return vault.check_purchase_tac(
        asn8=bytes.fromhex(debit.asn)[-8:],
        key_version=debit.key_version,
        amount_fen=debit.amount_fen,
        tti=debit.tti,
        terminal6=bytes.fromhex(NUMBER),
        serial=debit.terminal_serial,
        datetime7=bytes.fromhex(f"{AT:%Y%m%d%H%M%S}"),
        tac4=debit.tac,
    )


def test_a_card_of_every_make_says_who_it_is(make):
    view = make.terminal().tap(InProcessReader(make.card()), AT).view
    assert (view.asn, view.asn8.hex(), view.issuer) == (ASN, ASN[4:], ISSUER)
    assert (view.start, view.expiry) == (dt.date(2026, 1, 1), dt.date(2036, 1, 1))
    assert view.card_kind == (0 if make.profile.name == "fmcos" else 2)
    assert view.identity.city == "5840"


def test_load_purchase_and_composite_purchase_work_on_every_make(make, loaded, host, vault):
    terminal = make.terminal()
    reader = InProcessReader(loaded)
    single = terminal.tap(reader, AT).purchase(250, AT)
    terminal.record(single)
    session = terminal.tap(reader, AT)
    assert session.read_sector(make.place) == bytes(40)
    composite = session.capp(385, AT, [session.write_sector(make.place, BODY)])
    terminal.record(composite)
    assert (host.states(), make.balance(loaded)) == (["proven"], 10_000 - 250 - 385)
    assert (proven(vault, single), proven(vault, composite)) == (True, True)
    assert make.sector(loaded) == BODY
    assert terminal.tap(reader, AT).read_sector(make.place) == BODY


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("composite", [False, True])
def test_a_debit_cut_at_any_write_is_taken_once(make, loaded, composite, torn):
    tears = 0
    for cut in count():
        card, terminal = loaded.clone(), make.terminal()
        reader = InProcessReader(card)
        session = terminal.tap(reader, AT)
        updates = [session.write_sector(make.place, BODY)] if composite else []
        card.eeprom.cut_after(cut, torn=torn)
        try:
            debit = session.capp(385, AT, updates) if composite else session.purchase(385, AT)
        except CardRemoved:
            tears += 1
            session = terminal.tap(reader, AT)
            debit = session.view.recovered
            if debit is None:
                assert (make.balance(card), make.sector(card)) == (10_000, bytes(40))
                session = terminal.tap(reader, AT)
                updates = [session.write_sector(make.place, BODY)] if composite else []
                debit = session.capp(385, AT, updates) if composite else session.purchase(385, AT)
                terminal.record(debit)
        else:
            terminal.record(debit)
            card.eeprom.cut_after(None)
            assert (tears > 3, make.balance(card)) == (True, 10_000 - 385)
            return
        assert make.balance(card) == 10_000 - 385
        assert make.sector(card) == (BODY if composite else bytes(40))
        assert len(terminal.records) == 1


def test_a_load_cut_at_any_write_is_granted_once(make, loaded, host):
    for cut in count():
        card, terminal = loaded.clone(), make.terminal(host=host)
        reader = InProcessReader(card)
        session = terminal.tap(reader, AT)
        host.book = {key: entry for key, entry in host.book.items() if key[1] == 0}
        card.eeprom.cut_after(cut, torn=True)
        try:
            session.load(500, AT)
        except CardRemoved:
            session = terminal.tap(reader, AT)
            if session.view.recovered_load is None:
                session.load(500, AT)
        else:
            assert cut > 3
            return
        assert make.balance(card) == 10_500
        assert [entry[0] for entry in host.book.values()] == ["proven", "proven"]


def test_only_makes_with_a_file_of_journeys_take_journeys(make):
    session = make.terminal().tap(InProcessReader(make.card()), AT)
    assert session.keeps_journeys is (make.profile.name == "transit")
    if not session.keeps_journeys:
        with pytest.raises(SectorInvalid, match="have no file for them"):
            session.write_journey(bytes(48))


def reason(terminal, card) -> str:
    with pytest.raises(CardRefused) as refused:
        terminal.tap(InProcessReader(card), AT)
    return refused.value.data["reason"]


@pytest.mark.parametrize("sam", ["soft"], indirect=True)
@pytest.mark.parametrize("name", ["city-union", "city-union-34", "chongqing", "fmcos"])
def test_cards_and_terminals_of_other_makes_refuse_each_other_clearly(name, vault, sam):
    other, ours = Make(name, vault, sam), Make("t-union", vault, sam)
    assert reason(ours.terminal(), other.card()) == "other-make"
    assert reason(other.terminal(), ours.card()) == "other-make"


@pytest.mark.parametrize("sam", ["soft"], indirect=True)
@pytest.mark.parametrize(
    ("terminal", "card", "expected"),
    [
        ("city-union", "fmcos", "other-make"),
        ("city-union", "chongqing", "other-make"),
        ("city-union-34", "chongqing", "other-make"),
        ("chongqing", "city-union", "other-make"),
        ("chongqing", "fmcos", "unfinished"),
        ("fmcos", "city-union", "no-purse"),
    ],
)
def test_makes_under_one_application_name_are_told_apart(terminal, card, expected, vault, sam):
    assert reason(Make(terminal, vault, sam).terminal(), Make(card, vault, sam).card()) == expected


@pytest.mark.parametrize("make", ["city-union", "fmcos"], indirect=True)
@pytest.mark.parametrize("sam", ["soft"], indirect=True)
def test_a_card_of_another_city_is_served_where_its_make_says_so(make):
    card = make.card("01011000FFFFFFFF")
    if make.profile.name in LOCAL:
        assert reason(make.terminal(), card) == "local-only"
    else:
        assert make.terminal().tap(InProcessReader(card), AT).view.issuer == "01011000FFFFFFFF"


@pytest.mark.parametrize("sam", ["soft"], indirect=True)
def test_records_that_want_a_mac_need_the_maintenance_key(vault, host, sam):
    make = Make("fmcos", vault, sam)
    card = make.card()
    make.terminal(host=host).tap(InProcessReader(card), AT).load(100, AT)
    bare = SoftSam(NUMBER, vault.sam_keys(), vault.terminal_key(bytes.fromhex(NUMBER)))
    session = Terminal(NUMBER, bare, profile=make.profile).tap(InProcessReader(card), AT)
    with pytest.raises(KeyVersionUnknown, match="maintenance"):
        session.capp(1, AT, [session.write_sector(make.place, BODY)])
    assert make.balance(card) == 100


@pytest.mark.parametrize("sam", ["soft"], indirect=True)
def test_a_holders_own_pin_is_tried_once_for_a_torn_load(vault, host, sam):
    make = Make("fmcos", vault, sam)
    card = make.card()
    terminal = make.terminal(host=host)
    session = terminal.tap(PulledAway(card), AT)
    with pytest.raises(CardRemoved):
        session.load(500, AT)
    terminal.profile = attrs.evolve(make.profile, pin="654321")
    assert len(terminal.journal) == 1
    for _ in range(3):
        assert terminal.tap(InProcessReader(card), AT).view.recovered_load is None
        assert len(terminal.journal) == 0
    card.power_on()
    name = make.profile.aid
    card.transmit(b"\x00\xa4\x04\x00" + bytes((len(name),)) + name + b"\x00")
    assert card.transmit(bytes.fromhex("002000000611111111111 1".replace(" ", "")))[-2:] == b"\x63\xc1"
