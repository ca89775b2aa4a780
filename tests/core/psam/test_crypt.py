from __future__ import annotations

import pytest
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.cmac import CMAC
from tests.core.psam.conftest import (
    ASN8,
    ENCRYPT,
    ISSUER8,
    MAINTENANCE,
    SECTOR,
    SIGNATURE,
    TAC,
    child,
    des,
    mac8,
    padded,
    retail,
    send,
)

from citycard.psam import FUEL_USAGES, TRANSIT_PSAM, Psam, SamKey, SamProfile, personalise_sam
from citycard.terminal import InProcessReader

TWO = ASN8.hex() + ISSUER8.hex()


def card_key(master: bytes) -> bytes:
    return child(child(master, ISSUER8), ASN8)


def test_a_sam_makes_the_mac_that_blocks_an_application(sam):
    assert send(sam, "801A4502 10 5170070104791381 01015840FFFFFFFF") == "9000"
    mac = send(sam, "80FA0500 10 A1B2C3D400000000 841E000004800000 04")
    blocks, iv = bytes.fromhex("841E000004800000"), bytes.fromhex("A1B2C3D400000000")
    assert mac == retail(card_key(MAINTENANCE), blocks, iv).hex().upper() + "9000"


def test_a_sam_makes_the_tac_of_a_card_by_the_halves_of_its_key(sam):
    assert send(sam, "801A4401 10" + TWO) == "9000"
    data = bytes.fromhex("000000FA 06 300089000340 00000001 20260302081530")
    tac = send(sam, f"80FA0500 20 0000000000000000 {padded(data).hex()}")
    dtk = card_key(TAC)
    half = bytes(a ^ b for a, b in zip(dtk[:8], dtk[8:], strict=True))
    assert tac == mac8(half, data).hex().upper() + "9000"


def test_a_long_mac_goes_over_in_parts(sam):
    blocks = bytes(range(64))
    whole = retail(card_key(MAINTENANCE), blocks, bytes.fromhex("A1B2C3D400000000")).hex().upper() + "9000"
    send(sam, "801A4502 10" + TWO)
    assert send(sam, f"80FA0700 18 A1B2C3D400000000 {blocks[:16].hex()}") == "9000"
    assert send(sam, f"80FA0300 10 {blocks[16:32].hex()}") == "9000"
    assert send(sam, f"80FA0100 20 {blocks[32:].hex()} 04") == whole
    # The chain is over: the next MAC starts from zero.
    zero = retail(card_key(MAINTENANCE), blocks[:8], bytes(8)).hex().upper() + "9000"
    assert send(sam, f"80FA0100 08 {blocks[:8].hex()} 04") == zero


def test_a_sam_enciphers_and_deciphers_with_a_key_for_that(sam):
    key = child(ENCRYPT, ASN8)
    assert send(sam, "801A2701 08 5170070104791381") == "9000"
    cipher = des(key, bytes(range(16))).hex().upper()
    assert send(sam, f"80FA0000 10 {bytes(range(16)).hex()} 10") == cipher + "9000"
    assert send(sam, f"80FA8000 10 {cipher} 10") == bytes(range(16)).hex().upper() + "9000"


def test_a_session_key_is_derived_inside_and_used_for_macs(sam):
    send(sam, "801A4502 10" + TWO)
    assert send(sam, "80DE0000 08 0102030400078000") == "9000"
    session = des(card_key(MAINTENANCE), bytes.fromhex("0102030400078000"))
    assert (
        send(sam, "80FA0100 08 00000FA080000000 04")
        == mac8(session, bytes.fromhex("00000FA0")).hex().upper() + "9000"
    )


