"""The life of a PIN: verified, changed, reloaded, unblocked; and what every wrong try costs."""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, Chip
from citycard.keys.line import seal

KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
DIRECTORY = "80E03F010D380400F0F095FFFF5041592E31"
MAC_RELOAD = "73B2C6FD"
"""MAC8 of 654321 under the left half of KEY xor the right one: 8888888888888888."""


@pytest.fixture
def holder(desk_of, dice):
    """A directory with PIN 123456 (status 1, three tries), the two keys beside it, and a guarded file."""
    desk = desk_of(Chip.blank(FMCOS, random=dice("01020304")))
    desk.chip.power_on()
    desk.ok(DIRECTORY)
    desk.ok("00A40000023F01")
    desk.ok("80E00000073F018F95F0FFFF")
    desk.ok("80D4010008" + "3AF0EF0133123456")
    desk.ok("80D4010015" + "37F0F0FF33" + KEY.hex())
    desk.ok("80D4010015" + "38F0F0FF33" + KEY.hex())
    desk.ok("80E00005072800041111FFFF")
    return desk


def verify(desk, pin):
    return desk.status(f"00200000{len(pin) // 2:02X}{pin}")


def test_a_right_pin_opens_what_it_guards_until_the_power_goes(holder):
    assert holder.status("00D685000101") == "6982"
    assert verify(holder, "123456") == "9000"
    holder.ok("00D685000101")
    holder.chip.reset()
    holder.ok("00A40000023F01")
    assert holder.status("00B0850001") == "6982"


def test_filling_at_the_end_of_a_pin_may_be_left_out_or_sent(holder):
    assert verify(holder, "123456") == "9000"
    assert verify(holder, "123456FFFFFF") == "9000"
    assert verify(holder, "1234") == "63C2"


@pytest.mark.parametrize("data", ["", "12", "00" * 9])
def test_a_pin_has_two_to_eight_bytes(holder, data):
    assert verify(holder, data) == "6700"
    assert verify(holder, "123456") == "9000"  # and nothing was lost


def test_a_wrong_pin_costs_a_try_and_a_right_one_gives_all_back(holder):
    answers = [verify(holder, pin) for pin in ("0000", "0000", "123456", "0000", "0000", "0000", "123456")]
    assert answers == ["63C2", "63C1", "9000", "63C2", "63C1", "63C0", "6983"]


def test_whoever_knows_the_pin_changes_it(holder):
    assert holder.status("805E01000612 34FF987654".replace(" ", "")) == "63C2"
    holder.ok("805E010007123456FF987654")
    assert verify(holder, "123456") == "63C2"
    assert verify(holder, "987654") == "9000"


def test_a_change_gives_the_new_pin_all_tries_and_no_rights(holder):
    verify(holder, "0000")
    verify(holder, "0000")
    holder.ok("805E010007123456FF987654")
    assert holder.status("00B0850001") == "6982"
    assert [verify(holder, "0000") for _ in "123"] == ["63C2", "63C1", "63C0"]


@pytest.mark.parametrize(
    ("apdu", "wanted"),
    [
        ("805E010004 12FF3456", "6700"),
        ("805E01000E 123456789ABCFF123456789ABCDE", "6700"),
        ("805E010007 12345678987654", "6A80"),
        ("805E010006 1234567890FF", "6A80"),
        ("805E020007 123456FF987654", "6A86"),
        ("805E010107 123456FF987654", "6A88"),
        ("805E000005 1200000000", "6700"),
        ("805E00000B 12345678901234567890AB", "6700"),
    ],
)
def test_a_malformed_change_changes_nothing(holder, apdu, wanted):
    assert holder.status(apdu.replace(" ", "")) == wanted
    assert verify(holder, "123456") == "9000"


def test_the_issuer_reloads_a_forgotten_pin(holder):
    for _ in "1234":
        verify(holder, "0000")
    holder.ok("805E000007654321" + MAC_RELOAD)
    assert verify(holder, "654321") == "9000"


def test_three_wrong_macs_lock_the_reloading_key_and_not_the_card(holder):
    answers = [holder.status("805E00000765432100000000") for _ in "1234"]
    assert answers == ["6988", "6988", "6988", "6983"]
    assert holder.status("805E000007654321" + MAC_RELOAD) == "6983"
    assert verify(holder, "123456") == "9000"


def test_a_blocked_pin_is_unblocked_with_a_mac_under_the_challenge(holder):
    # Challenge 01020304; computed with another program.
    for _ in "1234":
        verify(holder, "0000")
    assert holder.ok("0084000004").hex() == "01020304"
    holder.ok("842400000C4E589C1DD91B95CDC3DDC308")
    assert verify(holder, "654321") == "9000"
    assert verify(holder, "123456") == "63C2"


def test_the_pin_to_unblock_is_named_by_p1_or_p2(holder):
    holder.ok("80D4010108" + "3AF0EF0233445566")
    data = seal(KEY, bytes.fromhex("111111"))
    for head in ("84240100", "84240001"):
        assert holder.protected(head, data, KEY).hex() == "9000"
    assert holder.protected("84240101", data, KEY).hex() == "6a86"
    assert holder.protected("84240200", data, KEY).hex() == "6a88"
    assert holder.status("0020000103111111") == "9000"


def test_unblocking_wants_a_challenge_and_a_mac(holder):
    data = seal(KEY, bytes.fromhex("111111"))
    assert holder.status("842400000C" + data.hex() + "00000000") == "6984"
    holder.ok("0084000004")
    assert holder.status("8424000003" + "000000") == "6987"
    assert [holder.protected("84240000", data, bytes(16)).hex() for _ in "1234"] == ["6988"] * 3 + ["6983"]
    assert verify(holder, "123456") == "9000"


def test_what_was_not_enciphered_is_no_pin(holder):
    assert holder.protected("84240000", bytes(8), KEY).hex() == "6a80"
    assert holder.protected("84240000", seal(KEY, b"1"), KEY).hex() == "6a80"
    assert verify(holder, "123456") == "9000"
