"""Loads of passbook and purse: literal commands, codes computed by the desk's own DES."""

from __future__ import annotations

import attrs
import pytest
from pursedesk import DLK, DTK, ED, EP, OK, TERMINAL, WHEN, des, fold, mac

from citycard.chip import T_UNION


@pytest.mark.parametrize(("p2", "balance"), [("01", "00002710"), ("02", "00001388")])
def test_a_load_is_these_bytes(purses, p2, balance):
    answer = purses.ok(f"805000{p2}0B01000000643000890003 4010".replace(" ", ""))
    assert (answer[:4].hex(), answer[4:8].hex()) == (balance, "00010f00")
    session = des(DLK, answer[8:12] + bytes.fromhex("00018000"))
    what = bytes.fromhex(f"00000064{p2}300089000340")
    assert mac(session, bytes.fromhex(balance) + what) == answer[12:16]
    mac2 = mac(session, what + bytes.fromhex("20260301081530")).hex()
    tac = purses.ok(f"805200000B20260301081530{mac2}04")
    new = (int(balance, 16) + 100).to_bytes(4, "big")
    assert mac(fold(DTK), new + bytes.fromhex("0001") + what + WHEN) == tac
    assert purses.log()[0] == (2, 0, 100, int(p2), TERMINAL, WHEN)


def test_the_money_and_counters_of_one_purse_are_not_the_other_s(purses):
    purses.load(ED, 1)
    assert (purses.balance(ED), purses.balance(EP)) == (10_001, 5_000)
    assert (purses.counters(ED), purses.counters(EP)) == ((2, 0), (1, 0))


def test_a_load_of_either_purse_needs_the_pin_on_fmcos(purses):
    purses.select(pin=False)
    assert [purses.load(which, 1).hex() for which in (ED, EP)] == ["6982", "6982"]
    assert purses.purchase(ED, 1)[-2:] == purses.purchase(EP, 1)[-2:] == OK


def test_a_transit_card_loads_without_a_pin(purses):
    purses.chip.profile = T_UNION
    purses.select(pin=False)
    assert purses.load(EP, 1)[-2:] == OK


def test_the_checks_come_in_their_order(purses):
    body = purses.chip.powered.directory.files[ED].body
    purses.chip.eeprom.commit([(body + 7, b"\xff\xff")])
    purses.chip.profile = attrs.evolve(purses.chip.profile, largest_balance_fen=10_000)
    assert purses.status("805000010A" + "09" * 10) == "6700"
    assert purses.init(0, 3, 1).hex() == "6a86"
    assert purses.init(0, ED, 1, key=9, le=0x11).hex() == "6c10"
    assert purses.init(0, ED, 1, key=9).hex() == "9403"
    assert purses.init(0, ED, 1).hex() == "9402"
    purses.chip.eeprom.commit([(body + 7, b"\xff\xfe")])
    assert purses.init(0, ED, 1).hex() == "6985"
    assert purses.load(ED, 0)[-2:] == OK
    assert purses.init(0, ED, 0).hex() == "9402"


def test_a_wrong_mac2_moves_no_money_and_ends_the_load(purses):
    before = purses.state()
    answer = purses.init(0, ED, 100)
    assert purses.status("805200000B" + WHEN.hex() + "0000000004") == "9302"
    session = des(DLK, answer[8:12] + answer[4:6] + b"\x80\x00")
    mac2 = mac(session, bytes.fromhex("0000006401") + TERMINAL + WHEN)
    assert purses.send(b"\x80\x52\x00\x00\x0b" + WHEN + mac2 + b"\x04").hex() == "6901"
    assert purses.state() == before


@pytest.mark.parametrize(
    ("second", "status"),
    [
        ("805201000B" + "00" * 11, "6A86"),
        ("805200000A" + "00" * 10, "6700"),
        ("805200000B" + "00" * 11 + "05", "6C04"),
    ],
)
def test_a_second_command_of_the_wrong_shape_ends_the_load_too(purses, second, status):
    purses.init(0, ED, 100)
    assert purses.status(second) == status
    assert purses.status("805200000B" + "00" * 11 + "04") == "6901"
