"""Power cuts at every single write of every command that writes: the card is the old one or the new one."""

from __future__ import annotations

import pytest

from citycard.chip import Chip, PowerLoss
from citycard.keys.cipher import tdes

TEARS = ("clean", 0, 1, 7, None, 10_000)
"""A clean cut, then torn writes of which 0, 1, 7, half and all but one byte arrived."""


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


def test_update_and_append_are_done_or_not_done(desk, issuing):
    maintenance = issuing["keys"].maintenance

    def update(card):
        answer = card.protected("04D69500", bytes.fromhex("00") * 30, maintenance)
        assert answer == b"\x90\x00"

    def replace(card):
        answer = card.protected("04DC01D4", bytes.fromhex("27017D") + b"\x55" * 125, maintenance)
        assert answer == b"\x90\x00"

    def append(card):
        answer = card.protected("04E200D4", bytes.fromhex("270305") + b"\x66" * 5, maintenance)
        assert answer == b"\x90\x00"

    cuts = [sum(1 for _ in sweep(desk, act)) for act in (update, replace, append)]
    # Two commits keep the error counter of the line key, one writes the content: 5 writes each.
    assert cuts == [3 * 5 * len(TEARS)] * 3


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
