"""Online unlock: literal commands, codes computed by the desk's own DES."""

from __future__ import annotations

from pursedesk import DULK, ED, EP, OK, TERMINAL, WHEN, des, mac

H = bytes.fromhex


def test_an_online_unlock_is_these_bytes(purses):
    purses.purchase(ED, 0)
    purses.grey_lock(ED)
    answer = purses.ok("E07A0901070130008900034012")
    assert answer[:10] == H("00002710" + "0001" + "0001" + "0d00")
    session = des(DULK, answer[10:14] + H("00018000"))
    assert mac(session, H("00002710" + "0001" + "95") + TERMINAL) == answer[14:]
    what = H("00000064" + "95") + TERMINAL + WHEN
    mac3 = purses.ok(f"E07E09000F00000064{WHEN.hex()}{mac(session, what).hex()}04")
    assert mac(session, H("000026AC" + "0001") + what) == mac3
    assert (purses.balance(ED), purses.counters(ED)) == (9_900, (2, 2))
    assert purses.log()[0] == (2, 0, 100, 0x95, TERMINAL, WHEN)
    assert purses.lock_proof() == bytes(30)


def test_a_forced_unlock_costs_nothing(purses):
    purses.grey_lock(EP)
    assert purses.online_unlock(EP, 0)[-2:] == OK
    assert (purses.balance(EP), purses.counters(EP)) == (5_000, (2, 1))
    assert purses.purchase(EP, 1)[-2:] == OK


def test_the_gmac_of_a_lock_that_was_ended_online_is_worth_nothing(purses):
    session, _ = purses.grey_lock(ED)
    purses.online_unlock(ED, 0)
    assert purses.debit_for_unlock(ED, session, 100, 0).hex() == "6901"
    other, _ = purses.grey_lock(ED)
    assert purses.debit_for_unlock(ED, session, 100, 0).hex() == "9406"
    assert other != session


def test_a_free_card_or_the_other_purse_has_nothing_to_unlock(purses):
    assert purses.online_unlock(ED, 0).hex() == "6985"
    purses.grey_lock(ED)
    assert purses.online_unlock(EP, 0).hex() == "6985"


def test_funds_come_before_mac2_and_either_ends_the_unlock(purses):
    purses.grey_lock(ED)
    for amount, status in (("000186A0", "9401"), ("00000001", "9302")):
        purses.ok("E07A0901070130008900034012")
        second = f"E07E09000F{amount}{WHEN.hex()}0000000004"
        assert (purses.status(second), purses.status(second)) == (status, "6901")
    assert purses.lock_proof()[0] == 1


def test_lengths_key_and_counter_are_checked(purses):
    purses.grey_lock(ED)
    assert purses.status("E07A090106013000890003") == "6700"
    assert purses.status("E07A0901070130008900034010") == "6C12"
    assert purses.status("E07A0901070230008900034012") == "9403"
    assert purses.status("E07E07000F" + "00" * 15) == "6A86"
    body = purses.chip.powered.directory.files[ED].body
    purses.chip.eeprom.commit([(body + 7, b"\xff\xff")])
    assert purses.online_unlock(ED, 0).hex() == "9402"
