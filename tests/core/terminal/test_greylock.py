"""Fuel: the card is locked, the pump runs, the card is debited; whatever is torn is mended."""

from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.card.files import TRANSIT_PROFILE
from citycard.chip import Chip
from citycard.errors import CardRefused, CardRemoved, GreyLockInvalid, GreyLockUnknown
from citycard.terminal import InProcessReader, Outcome, SoftSam
from citycard.terminal.greylock import GreyLockSession
from citycard.terminal.greysam import SoftGreySam
from citycard.terminal.notes import Notes

NUMBER, OTHER = "300089000340", "300089000999"
AT = dt.datetime.fromisoformat("2026-03-02T08:15:30")
LATER = dt.datetime.fromisoformat("2026-03-02T08:22:11")


class Pump:
    """A pump with its SAM and its notes, which outlive any session with a card."""

    def __init__(self, vault, folder, number=NUMBER):
        self.vault, self.folder, self.number = vault, folder / number, number
        self.folder.mkdir()
        self.soft = None
        self.start()

    def start(self):
        """Begin, or begin anew after a power cut; a terminal keeps the serial of its SAM."""
        key, keys = self.vault.terminal_key(bytes.fromhex(self.number)), self.vault.sam_keys()
        serial = 0 if self.soft is None else self.soft.serial
        self.soft = SoftSam(self.number, keys, key, serial=serial)
        self.sam = SoftGreySam(self.soft, keys, path=self.folder / "locks")
        self.notes = Notes(self.folder / "notes")

    def session(self, card):
        return GreyLockSession(InProcessReader(card), self.sam, notes=self.notes)

    def open(self, card, at=AT):
        session = self.session(card)
        session.open(at)
        return session


@pytest.fixture
def pump(vault, tmp_path):
    return Pump(vault, tmp_path)


def test_a_gate_says_that_a_card_is_locked_for_a_filling(card, pump, make_terminal, host):
    pump.open(card).grey_lock(AT)
    gate = make_terminal(host=host)
    for work in ("purchase", "load"):
        session = gate.tap(InProcessReader(card), AT)
        with pytest.raises(CardRefused, match="unlock it at a filling station") as refused:
            getattr(session, work)(100, AT)
        assert refused.value.data["reason"] == "grey-locked"
    pump.open(card).unlock(0, AT)
    assert gate.tap(InProcessReader(card), AT).purchase(100, AT).amount_fen == 100


def balance(card):
    session = card.clone()
    session.power_on()
    session.transmit(b"\x00\xa4\x04\x00" + bytes((len(TRANSIT_PROFILE.aid),)) + TRANSIT_PROFILE.aid)
    return int.from_bytes(session.transmit(bytes.fromhex("805C000204"))[:4], "big")


def tac_holds(vault, debit):
    return vault.check_purchase_tac(
        bytes.fromhex(debit.asn)[-8:],
        1,
        debit.amount_fen,
        debit.tti,
        bytes.fromhex(debit.terminal),
        debit.terminal_serial,
        bytes.fromhex(f"{debit.at:%Y%m%d%H%M%S}"),
        debit.tac,
    )


def test_a_tank_is_filled_and_paid(pump, card, vault):
    session = pump.open(card)
    lock = session.grey_lock(AT)
    assert (lock.counter, lock.balance_fen, lock.terminal) == (0, 10_000, NUMBER)
    debit = session.unlock(6_543, LATER)
    assert (debit.amount_fen, debit.balance_after_fen, debit.tti) == (6_543, 3_457, 0x94)
    assert tac_holds(vault, debit)
    assert balance(card) == 3_457
    session.settle()
    assert len(pump.notes) == 0
    assert pump.open(card).open(LATER).recovered is None


def test_the_pump_runs_while_the_card_is_away(pump, card):
    pump.open(card).grey_lock(AT)
    pump.start()
    session = pump.session(Chip.from_image(card.image()))
    view = session.open(LATER)
    assert (view.lock.terminal, view.lock.counter) == (NUMBER, 0)
    assert session.unlock(100, LATER).balance_after_fen == 9_900


def test_another_pump_cannot_open_the_lock_and_says_so(pump, card, vault, tmp_path):
    pump.open(card).grey_lock(AT)
    session = Pump(vault, tmp_path, OTHER).session(card)
    assert session.open(LATER).lock.terminal == NUMBER
    with pytest.raises(GreyLockUnknown, match="unlock it online"):
        session.unlock(100, LATER)
    assert balance(card) == 10_000


def test_a_locked_card_is_not_locked_again_and_a_free_one_not_unlocked(pump, card):
    session = pump.open(card)
    with pytest.raises(GreyLockInvalid, match="not locked"):
        session.unlock(1, AT)
    session.grey_lock(AT)
    with pytest.raises(GreyLockInvalid, match="locked already"):
        session.grey_lock(AT)
    with pytest.raises(GreyLockInvalid, match="expected 0 to 10000"):
        session.unlock(10_001, AT)
    assert session.unlock(0, AT).balance_after_fen == 10_000


def test_a_session_without_a_card_does_nothing(pump, card):
    with pytest.raises(GreyLockInvalid, match="call open"):
        pump.session(card).grey_lock(AT)


