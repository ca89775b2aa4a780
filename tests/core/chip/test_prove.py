"""GET TRANSACTION PROVE: every type keeps its last proof, through other types and without power."""

from __future__ import annotations

import attrs
import pytest
from pursedesk import DLK, DULK, ED, EP, SCRIPT, TERMINAL, WHEN, PurseDesk, des, mac, u

from citycard.chip import Chip, PowerLoss


def everything(desk):
    """Make one transaction of every type; return the last four bytes of each proof and its counter."""
    found = {}

    def done(tti, counter, answer):
        assert answer[-2:].hex() == "9000"
        found[tti] = (counter, answer[:4])

    done(5, 0, desk.purchase(ED, 1))
    done(6, 0, desk.purchase(EP, 2))
    done(4, 1, desk.withdraw(3))
    done(9, 1, desk.pay(3, EP, 4, 9))
    done(3, 1, desk.unload(5))
    done(7, 2, desk.set_limit(600))
    done(1, 3, desk.load(ED, 7))
    done(2, 1, desk.load(EP, 8))
    session, locked = desk.grey_lock(ED)
    done(0x91, 2, locked)
    done(0x93, 2, desk.debit_for_unlock(ED, session, 9, 2))
    session, locked = desk.grey_lock(EP)
    done(0x92, 2, locked)
    done(0x94, 2, desk.debit_for_unlock(EP, session, 9, 2))
    desk.grey_lock(ED)
    done(0x95, 4, desk.online_unlock(ED, 1))
    desk.grey_lock(EP)
    done(0x96, 2, desk.online_unlock(EP, 1))
    return found


def test_every_type_keeps_its_own_proof_through_all_the_others(purses):
    found = everything(purses)
    del found[0x91], found[0x92]  # locked once more since
    for desk in (
        purses,
        purses.select(),
        PurseDesk(Chip.from_image(purses.chip.image(), purses.chip.profile)).select(),
    ):
        for tti, (counter, code) in found.items():
            assert desk.prove(tti, counter + 1)[4:] == code
            assert desk.prove(tti, counter) is None
            assert desk.prove(tti, counter + 2) is None
    assert purses.prove(0x91, 4) is not None
    assert [purses.prove(tti, counter) for tti, counter in ((0, 0), (8, 1), (0xF0, 1))] == [None] * 3


@pytest.mark.parametrize("offset", [0, 1])
def test_the_counter_of_a_proof_is_the_profile_s(purses, offset):
    purses.chip.profile = attrs.evolve(purses.chip.profile, prove_offset=offset)
    answer = purses.purchase(EP, 1)
    assert purses.prove(6, offset) == answer[4:8] + answer[:4]
    assert purses.prove(6, 1 - offset) is None


def test_the_mac_of_a_proof_is_what_made_the_card_do_it(purses):
    answer = purses.init(0, ED, 5)
    session = des(DLK, answer[8:12] + answer[4:6] + b"\x80\x00")
    mac2 = mac(session, u(5, 4) + b"\x01" + TERMINAL + WHEN)
    tac = purses.ok(b"\x80\x52\x00\x00\x0b" + WHEN + mac2 + b"\x04")
    assert purses.prove(1, 2) == mac2 + tac
    answer = purses.init(5, ED, 5)
    session = des(DULK, answer[8:12] + answer[4:6] + b"\x80\x00")
    mac2 = mac(session, u(5, 4) + b"\x03" + TERMINAL + WHEN)
    mac3 = purses.ok(b"\x80\x54\x03\x00\x0b" + WHEN + mac2 + b"\x04")
    assert purses.prove(3, 3) == mac2 + mac3


def test_a_refused_transaction_leaves_the_proofs_alone(purses):
    purses.purchase(EP, 1)
    kept = purses.prove(6, 1), purses.prove(2, 1)
    purses.init(1, EP, 1)
    assert purses.status("805401000F" + "00" * 15 + "08") == "9302"
    assert (purses.prove(6, 1), purses.prove(2, 1)) == kept
    assert None not in kept


@pytest.mark.parametrize("cut", range(13))
def test_an_older_proof_moves_with_the_transaction_or_not_at_all(purses, cut):
    loaded = purses.prove(2, 1)
    purses.chip.eeprom.cut_after(cut, torn=True)
    try:
        purses.purchase(EP, 1)
    except PowerLoss:
        purses.select()
    purses.chip.eeprom.cut_after(None)
    assert purses.prove(2, 1) == loaded
    assert (purses.prove(6, 1) is not None) == (purses.balance(EP) == 4_999)


@pytest.mark.parametrize(
    ("apdu", "status"),
    [("805A01060200010 8", "6A86"), ("805A0006010108", "6700"), ("805A000602000107", "6C08")],
)
def test_wrong_questions_are_told_apart(purses, apdu, status):
    assert purses.status(apdu.replace(" ", "")) == status


def test_an_erased_purse_takes_its_proofs_along(purses):
    purses.purchase(EP, 1)
    assert purses.prove(2, 1) is not None
    purses.ok("800E000000")
    for step in SCRIPT[2:]:  # the same files again, at the same places
        purses.ok(step)
    assert [purses.prove(tti, 1) for tti in (1, 2, 6)] == [None] * 3
