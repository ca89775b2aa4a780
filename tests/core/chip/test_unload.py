"""Unloads of the passbook: literal commands, codes computed by the desk's own DES."""

from __future__ import annotations

from pursedesk import DULK, ED, EP, OK, TERMINAL, WHEN, des, mac


def test_an_unload_is_these_bytes(purses):
    answer = purses.ok("805005010B010000100030008900034010")
    assert answer[:8].hex() == "00002710" + "0001" + "0d00"
    session = des(DULK, answer[8:12] + bytes.fromhex("00018000"))
    what = bytes.fromhex("0000100003300089000340")
    assert mac(session, bytes.fromhex("00002710") + what) == answer[12:]
    mac2 = mac(session, what + WHEN).hex()
    mac3 = purses.ok(f"805403000B20260301081530{mac2}04")
    assert mac(session, bytes.fromhex("000017100001") + what + WHEN) == mac3
    assert (purses.balance(ED), purses.counters(ED)) == (0x1710, (2, 0))
    assert purses.log()[0] == (2, 0, 0x1000, 3, TERMINAL, WHEN)


def test_the_purse_gives_nothing_back(purses):
    assert purses.init(5, EP, 1).hex() == "6a86"


def test_key_then_counter_then_funds(purses):
    body = purses.chip.powered.directory.files[ED].body
    purses.chip.eeprom.commit([(body + 7, b"\xff\xff")])
    assert purses.init(5, ED, 99_999, key=2).hex() == "9403"
    assert purses.init(5, ED, 99_999).hex() == "9402"
    purses.chip.eeprom.commit([(body + 7, b"\x00\x01")])
    assert purses.init(5, ED, 10_001).hex() == "9401"
    assert purses.unload(10_000)[-2:] == OK
    assert purses.balance(ED) == 0


def test_an_unload_needs_no_tac_key(purses):
    where = purses.chip.powered.directory
    purses.chip.eeprom.commit([(where.tac_key.place, b"\x30")])
    purses.select()
    purses.chip.structure = type(purses.chip).from_image(purses.chip.image()).structure
    purses.select()
    assert purses.init(1, ED, 1).hex() == "9403"
    assert purses.unload(1)[-2:] == OK


def test_a_wrong_mac2_moves_no_money_and_ends_the_unload(purses):
    before = purses.state()
    purses.init(5, ED, 100)
    assert purses.status("805403000B" + WHEN.hex() + "0000000004") == "9302"
    assert purses.status("805403000B" + WHEN.hex() + "0000000004") == "6901"
    assert purses.state() == before