def test_a_stopped_card_is_not_served_but_a_locked_one_owes(pump, issue, host, make_terminal):
    card = issue(expiry=dt.date(2026, 3, 2))
    make_terminal(host=host).tap(InProcessReader(card), AT).load(500, AT)
    pump.open(card).grey_lock(AT)
    tomorrow = AT + dt.timedelta(days=1)
    session = pump.open(card, tomorrow)
    assert session.unlock(500, tomorrow).balance_after_fen == 0
    session.settle()
    with pytest.raises(CardRefused):
        pump.open(card, tomorrow)


def test_a_gate_does_not_take_money_from_a_locked_card(pump, card, make_terminal):
    pump.open(card).grey_lock(AT)
    with pytest.raises(CardRefused):
        make_terminal().tap(InProcessReader(card), AT).purchase(1, AT)
    assert balance(card) == 10_000


def writes(card, act):
    other = card.clone()
    before = other.eeprom.writes
    act(other)
    return other.eeprom.writes - before


@pytest.mark.parametrize("restarted", [False, True])
def test_a_torn_lock_is_known_at_the_next_sight(card, vault, tmp_path, restarted):
    whole = Pump(vault, tmp_path, "300089000000")
    outcomes = set()
    for cut in range(writes(card, lambda one: whole.open(one).grey_lock(AT))):
        pump = Pump(vault, tmp_path, f"3000890001{cut:02}")
        torn = card.clone()
        session = pump.open(torn)
        torn.eeprom.cut_after(cut)
        with pytest.raises(CardRemoved):
            session.grey_lock(AT)
        if restarted:
            pump.start()
        again = pump.session(torn)
        locked = again.open(LATER).lock is not None
        outcomes.add(locked)
        assert len(pump.notes) == 0
        if locked and restarted:  # the SAM never saw MAC2: the issuer has to open this card
            with pytest.raises(GreyLockUnknown):
                again.unlock(100, LATER)
        else:
            if not locked:
                again.grey_lock(LATER)
            assert again.unlock(100, LATER).balance_after_fen == 9_900
    assert outcomes == {False, True}


@pytest.mark.parametrize("restarted", [False, True])
def test_a_torn_unlock_is_paid_once(card, vault, tmp_path, restarted):
    def lock(pump, one):
        session = pump.open(one)
        session.grey_lock(AT)
        return session

    whole = Pump(vault, tmp_path, "300089000000")
    ready = card.clone()
    session = lock(whole, ready)
    before = ready.eeprom.writes
    session.unlock(100, LATER)
    outcomes = set()
    for cut in range(ready.eeprom.writes - before):
        pump = Pump(vault, tmp_path, f"3000890001{cut:02}")
        torn = card.clone()
        session = lock(pump, torn)
        torn.eeprom.cut_after(cut)
        with pytest.raises(CardRemoved):
            session.unlock(100, LATER)
        if restarted:
            pump.start()
        again = pump.session(torn)
        view = again.open(LATER)
        done = view.recovered is not None
        outcomes.add(done)
        if done:
            assert (view.lock, view.recovered.outcome, view.recovered.recovered) == (None, Outcome.DONE, True)
            assert tac_holds(vault, view.recovered)
            assert pump.session(torn).open(LATER).recovered == view.recovered  # until it is settled
        else:
            debit = again.unlock(100, LATER)
            assert tac_holds(vault, debit)
        again.settle()
        assert (balance(torn), len(pump.notes)) == (9_900, 0)
        assert pump.session(torn).open(LATER).recovered is None
    assert outcomes == {False, True}


def test_a_debit_stays_known_when_its_tac_was_cleared_by_others(pump, card):
    session = pump.open(card)
    session.grey_lock(AT)
    debit = session.unlock(100, LATER)
    card.transmit(bytes.fromhex("E0CA01001E"))
    view = pump.session(card).open(LATER)
    assert (view.recovered.tac, view.recovered.outcome) == (debit.tac, Outcome.DONE)


def test_a_sale_that_another_dispenser_of_the_sam_ended_is_not_ours(pump, card):
    session = pump.open(card)
    session.grey_lock(AT)
    card.eeprom.cut_after(0)
    with pytest.raises(CardRemoved):
        session.unlock(100, LATER)
    elsewhere = GreyLockSession(InProcessReader(card), pump.sam, notes=Notes())
    elsewhere.open(LATER)
    elsewhere.unlock(200, LATER)
    view = pump.session(card).open(LATER)
    assert (view.recovered, view.lock, len(pump.notes), balance(card)) == (None, None, 0, 9_800)


def test_a_sale_that_nothing_tells_of_any_more_is_unknown(pump, card):
    session = pump.open(card)
    session.grey_lock(AT)
    card.eeprom.cut_after(0)
    with pytest.raises(CardRemoved):
        session.unlock(100, LATER)
    forgetful = attrs.evolve(TRANSIT_PROFILE, log_sfi=0x1D, prove_offset=0)
    elsewhere = GreyLockSession(InProcessReader(card), pump.sam, notes=Notes())
    elsewhere.open(LATER)
    elsewhere.unlock(200, LATER)
    elsewhere.settle()
    session = GreyLockSession(InProcessReader(card), pump.sam, profile=forgetful, notes=pump.notes)
    assert session.open(LATER).recovered.outcome is Outcome.UNKNOWN
