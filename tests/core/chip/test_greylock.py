"""Grey lock and debit for unlock: literal commands, codes computed by the desk's own DES."""

from __future__ import annotations

import attrs
import pytest
from pursedesk import DPK, DTK, ED, EP, LINE, OK, TERMINAL, WHEN, PurseDesk, des, fold, mac

from citycard.chip import Chip, PowerLoss
from citycard.chip.profile import GreyTypes
from citycard.keys import greylock
from citycard.keys.suite import AES_SUITE, SM4_SUITE

H = bytes.fromhex


@pytest.mark.parametrize(
    ("p2", "balance", "lock", "unlock"), [("01", "00002710", "91", "93"), ("02", "00001388", "92", "94")]
)
def test_a_sale_of_fuel_is_these_bytes(purses, p2, balance, lock, unlock):
    answer = purses.ok(f"E07A08{p2}07013000890003400F")
    assert answer[:11] == H(balance + "0000" + "000000" + "0e00")
    first = des(DPK, answer[11:15] + H("0000" + "5678"))
    session = des(first, H("CAFEBABE80000000"))
    mac1 = mac(session, H(lock + "300089000340" + "20260301081530")).hex()
    locked = purses.ok(f"E07C08001312345678CAFEBABE20260301081530{mac1}08")
    what = H(balance + "0000" + lock + "300089000340")
    assert locked == mac(fold(DTK), what + H("12345678") + WHEN) + mac(session, what)
    gmac = mac(session, H("00000BB8")).hex()
    tac = purses.ok(f"E07E08{p2}1B00000BB80000300089000999000000072026030108221 1{gmac}04".replace(" ", ""))
    assert tac == mac(fold(DTK), H(f"00000BB8{unlock}30008900099900000007") + H("20260301082211"))
    assert purses.balance(int(p2)) == int(balance, 16) - 3000
    assert purses.counters(int(p2)) == (1, 1)
    assert purses.log()[:2] == [
        (1, 0, 3000, int(unlock, 16), H("300089000999"), H("20260301082211")),
        (1, 0, 0, int(lock, 16), TERMINAL, WHEN),
    ]


REFUSED_WHILE_LOCKED = (
    *("80500001", "80500002", "80500101", "80500102", "80500201", "80500302", "80500501"),
    *("80500401", "E07A0801", "E07A0802", "E07A0902"),
)


@pytest.mark.parametrize("head", REFUSED_WHILE_LOCKED)
def test_no_other_transaction_of_either_purse_starts_while_locked(purses, head):
    data = "01" + TERMINAL.hex() if head[:2] == "E0" or head == "80500401" else "0100000001" + TERMINAL.hex()
    apdu = head + f"{len(data) // 2:02X}" + data
    assert purses.status(apdu) in {"9000", "6985"}
    assert (head == "E07A0902") == (purses.status(apdu) == "6985")  # nothing to unlock yet
    purses.grey_lock(ED)
    assert purses.status(apdu) == "6985"


@pytest.mark.parametrize(
    "apdu", ["805C000104", "805C030204", "00B201C417", "E0CA00001E", "805A0091020001", "0084000004"]
)
def test_a_locked_card_can_still_be_read(purses, apdu):
    purses.grey_lock(ED)
    assert purses.status(apdu) == "9000"
    assert purses.status("0020000006313233343536") == "9000"


def test_the_lock_and_its_session_key_outlive_the_power(purses):
    session, _ = purses.grey_lock(EP)
    later = PurseDesk(Chip.from_image(purses.chip.image(), purses.chip.profile)).select(pin=False)
    assert later.lock_proof()[0] == 1
    assert later.init(1, ED, 1).hex() == "6985"
    assert later.debit_for_unlock(EP, session, 700, 0)[-2:] == OK
    assert (later.balance(ED), later.balance(EP)) == (10_000, 4_300)
    assert later.purchase(ED, 1)[-2:] == OK


def test_the_checks_of_an_unlock_come_in_their_order(purses):
    session, _ = purses.grey_lock(ED)
    wrong = bytes(4)
    assert purses.debit_for_unlock(EP, session, 1, 0).hex() == "6985"
    assert purses.debit_for_unlock(ED, session, 99_999, 1, gmac=wrong).hex() == "9406"
    assert purses.debit_for_unlock(ED, session, 99_999, 0, gmac=wrong).hex() == "9401"
    assert purses.debit_for_unlock(ED, session, 99, 0, gmac=wrong).hex() == "9302"
    assert purses.debit_for_unlock(ED, session, 99, 0)[-2:] == OK


def test_a_free_card_cannot_be_unlocked(purses):
    assert purses.debit_for_unlock(ED, bytes(8), 0, 0).hex() == "6901"
    session, _ = purses.grey_lock(ED)
    purses.debit_for_unlock(ED, session, 1, 0)
    assert purses.debit_for_unlock(ED, session, 1, 0).hex() == "6901"


def test_nothing_sold_is_an_unlock_too(purses):
    session, _ = purses.grey_lock(ED)
    assert purses.debit_for_unlock(ED, session, 0, 0)[-2:] == OK
    assert purses.balance(ED) == 10_000


def test_mac2_of_the_lock_does_not_open_it(purses):
    session, locked = purses.grey_lock(ED)
    assert purses.debit_for_unlock(ED, session, 10_000, 0, gmac=locked[4:8]).hex() == "9302"


def blocked(desk):
    return desk.chip.eeprom.cells[desk.chip.structure.named(H("A00000000386980701")).address + 9]


