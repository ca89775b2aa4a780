"""Unloads at a counter: the host gets what the card gave, once, wherever the card was torn away."""

from __future__ import annotations

import datetime as dt
import sys
from pathlib import Path

import attrs
import pytest

from citycard.card.enums import FileKind
from citycard.card.files import TRANSIT_PROFILE, CardFile
from citycard.errors import CardRefused, CardRemoved, LoadRefused, TerminalInvalid
from citycard.terminal import InProcessReader
from citycard.terminal.notes import Notes
from citycard.terminal.passbook import PassbookSession

sys.path.insert(0, str(Path(__file__).parents[1] / "chip"))
from pursedesk import DULK, ED, PurseDesk, des, mac, u

NUMBER = "300089000340"
AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
ASN = "03105170070104791381"
PROFILE = attrs.evolve(
    TRANSIT_PROFILE,
    name="passbook",
    aid=bytes.fromhex("A00000000386980701"),
    load_needs_pin=True,
    files=(*TRANSIT_PROFILE.files, CardFile(fid=0x01, title="Passbook", kind=FileKind.PURSE, size=22)),
)


class Host:
    """A host that takes money back, with an own few lines of DES for what card and host must say."""

    def __init__(self):
        self.book, self.refuses = {}, False

    def begin(self, asn, key_version, balance_fen, online_atc, rnd, mac1, amount_fen, terminal, at):
        if self.refuses:
            raise LoadRefused(reason="closed", explanation="the desk is closed")
        assert key_version == 0x0D
        session = des(DULK, rnd + u(online_atc, 2) + b"\x80\x00")
        what = u(amount_fen, 4) + b"\x03" + bytes.fromhex(terminal)
        assert mac1 == mac(session, u(balance_fen, 4) + what)
        what += bytes.fromhex(f"{at:%Y%m%d%H%M%S}")
        mac3 = mac(session, u(balance_fen - amount_fen, 4) + u(online_atc, 2) + what)
        self.book[asn, online_atc] = ["pending", amount_fen, mac3]
        return mac(session, what)

    def confirm(self, asn, online_atc, mac3):
        entry = self.book[asn, online_atc]
        assert entry[0] == "pending"
        assert mac3 in {entry[2], b""}
        entry[0] = "done"

    def reverse(self, asn, online_atc):
        entry = self.book[asn, online_atc]
        assert entry[0] == "pending"
        entry[0] = "reversed"

    def received(self):
        return sum(amount for state, amount, _ in self.book.values() if state == "done")


@pytest.fixture(scope="module")
def issued():
    numbers = iter(range(1, 1 << 30))
    desk = PurseDesk.issue(lambda size: next(numbers).to_bytes(size, "big"))
    for fid, size, content in (
        ("0015", 30, "01015840FFFFFFFF" + "0201" + ASN + "2026010120360101" + "0000"),
        ("0017", 60, "0000015658405840000101" + "00" * 49),
    ):
        desk.ok(f"80E0{fid}0728{size:04X}F0F0FFFF")
        desk.ok(f"00D6{0x80 | int(fid, 16):02X}00{size:02X}{content}")
    desk.load(ED, 10_000)
    return desk


@pytest.fixture
def chip(issued):
    return issued.chip.clone()


def session(chip, host, **settings):
    return PassbookSession(InProcessReader(chip), host, terminal=NUMBER, profile=PROFILE, **settings)


def balance(chip):
    return PurseDesk(chip.clone()).select().balance(ED)


def test_money_goes_from_the_passbook_to_the_host(chip):
    host = Host()
    desk = session(chip, host)
    assert desk.open().balance_fen == 10_000
    unload = desk.unload(4_000, AT)
    assert (unload.asn, unload.balance_after_fen, unload.counter) == (ASN, 6_000, 1)
    assert (balance(chip), host.received()) == (6_000, 4_000)
    assert desk.prove(3, 1).tac == unload.mac3
    assert desk.prove(3, 2) is None


def test_more_than_there_is_or_than_the_host_wants_stays_on_the_card(chip):
    host = Host()
    desk = session(chip, host)
    desk.open()
    with pytest.raises(CardRefused, match="funds"):
        desk.unload(10_001, AT)
    host.refuses = True
    with pytest.raises(LoadRefused):
        desk.unload(1, AT)
    assert (balance(chip), host.book) == (10_000, {})


def test_only_an_open_card_with_a_passbook_is_unloaded(chip):
    with pytest.raises(TerminalInvalid, match="call open"):
        session(chip, Host()).unload(1, AT)
    with pytest.raises(TerminalInvalid, match="no passbook"):
        PassbookSession(InProcessReader(chip), Host(), terminal=NUMBER, profile=TRANSIT_PROFILE)


@pytest.mark.parametrize("torn", [False, True])
def test_an_unload_cut_at_any_write_is_booked_once(chip, tmp_path, torn):
    whole = chip.clone()
    desk = session(whole, Host())
    desk.open()
    before = whole.eeprom.writes
    desk.unload(4_000, AT)
    outcomes = set()
    for cut in range(whole.eeprom.writes - before):
        card, host, path = chip.clone(), Host(), tmp_path / f"{cut}"
        desk = session(card, host, notes=Notes(path))
        desk.open()
        card.eeprom.cut_after(cut, torn=torn)
        with pytest.raises(CardRemoved):
            desk.unload(4_000, AT)
        view = session(card, host, notes=Notes(path)).open()
        outcomes.add(view.recovered is not None)
        assert view.balance_fen == balance(card) == 10_000 - host.received()
        assert [entry[0] for entry in host.book.values()] == ["done" if view.recovered else "reversed"]
        assert len(Notes(path)) == 0
    assert outcomes == {True, False}


def test_an_unload_is_found_behind_later_transactions(chip):
    host, notes = Host(), Notes()
    desk = session(chip, host, notes=notes)
    desk.open()
    chip.eeprom.cut_after(8)  # past the commit mark, before the answer
    with pytest.raises(CardRemoved):
        desk.unload(4_000, AT)
    other = PurseDesk(chip).select()
    other.unload(1)
    other.load(ED, 5)
    recovered = session(chip, host, notes=notes).open().recovered
    assert (recovered.amount_fen, recovered.mac3) == (4_000, b"")
    assert host.received() == 4_000
