from __future__ import annotations

from contextlib import suppress

import pytest
from tests.core.psam.conftest import ASN8, MASTER, child, des, mac8, padded, retail, send

from citycard.errors import PowerLoss
from citycard.psam import TRANSIT_PSAM, Psam

VECTOR_MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
INIT = "80700000 1C 01020304 0007 000000FA 06 20260302081530 {} 00 5170070104791381"


def write(sam, entry: bytes, master: bytes = MASTER) -> str:
    plain = bytes((len(entry),)) + entry
    sealed = des(master, padded(plain) if len(plain) % 8 else plain)
    challenge = bytes.fromhex(send(sam, "0084000004")[:8])
    command = bytes((0x84, 0xD4, 0, 0, len(sealed) + 4)) + sealed
    mac = retail(master, padded(command), challenge + bytes(4))
    return send(sam, (command + mac).hex())


def test_the_published_key_command_is_taken_byte_for_byte():
    # Challenge 5D72B3FD, master 0011…EEFF, a purchase key of one level, version 0.
    challenges = iter([bytes.fromhex("5D72B3FD")])
    sam = Psam.blank(random=lambda _: next(challenges))
    sam.power_on()
    send(sam, "00A40000028011")
    master = sam.structure.names[TRANSIT_PSAM.adf_name].key(0x39, 0)
    sam.eeprom.commit([(master.place + 5, VECTOR_MASTER)])
    assert send(sam, "0084000004") == "5D72B3FD9000"
    assert send(sam, "84D400001C DCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD 8A9D4ADB") == "9000"
    key = child(VECTOR_MASTER, ASN8)
    answer = send(sam, INIT.format("00"))
    session = des(key, bytes.fromhex("01020304 0007 0001"))
    data = bytes.fromhex("000000FA 06 000000000000 20260302081530")
    assert answer == "00000001" + mac8(session, data).hex().upper() + "9000"


def test_a_new_version_stands_beside_the_old_one(sam):
    assert send(sam, INIT.format("02")) == "9403"
    assert write(sam, bytes.fromhex("220200") + bytes(16)) == "9000"
    assert send(sam, INIT.format("02")).endswith("9000")
    assert send(sam, INIT.format("01")).endswith("9000")


def test_the_same_version_again_replaces_the_key(sam):
    before = send(sam, INIT.format("01"))[8:]
    assert write(sam, bytes.fromhex("220100") + bytes(16)) == "9000"
    sam.eeprom.commit([(sam.powered.directory.files[0x18].body, bytes(4))])
    assert send(sam, INIT.format("01"))[8:] != before


def test_usage_00_replaces_the_master_key(sam):
    other = bytes(range(16))
    assert write(sam, bytes.fromhex("000100") + other) == "9000"
    assert write(sam, bytes.fromhex("220300") + bytes(16)) == "6988"
    assert write(sam, bytes.fromhex("220300") + bytes(16), master=other) == "9000"


@pytest.mark.parametrize(
    ("entry", "status"),
    [
        ("5F0100" + "00" * 16, "6A80"),  # a usage that nobody knows
        ("220109" + "00" * 16, "6A80"),  # an algorithm that nobody knows
    ],
)
def test_what_is_no_key_is_refused(sam, entry, status):
    assert write(sam, bytes.fromhex(entry)) == status


def test_a_wrong_mac_costs_a_try_and_three_lock_the_master(sam):
    for _ in range(3):
        assert write(sam, bytes.fromhex("220300") + bytes(16), master=bytes(16)) == "6988"
    assert write(sam, bytes.fromhex("220300") + bytes(16)) == "6983"


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("84D400001C" + "00" * 28, "6984"),
        ("84D400001B" + "00" * 27, "6700"),
        ("84D401001C" + "00" * 28, "6A86"),
    ],
)
def test_a_key_command_without_its_form_is_refused(sam, apdu, status):
    assert send(sam, apdu) == status


def test_the_master_file_takes_only_its_own_master(sam):
    send(sam, "00A40000023F00")
    assert write(sam, bytes.fromhex("220300") + bytes(16)) == "6A88"
    assert write(sam, bytes.fromhex("000100") + bytes(16)) == "9000"


def test_a_full_sam_takes_no_more_keys(make_sam):
    sam = make_sam()
    taken = 0
    while (answer := write(sam, bytes((0x22, 100 + taken, 0)) + bytes(16))) == "9000":
        taken += 1
    assert (taken, answer) == (48 - 9, "6A84")


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("writes", range(14))
def test_a_key_is_written_whole_or_not_at_all(sam, writes, torn):
    sam.eeprom.cut_after(writes, torn=torn)
    with suppress(PowerLoss):
        write(sam, bytes.fromhex("220200") + bytes(range(16)))
    sam.eeprom.cut_after(None)
    sam.power_on()
    send(sam, "00A40000028011")
    answer = send(sam, INIT.format("02"))
    session = des(child(bytes(range(16)), ASN8), bytes.fromhex("01020304 0007 0001"))
    data = bytes.fromhex("000000FA 06 300089000340 20260302081530")
    assert answer in {"9403", "00000001" + mac8(session, data).hex().upper() + "9000"}
    assert send(sam, INIT.format("01")).endswith("9000")
