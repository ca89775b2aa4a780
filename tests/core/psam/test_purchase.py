from __future__ import annotations

import pytest
from tests.core.psam.conftest import ASN8, CITY8, ISSUER8, PURCHASE, TERMINAL, child, des, mac8, send

from citycard.errors import PowerLoss
from citycard.psam import Psam

LONG = (
    "80700000 2C 01020304 0007 000000FA 06 20260302081530 01 00"
    "5170070104791381 01015840FFFFFFFF 5840FFFFFFFFFFFF 08"
)
HEAD = bytes.fromhex("01020304 0007 000000FA 06 20260302 081530 01 00")


def session(key: bytes, serial: int) -> bytes:
    return des(key, bytes.fromhex("01020304 0007") + serial.to_bytes(4, "big")[2:])


def mac1(key: bytes, serial: int) -> str:
    data = bytes.fromhex("000000FA 06") + TERMINAL + bytes.fromhex("20260302 081530")
    return mac8(session(key, serial), data).hex().upper()


def mac2(key: bytes, serial: int) -> str:
    return mac8(session(key, serial), bytes.fromhex("000000FA")).hex().upper()


def init(factors: bytes) -> str:
    data = HEAD + factors
    return f"80700000{len(data):02X}{data.hex()}"


@pytest.mark.parametrize(
    ("apdu", "key"),
    [
        # One level: local cards, Lc 1C.
        (
            "80700000 1C 01020304 0007 000000FA 06 20260302081530 01 00 5170070104791381 08",
            child(PURCHASE, ASN8),
        ),
        # Two: ASN8 first, then the issuer, Lc 24, used from the issuer down.
        (
            "80700000 24 01020304 0007 000000FA 06 20260302081530 01 00 5170070104791381 01015840FFFFFFFF 08",
            child(child(PURCHASE, ISSUER8), ASN8),
        ),
        (
            LONG,
            child(child(child(PURCHASE, CITY8), ISSUER8), ASN8),
        ),
    ],
)
def test_the_sam_answers_its_serial_and_the_mac1_that_the_cards_key_wants(sam, apdu, key):
    assert send(sam, apdu) == "00000001" + mac1(key, 1) + "9000"
    assert send(sam, "80720000 04" + mac2(key, 1)) == "9000"


def test_a_published_key_gives_the_session_of_a_published_purchase(make_sam):
    # Card random, amount and time of a published purchase; the key is the published diversification.
    sam = make_sam()
    key = child(PURCHASE, bytes.fromhex("1122334455667788"))
    assert key.hex().upper() == "496BD7A3513644533100B54E71196528"
    answer = send(sam, "80700000 1C 584633C9 0000 00000001 06 20161216134600 01 01 1122334455667788 08")
    expected = mac8(
        des(key, bytes.fromhex("584633C9 0000 0001")),
        bytes.fromhex("00000001 06") + TERMINAL + bytes.fromhex("20161216134600"),
    )
    assert answer == "00000001" + expected.hex().upper() + "9000"


def test_a_wrong_mac2_is_said_and_ends_the_purchase(sam):
    send(sam, init(ASN8))
    assert send(sam, "80720000 04 00000000") == "9302"
    assert send(sam, "80720000 04" + mac2(child(PURCHASE, ASN8), 1)) == "6901"


def test_a_mac2_can_be_checked_late(sam):
    # Field readers batch this check behind the gate's opening.
    send(sam, init(ASN8))
    send(sam, "0084000004")
    send(sam, "00B0970001")
    assert send(sam, "80720000 04" + mac2(child(PURCHASE, ASN8), 1)) == "9000"


def test_wrong_mac2s_never_lock_a_sam(sam):
    # A forged card must not be able to close a gate.
    for _ in range(5):
        send(sam, init(ASN8))
        assert send(sam, "80720000 04 00000000") == "9302"
    assert send(sam, init(ASN8)).endswith("9000")


def test_every_purchase_has_its_own_serial(sam):
    assert [send(sam, init(ASN8))[:8] for _ in range(3)] == ["00000001", "00000002", "00000003"]
    assert send(sam, "00B0980004") == "000000039000"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("80700000 14" + HEAD.hex(), "6700"),  # no level at all
        ("80700000 1B" + HEAD.hex() + "51700701047913", "6700"),
        ("80700000 34" + HEAD.hex() + "5170070104791381" * 4, "6700"),
        ("80700100 1C" + HEAD.hex() + "5170070104791381", "6A86"),
        ("80700000 1C" + HEAD.hex() + "5170070104791381 09", "6C08"),
        ("80700000 1C 01020304 0007 000000FA 06 20260302081530 02 00 5170070104791381", "9403"),
        ("80700000 1C 01020304 0007 000000FA 06 20260302081530 01 04 5170070104791381", "6981"),
    ],
)
def test_what_cannot_begin_a_purchase_uses_up_no_serial(sam, apdu, status):
    assert send(sam, apdu) == status
    assert send(sam, "00B0980004") == "000000009000"


@pytest.mark.parametrize(("apdu", "status"), [("8072000004 00000000", "6901"), ("8072000003 000000", "6700")])
def test_a_mac2_without_a_purchase_is_refused(sam, apdu, status):
    assert send(sam, apdu) == status


def test_another_selection_and_a_reset_end_the_purchase(sam):
    right = "80720000 04" + mac2(child(PURCHASE, ASN8), 1)
    send(sam, init(ASN8))
    send(sam, "00A40000028011")
    assert send(sam, right) == "6901"
    send(sam, init(ASN8))
    sam.reset()
    send(sam, "00A40000028011")
    assert send(sam, right) == "6901"


def test_the_last_serial_is_used_and_none_after_it(sam):
    place = sam.structure.names[bytes.fromhex("A0000006324D4F542E435053414D3031")].files[0x18].body
    sam.eeprom.commit([(place, bytes.fromhex("FFFFFFFE"))])
    assert send(sam, init(ASN8))[:8] == "FFFFFFFF"
    assert send(sam, init(ASN8)) == "9402"


def test_a_purchase_in_the_master_file_finds_no_key(sam):
    send(sam, "00A40000023F00")
    assert send(sam, init(ASN8)) == "6A88"


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("writes", range(6))
def test_no_loss_of_power_gives_a_serial_twice(sam: Psam, writes, torn):
    given = [send(sam, init(ASN8))[:8]]
    sam.eeprom.cut_after(writes, torn=torn)
    try:
        given.append(send(sam, init(ASN8))[:8])
    except PowerLoss:
        sam = Psam.from_image(sam.image())
    sam.eeprom.cut_after(None)
    sam.power_on()
    send(sam, "00A40000028011")
    given.append(send(sam, init(ASN8))[:8])
    assert sorted(set(given)) == given