def test_three_wrong_gmacs_block_the_application_until_the_issuer_opens_it(purses):
    session, _ = purses.grey_lock(ED)
    answers = [purses.debit_for_unlock(ED, session, 1, 0, gmac=bytes(4)).hex() for _ in range(3)]
    assert answers == ["9302"] * 3
    assert purses.debit_for_unlock(ED, session, 1, 0).hex() == "6a81"
    assert purses.status("805C000104") == "6A81"
    purses.chip.power_on()
    purses.send("00A4040009A00000000386980701")
    challenge = purses.ok("0084000004")
    purses.ok(H("8418000004") + mac(LINE, H("8418000004"), challenge + bytes(4)))
    assert purses.debit_for_unlock(ED, session, 1, 0, gmac=bytes(4)).hex() == "9302"
    assert purses.debit_for_unlock(ED, session, 1, 0)[-2:] == OK
    assert purses.balance(ED) == 9_999


@pytest.mark.parametrize("cut", range(9))
def test_taking_the_power_away_gives_no_free_try(purses, cut):
    session, _ = purses.grey_lock(ED)
    for _ in range(2):
        purses.debit_for_unlock(ED, session, 1, 0, gmac=bytes(4))
    purses.chip.eeprom.cut_after(cut, torn=True)
    try:
        answer = purses.debit_for_unlock(ED, session, 1, 0, gmac=bytes(4))
    except PowerLoss:
        answer = None
        purses.chip.power_on()
    purses.chip.eeprom.cut_after(None)
    if answer is not None:
        assert (answer.hex(), blocked(purses)) == ("9302", 2)
    else:  # the try was taken and blocked, or never happened
        assert blocked(purses) in {0, 2}


def test_a_right_gmac_at_the_third_try_leaves_the_card_open(purses):
    session, _ = purses.grey_lock(ED)
    for _ in range(2):
        purses.debit_for_unlock(ED, session, 1, 0, gmac=bytes(4))
    assert purses.debit_for_unlock(ED, session, 1, 0)[-2:] == OK
    assert (purses.balance(ED), blocked(purses)) == (9_999, 0)


def test_the_next_lock_has_all_its_tries(purses):
    session, _ = purses.grey_lock(ED)
    purses.debit_for_unlock(ED, session, 1, 0, gmac=bytes(4))
    purses.debit_for_unlock(ED, session, 1, 0)
    session, _ = purses.grey_lock(ED)
    for _ in range(2):
        assert purses.debit_for_unlock(ED, session, 1, 1, gmac=bytes(4)).hex() == "9302"
    assert purses.debit_for_unlock(ED, session, 1, 1)[-2:] == OK


def test_a_wrong_mac1_locks_nothing(purses):
    before = purses.state()
    purses.init_lock(ED)
    apdu = "E07C080013" + "00" * 19 + "08"
    assert (purses.status(apdu), purses.status(apdu)) == ("9302", "6901")
    assert purses.state() == before


def test_a_lock_uses_a_key_and_a_counter_that_exist(purses):
    assert purses.status("E07A080107093000890003400F") == "9403"
    assert purses.status("E07A080106013000890003") == "6700"
    assert purses.status("E07A0803070130008900034 00F".replace(" ", "")) == "6A86"
    assert purses.status("E07A0801070130008900034010") == "6C0F"
    body = purses.chip.powered.directory.files[ED].body
    purses.chip.eeprom.commit([(body + 9, b"\xff\xff")])
    assert purses.init_lock(ED).hex() == "9402"


def test_the_types_are_the_profile_s(purses):
    types = GreyTypes(lock=(0x91, 0x92), unlock=(0x94, 0x93), online=(0x96, 0x95))
    purses.chip.profile = attrs.evolve(purses.chip.profile, grey_types=types)
    session, _ = purses.grey_lock(EP)
    assert purses.debit_for_unlock(EP, session, 1, 0, tti=0x93)[-2:] == OK
    assert [line[3] for line in purses.log()[:2]] == [0x93, 0x92]


def test_a_lock_with_the_whole_overdraft(purses):
    purses.set_limit(500)
    session, _ = purses.grey_lock(ED)
    assert purses.debit_for_unlock(ED, session, 10_501, 0).hex() == "9401"
    assert purses.debit_for_unlock(ED, session, 10_500, 0)[-2:] == OK
    assert purses.balance(ED, 2) == 500


@pytest.mark.parametrize("suite", [AES_SUITE, SM4_SUITE])
def test_a_lock_of_an_experimental_purse_outlives_the_power_too(purses, suite):
    algorithm = suite.algorithm
    purses.chip.profile = attrs.evolve(purses.chip.profile, algorithms=(algorithm,))
    place = purses.chip.powered.directory.key(0x3E, 1).place
    purses.chip.eeprom.commit([(place + 4, bytes((algorithm,)))])
    answer = purses.init_lock(EP)
    session = greylock.grey_session_key(DPK, answer[11:15], 0, 1, bytes(4), suite=suite)
    mac1 = greylock.grey_lock_mac1(session, 0x92, TERMINAL, WHEN, suite=suite)
    purses.ok(b"\xe0\x7c\x08\x00\x13" + H("00000001") + bytes(4) + WHEN + mac1 + b"\x08")
    later = PurseDesk(Chip.from_image(purses.chip.image(), purses.chip.profile)).select()
    code = greylock.gmac(session, 77, suite=suite)
    assert later.debit_for_unlock(EP, session, 77, 0, gmac=code)[-2:] == OK
    assert later.balance(EP) == 4_923
