"""Purchases and withdrawals: literal commands, codes computed by the desk's own DES."""

from __future__ import annotations

import pytest
from pursedesk import DPK, DTK, ED, EP, OK, TERMINAL, WHEN, des, fold, mac

KINDS = [("01", "01", "05"), ("01", "02", "06"), ("02", "01", "04"), ("03", "02", "09")]


@pytest.mark.parametrize(("p1", "p2", "tti"), KINDS)
def test_a_debit_is_these_bytes(purses, p1, p2, tti):
    answer = purses.ok(f"8050{p1}{p2}0B01000000FA3000890003400F")
    balance = {"01": "00002710", "02": "00001388"}[p2]
    assert answer[:11].hex() == balance + "0000" + "000000" + "0e00"
    session = des(DPK, answer[11:15] + bytes.fromhex("00005678"))
    what = bytes.fromhex(f"000000FA{tti}300089000340")
    mac1 = mac(session, what + WHEN).hex()
    done = purses.ok(f"805401000F1234567820260301081530{mac1}08")
    assert mac(fold(DTK), what + bytes.fromhex("12345678") + WHEN) == done[:4]
    assert mac(session, bytes.fromhex("000000FA")) == done[4:]
    assert purses.balance(int(p2)) == int(balance, 16) - 250
    assert purses.log()[0] == (1, 0, 250, int(tti), TERMINAL, WHEN)


def test_only_the_passbook_gives_cash_and_only_the_purse_composes(purses):
    assert (purses.init(2, EP, 1).hex(), purses.init(3, ED, 1).hex()) == ("6a86", "6a86")


def test_a_debit_may_use_up_everything_and_no_more(purses):
    assert purses.init(1, ED, 10_001).hex() == "9401"
    assert purses.init(2, ED, 10_001).hex() == "9401"
    assert purses.withdraw(10_000)[-2:] == OK
    assert (purses.balance(ED), purses.balance(EP)) == (0, 5_000)


def test_purchase_and_withdrawal_share_the_offline_counter_of_their_purse(purses):
    purses.purchase(ED, 1)
    purses.withdraw(1)
    purses.purchase(EP, 1)
    assert (purses.counters(ED), purses.counters(EP)) == ((1, 2), (1, 1))


def test_key_then_counter_then_funds(purses):
    body = purses.chip.powered.directory.files[EP].body
    purses.chip.eeprom.commit([(body + 9, b"\xff\xff")])
    assert purses.init(1, EP, 9_999, key=7).hex() == "9403"
    assert purses.init(1, EP, 9_999).hex() == "9402"
    purses.chip.eeprom.commit([(body + 9, b"\xff\xfe")])
    assert purses.init(1, EP, 9_999).hex() == "9401"
    assert purses.purchase(EP, 1)[-2:] == OK
    assert purses.init(1, EP, 1).hex() == "9402"


@pytest.mark.parametrize("between", ["00B201C417", "805C000104", "E0CA00001E", "8050000200"])
def test_any_command_between_gives_the_debit_up(purses, between):
    answer = purses.init(1, EP, 10)
    purses.send(between)
    assert purses.debit(answer, 10, 6).hex() == "6901"


def test_a_debit_of_one_purse_cannot_be_finished_as_another_transaction(purses):
    for second in ("805200000B" + "00" * 11, "805403000B" + "00" * 11, "805800000E" + "00" * 14):
        answer = purses.init(1, EP, 10)
        assert purses.status(second) == "6985"
        assert purses.debit(answer, 10, 6).hex() == "6901"
    assert purses.balance(EP) == 5_000


def test_the_use_right_of_the_key_counts(purses):
    where = purses.chip.powered.directory
    purses.chip.eeprom.commit([(where.key(0x3E, 1).place + 1, b"\xf1")])
    purses.select(pin=False)
    assert purses.init(1, ED, 1).hex() == "6982"
    assert purses.init(1, ED, 1, key=5).hex() == "9403"
    purses.select()
    assert purses.purchase(ED, 1)[-2:] == OK
