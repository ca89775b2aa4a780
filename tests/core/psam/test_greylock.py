from __future__ import annotations

import pytest
from tests.core.psam.conftest import ASN8, GREY, TERMINAL, child, des, mac8, send

from citycard.psam import Psam

LOCK = "E0400000 1C 01020304 0007 00002710 92 20260302081530 01 00 5170070104791381 0C"
RANDOM = bytes.fromhex("00010203")  # what the fixture's random source gives


def session(serial: int = 1) -> bytes:
    first = des(child(GREY, ASN8), bytes.fromhex("01020304 0007") + serial.to_bytes(4, "big")[2:])
    return des(first, RANDOM + bytes.fromhex("80000000"))


def mac2() -> str:
    return mac8(session(), bytes.fromhex("00002710 0007 92") + TERMINAL).hex()


def locked(sam: Psam) -> Psam:
    assert send(sam, LOCK).endswith("9000")
    assert send(sam, "E0420000 04" + mac2()) == "9000"
    return sam


def test_a_lock_begins_with_serial_random_and_mac1(sam):
    mac1 = mac8(session(), b"\x92" + TERMINAL + bytes.fromhex("20260302081530"))
    assert send(sam, LOCK) == "00000001" + RANDOM.hex() + mac1.hex().upper() + "9000"


def test_the_debit_of_a_locked_card_gets_its_gmac_and_a_serial_of_its_own(sam):
    locked(sam)
    gmac = mac8(session(), bytes.fromhex("000003E8")).hex().upper()
    assert send(sam, "E0440000 0F 94 5170070104791381 0007 000003E8 08") == gmac + "000000029000"


def test_a_lock_is_remembered_through_a_loss_of_power(sam):
    again = Psam.from_image(locked(sam).image())
    again.power_on()
    send(again, "00A40000028011")
    gmac = mac8(session(), bytes.fromhex("000003E8")).hex().upper()
    assert send(again, "E0440000 0F 94 5170070104791381 0007 000003E8 08") == gmac + "000000029000"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("E0440000 0F 94 5170070104791381 0008 000003E8 08", "9406"),  # another counter
        ("E0440000 0F 94 5170070104791382 0007 000003E8 08", "9406"),  # another card
        ("E0440000 0F 94 5170070104791381 0007 00002711 08", "9401"),  # more than was on it
        ("E0440000 0E 94 5170070104791381 0007 000003", "6700"),
        ("E0420000 04 00000000", "6985"),
    ],
)
def test_what_a_lock_does_not_give(sam, apdu, status):
    assert send(locked(sam), apdu) == status


def test_a_card_that_did_not_prove_its_lock_is_not_debited(sam):
    send(sam, LOCK)
    assert send(sam, "E0420000 04 00000000") == "9302"
    assert send(sam, "E0440000 0F 94 5170070104791381 0007 000003E8 08") == "9406"


def test_a_lock_needs_a_factor_and_the_right_version(sam):
    head = "01020304 0007 00002710 92 20260302081530"
    assert send(sam, f"E0400000 14 {head} 01 00") == "6700"
    assert send(sam, f"E0400000 1C {head} 02 00 5170070104791381") == "9403"


def test_the_last_sixteen_locks_are_kept(sam):
    locked(sam)
    for _ in range(16):
        send(sam, LOCK)
    assert send(sam, "E0440000 0F 94 5170070104791381 0007 000003E8 08") == "9406"
