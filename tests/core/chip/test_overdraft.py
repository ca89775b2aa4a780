"""The overdraft limit: literal commands, codes computed by the desk's own DES."""

from __future__ import annotations

import attrs
from pursedesk import DTK, DUK, ED, OK, TERMINAL, WHEN, des, fold, mac


def test_a_new_limit_is_these_bytes(purses):
    answer = purses.ok("80500401070130008900034013")
    assert answer[:11].hex() == "00002710" + "0001" + "000000" + "0c00"
    session = des(DUK, answer[11:15] + bytes.fromhex("00018000"))
    assert mac(session, bytes.fromhex("0000271000000007") + TERMINAL) == answer[15:]
    what = bytes.fromhex("00100007") + TERMINAL + WHEN
    tac = purses.ok(f"805800000E001000{WHEN.hex()}{mac(session, what).hex()}04")
    assert mac(fold(DTK), bytes.fromhex("000037100001") + what) == tac
    assert purses.log()[0] == (2, 0x1000, 0x1000, 7, TERMINAL, WHEN)
    assert purses.counters(ED) == (2, 0)


def test_the_balance_counts_the_limit_and_a_new_limit_replaces_the_old(purses):
    asked = []
    for limit in (3_000, 500):
        purses.set_limit(limit)
        asked.append([purses.balance(ED, p1) for p1 in range(4)])
    assert asked == [[13_000, 3_000, 0, 13_000], [10_500, 500, 0, 10_500]]


def test_what_is_overdrawn_can_be_asked(purses):
    purses.set_limit(3_000)
    assert purses.purchase(ED, 12_000)[-2:] == OK
    assert [purses.balance(ED, p1) for p1 in range(4)] == [1_000, 3_000, 2_000, 1_000]
    assert purses.init(1, ED, 1_001).hex() == "9401"
    assert purses.init(1, ED, 0)[6:9].hex() == "000bb8"


def test_a_limit_cannot_fall_below_what_is_overdrawn(purses):
    purses.set_limit(3_000)
    purses.withdraw(12_000)
    before = purses.state()
    assert purses.set_limit(1_999).hex() == "9401"
    assert purses.state() == before
    assert purses.set_limit(2_000)[-2:] == OK
    assert purses.balance(ED) == 0


def test_the_balance_has_its_limit_too(purses):
    purses.chip.profile = attrs.evolve(purses.chip.profile, largest_balance_fen=12_000)
    assert purses.set_limit(2_001).hex() == "6985"
    assert purses.set_limit(2_000)[-2:] == OK


def test_the_purse_has_no_limit_to_change(purses):
    assert purses.status("80500402070130008900034013") == "6A86"


def test_lengths_key_and_counter_are_checked(purses):
    assert purses.status("805004010B" + "01" * 11) == "6700"
    assert purses.status("80500401070130008900034010") == "6C13"
    assert purses.status("80500401070230008900034013") == "9403"
    body = purses.chip.powered.directory.files[ED].body
    purses.chip.eeprom.commit([(body + 7, b"\xff\xff")])
    assert purses.set_limit(1).hex() == "9402"


def test_a_wrong_mac2_changes_nothing(purses):
    before = purses.state()
    purses.send("80500401070130008900034013")
    assert purses.status("805800000E001000" + WHEN.hex() + "0000000004") == "9302"
    assert purses.status("805800000E001000" + WHEN.hex() + "0000000004") == "6901"
    assert purses.state() == before
