"""Power cuts at every single write of every command that writes: the card is the old one or the new one."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from citycard.chip import T_UNION, Chip, PowerLoss
from citycard.keys.cipher import tdes

sys.path.insert(0, str(Path(__file__).parent))
from reference import client as known
from reference import crypto
from reference.client import Client, command
from reference.deeds import DEEDS

TEARS = ("clean", 0, 1, 7, None, 10_000)
"""A clean cut, then torn writes of which 0, 1, 7, half and all but one byte arrived."""


class Numbers:
    """Random numbers that are the same each time."""

    def __init__(self):
        self.count = 0

    def __call__(self, size):
        self.count += 1
        return crypto.des(known.TRANSPORT, self.count.to_bytes(8, "big"))[:size]


def memory(chip):
    """Return all that outlives the power."""
    return bytes(chip.eeprom.cells) + bytes(chip.eeprom.hidden)


class Workbench:
    """One deed on copies of one card: done, cut short, cut while the card mends itself."""

    def __init__(self, deed, issued_by_hand):
        self.deed = deed
        card = self.powered(issued_by_hand.clone())
        self.kept = card.kept
        deed.before(card)
        self.kept = card.kept
        self.base = card.chip
        self.base.power_off()
        self.old, self.old_facts = memory(self.base), self.facts(self.base)
        done, self.answer = self.copy(), b""
        before = done.chip.eeprom.writes
        self.answer = deed.act(done)
        self.writes = done.chip.eeprom.writes - before
        self.new, self.new_facts = memory(done.chip), self.facts(done.chip)

    def powered(self, chip):
        chip.random = Numbers()
        chip.power_on()
        card = Client(chip.transmit)
        card.chip, card.kept = chip, getattr(self, "kept", card.kept)
        card.send(command("00A40400", known.AID, 0))
        return card

    def copy(self, of=None):
        card = self.powered((of or self.base).clone())
        self.deed.ready(card)
        return card

    def cut(self, writes, tear):
        """Return a card from which the power was taken after so many writes of the deed."""
        card = self.copy()
        if tear == "clean":
            card.chip.eeprom.cut_after(writes)
        else:
            card.chip.eeprom.cut_after(writes, torn=True, prefix=tear)
        with pytest.raises(PowerLoss):
            self.deed.act(card)
        return card.chip

    def facts(self, chip):
        """Ask the card for all that a holder, a terminal and clearing can know of it."""
        card = self.powered(chip.clone())
        told = [card.send(command("00A40400", known.AID, 0)), card.send(command("E0CA0000", le=30))]
        for which in (1, 2):
            told += [card.send(command(f"805C{p1:02X}{which:02X}", le=4)) for p1 in range(4)]
            told += [card.initialize(kind, which, 0)[:6] for kind in (0, 1)]
        for tti in (1, 2, 3, 4, 5, 6, 7, 9, 0x92, 0x94, 0x96):
            told += [card.send(command(f"805A00{tti:02X}", bytes((0, count)), 8)) for count in range(16)]
        told += [card.send(command(f"00B0{0x80 | sfi:02X}00", le=0)) for sfi in (0x15, 0x17, 5, 8)]
        for sfi in (6, 7, 9, 0x1A, 0x1E):
            told += [card.send(command(f"00B2{number:02X}{sfi << 3 | 4:02X}", le=0)) for number in (1, 2, 5)]
        return told

    def log(self, chip):
        """Read the newest record of the log, which only the holder may."""
        card = self.powered(chip.clone())
        card.ok(command("00200000", known.PIN))
        return card.ok(command("00B201C4", le=0))

    def state(self, chip):
        """Tell whether the deed is done; a try that it costs may be gone either way."""
        image = memory(chip)
        settled = {self.new: "new", self.old: "old"}
        if image in settled:
            return settled[image]
        for whole, name in settled.items():
            gone = [a - b for a, b in zip(whole, image, strict=False) if a != b]
            if len(whole) == len(image) and len(gone) == 1 and gone[0] in {1, 2, 3}:
                return name
        raise AssertionError(f"neither old nor new: {self.deed.name}")


@pytest.fixture(scope="module")
def issued_by_hand():
    chip = Chip.blank(T_UNION, random=Numbers())
    chip.power_on()
    Client(chip.transmit).issue()
    chip.power_off()
    return chip


@pytest.mark.parametrize("deed", DEEDS, ids=[deed.name.replace(" ", "-") for deed in DEEDS])
def test_a_command_cut_at_any_write_is_done_or_not_done(deed, issued_by_hand, record_property):
    bench = Workbench(deed, issued_by_hand)
    assert bench.answer[-2:].hex().upper() == deed.status
    assert bench.old != bench.new
    cuts = 0
    for writes in range(bench.writes):
        for tear in TEARS:
            chip = bench.cut(writes, tear)
            chip.power_on()
            state, facts = bench.state(chip), bench.facts(chip)
            if deed.status == "9000":
                assert facts == (bench.new_facts if state == "new" else bench.old_facts), (writes, tear)
            else:
                assert facts in (bench.old_facts, bench.new_facts), (writes, tear)
            if state == "old" and deed.status == "9000":
                again = bench.copy(chip)
                assert deed.act(again)[-2:] == b"\x90\x00", (writes, tear)
                assert bench.facts(again.chip) == bench.new_facts, (writes, tear)
            cuts += 1
    assert cuts >= 4 * len(TEARS)
    record_property("cuts", cuts)


@pytest.mark.parametrize("deed", DEEDS, ids=[deed.name.replace(" ", "-") for deed in DEEDS])
def test_the_power_may_go_again_while_the_card_mends_itself(deed, issued_by_hand, record_property):
    bench = Workbench(deed, issued_by_hand)
    cuts = 0
    for first in range(bench.writes):
        for second in range(50):
            chip = bench.cut(first, "clean")
            chip.eeprom.cut_after(second, torn=True)
            try:
                chip.power_on()
            except PowerLoss:
                chip.power_on()
                assert bench.facts(chip) in (bench.old_facts, bench.new_facts)
                bench.state(chip)
                cuts += 1
            else:
                break
    assert cuts
    record_property("cuts", cuts)


PAID = [deed for deed in DEEDS if deed.proof]


@pytest.mark.parametrize("deed", PAID, ids=[deed.name.replace(" ", "-") for deed in PAID])
def test_an_answer_that_is_lost_is_proven_and_logged(deed, issued_by_hand, record_property):
    bench = Workbench(deed, issued_by_hand)
    done = bench.copy()
    answer = deed.act(done)[:-2]
    proofs = [
        card.send(command(f"805A00{deed.proof:02X}", bytes((0, count)), 8))[:-2]
        for card in [bench.powered(done.chip.clone())]
        for count in range(20)
    ]
    (number,) = [count for count, proof in enumerate(proofs) if proof]
    assert proofs[number][4:] == answer[:4]
    if len(answer) == 8:
        assert proofs[number][:4] == answer[4:]
    record = bench.log(done.chip)
    assert record[:2] == number.to_bytes(2, "big")
    assert record[9] == deed.proof
    record_property("cuts", 1)


def everything(desk):
    """Read all that a transaction could change, through commands."""
    return {
        "balance": desk.balance(),
        "counters": desk.counters(),
        "log": desk.records(0x18),
        "journeys": desk.records(0x1E),
        "sectors": desk.records(0x1A),
        "public": desk.ok("00B0950000"),
    }


def writes_of(desk, act):
    """Return how many physical writes the step takes, measured on a clone."""
    other = type(desk)(desk.chip.clone()).select()
    before = other.chip.eeprom.writes
    act(other)
    return other.chip.eeprom.writes - before, everything(other)


def sweep(desk, act):
    """Cut ``act`` at every write in every way; yield each card after power-on, and whether it is done."""
    total, new = writes_of(desk, act)
    old = everything(desk)
    assert old != new
    for cut in range(total):
        for tear in TEARS:
            torn = type(desk)(desk.chip.clone(), serial=desk.serial).select()
            if tear == "clean":
                torn.chip.eeprom.cut_after(cut)
            else:
                torn.chip.eeprom.cut_after(cut, torn=True, prefix=tear)
            with pytest.raises(PowerLoss):
                act(torn)
            torn.select()
            state = everything(torn)
            assert state in (old, new), (cut, tear)
            yield torn, state == new


def transactions(cache):
    sector, journey = cache

    def capp(desk):
        return desk.capp(300, [sector(1, 0x11), journey(0x22)])

    return {
        "load": (lambda desk: desk.load(5000), 2, 0),
        "purchase": (lambda desk: desk.purchase(250), 6, 1),
        "capp": (capp, 9, 1),
        "entry": (lambda desk: desk.capp(0, [journey(0x33)]), 9, 1),
    }


@pytest.mark.parametrize("kind", ["load", "purchase", "capp", "entry"])
def test_a_cut_purse_command_is_done_or_not_done_and_the_proof_says_which(desk, cache, kind, record_property):
    act, tti, which = transactions(cache)[kind]
    desk.load(10_000)
    desk.capp(100, [cache[1](0x01)])
    desk.purchase(100)
    before = desk.counters()[which]
    done, cuts = 0, 0
    for torn, new in sweep(desk, act):
        proof = torn.prove(tti, before + 1)
        assert (proof is not None) == new
        if proof is not None:
            done += 1
            assert proof == torn.prove(tti, before + 1)
            assert torn.records(0x18)[0][:2] == (before + 1).to_bytes(2, "big")
        assert act(torn)[-2:] == b"\x90\x00"  # a card that was torn goes on working
        assert torn.prove(tti, before + 1 + new) is not None
        cuts += 1
    assert 0 < done < cuts
    record_property("power_cuts", cuts)


def test_the_proof_after_a_tear_is_the_answer_that_was_lost(desk, issued, desk_of, dice):
    def card():
        chip = issued.clone()
        chip.random = dice()
        fresh = desk_of(chip).select()
        fresh.load(10_000)
        return fresh

    answer = card().purchase(250)
    torn = card()
    torn.chip.eeprom.cut_after(7)
    with pytest.raises(PowerLoss):
        torn.purchase(250)
    torn.select()
    tac, mac2 = answer[:4], answer[4:8]
    assert torn.prove(6, 1) == mac2 + tac


def test_issuing_commands_are_done_or_not_done(dice):
    steps = [
        "80E00000073F005001F0FFFF",
        "80D401001539F0F00133" + "11" * 16,
        "80E00005072C0040F0F0FFFF",
        "80E00006072E0305F0F0FFFF",
        "80D4390015" + "39F0F00133" + "22" * 16,
        "80E03F0210380100F0F095FFFFA000000632010106",
        "800E000000",
    ]

    def play(chip, upto):
        chip.power_on()
        for step in steps[:upto]:
            chip.transmit(bytes.fromhex(step))
        return chip.transmit(bytes.fromhex("0084000008"))[:-2]

    def authenticated(upto):
        chip = Chip.blank(random=dice())
        challenge = play(chip, min(upto, 2))
        if upto >= 2:
            key = b"\x11" * 16
            chip.transmit(b"\x00\x82\x00\x00\x08" + tdes(key, challenge))
            for step in steps[2:upto]:
                assert chip.transmit(bytes.fromhex(step)) == b"\x90\x00", step
        return chip

    for index, step in enumerate(steps):
        done = authenticated(index)
        before = done.eeprom.writes
        assert done.transmit(bytes.fromhex(step)) == b"\x90\x00", step
        new = bytes(done.eeprom.cells)
        for cut in range(done.eeprom.writes - before):
            for tear in (False, True):
                chip = authenticated(index)
                old = bytes(chip.eeprom.cells)
                chip.eeprom.cut_after(cut, torn=tear)
                with pytest.raises(PowerLoss):
                    chip.transmit(bytes.fromhex(step))
                chip.power_on()
                assert bytes(chip.eeprom.cells) in {old, new}
                assert chip.structure is type(chip).from_image(chip.image()).structure


def test_a_wrong_pin_costs_a_try_even_when_the_power_goes_before_the_answer(desk):
    for cut in range(20):
        card = type(desk)(desk.chip.clone()).select()
        card.chip.eeprom.cut_after(cut)
        try:
            answer = card.send(b"\x00\x20\x00\x00\x06000000")
        except PowerLoss:
            card.select()
            answer = None
        card.chip.eeprom.cut_after(None)
        left = int(card.status(b"\x00\x20\x00\x00\x06000000")[3], 16)
        if answer is not None:
            assert (answer.hex(), left) == ("63c2", 1)
        else:
            assert left in {1, 2}


def test_a_right_pin_gives_back_all_tries(desk):
    assert desk.status(b"\x00\x20\x00\x00\x06000000") == "63C2"
    assert desk.status(b"\x00\x20\x00\x00\x06123456") == "9000"
    assert desk.status(b"\x00\x20\x00\x00\x06000000") == "63C2"