@pytest.mark.parametrize(
    ("before", "apdu", "status"),
    [
        ("", "80FA0100 08 0000000000000000", "6985"),
        ("", "80DE0000 08 0000000000000000", "6985"),
        ("", "801A4502 08 5170070104791381", "6700"),  # the usage says two levels
        ("", "801A4502 07 51700701047913", "6700"),
        ("", "801A4501 10" + TWO, "9403"),
        ("", "801A4201 10" + TWO, "6981"),  # a purchase key makes MAC1 and nothing else
        ("", "801A5F01 10" + TWO, "6981"),
        ("801A4502 10" + TWO, "80FA0100 07 00000000000000", "6700"),
        ("801A4502 10" + TWO, "80FA0500 08 0000000000000000", "6700"),  # a start value and nothing to sign
        ("801A4502 10" + TWO, "80FA0000 08 0000000000000000", "6981"),  # a MAC key does not encipher
        ("801A4502 10" + TWO, "80FA0800 08 0000000000000000", "6A86"),
        ("801A4502 10" + TWO, "80DE0000 07 00000000000000", "6700"),
        ("801A4502 10" + TWO, "80FA0100 08 0000000000000000 08", "6C04"),
        ("801A2701 08 5170070104791381", "80FA0100 08 0000000000000000", "6981"),
        ("801A2701 08 5170070104791381", "80FA0000 08 0000000000000000 10", "6C08"),
    ],
)
def test_what_derived_keys_refuse(sam, before, apdu, status):
    if before:
        assert send(sam, before) == "9000"
    assert send(sam, apdu) == status


def test_a_derived_key_ends_with_another_selection(sam):
    send(sam, "801A4502 10" + TWO)
    send(sam, "00A40000028011")
    assert send(sam, "80FA0100 08 0000000000000000") == "6985"


def test_a_refused_derivation_leaves_no_key_behind(sam):
    send(sam, "801A4502 10" + TWO)
    assert send(sam, "801A4509 10" + TWO) == "9403"
    assert send(sam, "80FA0100 08 0000000000000000") == "6985"


@pytest.mark.parametrize(("side", "name"), [("0A", 0x0A), ("0B", 0x0B)])
def test_sector_keys_come_out_of_the_uid_sector_and_side(sam, side, name):
    factor = bytes.fromhex("DEADBEEF 05") + bytes((name, 0, 0))
    expected = child(SECTOR, factor)[:6].hex().upper()
    assert send(sam, f"80FC0001 06 DEADBEEF 05 {side} 06") == expected + "9000"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("80FC0002 06 DEADBEEF 05 0A 06", "9403"),
        ("80FC0001 06 DEADBEEF 05 0C 06", "6A86"),
        ("80FC0001 05 DEADBEEF 05", "6700"),
        ("80FC0101 06 DEADBEEF 05 0A 06", "6A86"),
        ("80FC0001 06 DEADBEEF 05 0A 08", "6C06"),
    ],
)
def test_what_a_sector_key_is_refused_for(sam, apdu, status):
    assert send(sam, apdu) == status


def test_a_sam_signs_records_and_batches_with_the_terminals_own_key(sam):
    code = CMAC(AES(SIGNATURE))
    code.update(bytes(range(32)))
    whole = code.finalize().hex().upper()
    assert send(sam, f"80F80000 20 {bytes(range(32)).hex()} 10") == whole + "9000"
    assert send(sam, f"80F80000 20 {bytes(range(32)).hex()} 04") == whole[:8] + "9000"
    assert send(sam, f"80F80000 20 {bytes(range(32)).hex()} 08") == "6C10"


def test_a_sam_without_a_signature_key_says_so(identity_only):
    assert send(identity_only, "80F80000 01 00 10") == "9403"


@pytest.fixture
def identity_only():
    from tests.core.psam.conftest import IDENTITY, MASTER

    sam = Psam.blank()
    personalise_sam(InProcessReader(sam), IDENTITY, [], MASTER)
    send(sam, "00A40000028011")
    return sam


def test_keys_may_be_numbered_another_way():
    from tests.core.psam.conftest import IDENTITY, MASTER

    profile = SamProfile(name="fuel", atr=TRANSIT_PSAM.atr, usages=FUEL_USAGES, levels_in_usage=False)
    sam = Psam.blank(profile)
    keys = [SamKey(usage=0x80, version=1, key=TAC), SamKey(usage=0x87, version=3, key=MAINTENANCE)]
    sealed = [key.sealed(MASTER) for key in keys]
    personalise_sam(InProcessReader(sam), IDENTITY, sealed, MASTER, profile=profile)
    send(sam, "00A40000028011")
    init = "01020304 0007 000000FA 06 20260302081530 01 00 5170070104791381"
    assert send(sam, f"80700000 1C {init} 08")[:8] == "00000001"
    assert send(sam, f"80700000 24 {init} 01015840FFFFFFFF 08")[:8] == "00000002"
    assert send(sam, "801A8703 08 5170070104791381") == "9000"
    mac = retail(child(MAINTENANCE, ASN8), bytes(8), bytes(8)).hex().upper()
    assert send(sam, "80FA0100 08 0000000000000000 04") == mac + "9000"
