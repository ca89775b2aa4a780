"""WRITE KEY in its three forms: in plain, with a MAC, enciphered and with a MAC; and who may."""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, Chip
from citycard.keys.cipher import tdes
from citycard.keys.line import seal

MASTER = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
WRONG = bytes(16)
PURCHASE = "3EF0F00100" + "21" * 16


@pytest.fixture
def keyed(desk_of, dice):
    """A master file whose key file has the master key (kind 39, index 00) alone; everybody may add."""
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    desk.ok("80E00000073F018F01F0FFFF")
    desk.ok("80D4010015" + "39F0F00133" + MASTER.hex())
    return desk


def flagged(entry, flags):
    return f"{int(entry[:2], 16) | flags:02X}" + entry[2:]


def write(desk, head, entry, form):
    data = bytes.fromhex(entry)
    if form == "plain":
        return desk.status(f"80D4{head}{len(data):02X}{entry}")
    sent = data if form == "mac" else seal(MASTER, data)
    return desk.protected("84D4" + head, sent, MASTER)[-2:].hex().upper()


@pytest.mark.parametrize("form", ["plain", "mac", "cipher"])
@pytest.mark.parametrize(
    "entry", [PURCHASE, "3EF0F00100" + "21" * 8, "3AF0EF0133" + "1234", "3AF0EF0133123456"]
)
def test_a_key_is_added_in_all_three_forms(keyed, form, entry):
    entry = flagged(entry, {"plain": 0, "mac": 0x40, "cipher": 0xC0}[form])
    assert write(keyed, "0101", entry, form) == "9000"
    key = keyed.chip.structure.root.key(0x3E if entry[1] == "E" else 0x3A, 1)
    stored = bytes(keyed.chip.eeprom.cells[key.place : key.place + 5 + key.size])
    assert stored.rstrip(b"\xff").hex().upper() == entry.upper()


@pytest.mark.parametrize(
    ("flags", "allowed"),
    [(0x00, {"plain", "mac", "cipher"}), (0x40, {"mac", "cipher"}), (0xC0, {"cipher"})],
    ids=["3E", "7E", "FE"],
)
def test_a_key_is_replaced_only_in_the_form_that_its_kind_asks_for(keyed, flags, allowed):
    assert write(keyed, "0101", flagged(PURCHASE, flags), "cipher") == "9000"
    new = "3EF0F00200" + "22" * 16
    answers = {form: write(keyed, "3E01", new, form) for form in ("plain", "mac", "cipher")}
    assert answers == {form: "9000" if form in allowed else "6900" for form in answers}


def test_protected_keys_are_not_added_in_plain_once_there_is_a_master_key(keyed):
    assert write(keyed, "0101", flagged(PURCHASE, 0x40), "plain") == "6900"
    assert write(keyed, "0101", flagged(PURCHASE, 0xC0), "mac") == "6900"
    assert write(keyed, "0101", PURCHASE, "plain") == "9000"


def test_padding_that_is_not_needed_makes_the_data_wrong(keyed):
    # Length byte and 15 bytes are two whole blocks: the manual adds no third one, and neither may a client.
    pin = bytes.fromhex("3AF0EF0133") + b"12"
    assert len(seal(MASTER, pin)) == 8
    padded = tdes(MASTER, b"\x07" + pin + b"\x80" + bytes(7))
    assert keyed.protected("84D40101", padded, MASTER).hex() == "6a80"
    assert keyed.protected("84D40101", seal(MASTER, pin), MASTER).hex() == "9000"


def test_wrong_macs_use_up_the_tries_of_the_master_key(keyed):
    data = bytes.fromhex(flagged(PURCHASE, 0x40))
    answers = [keyed.protected("84D40101", data, WRONG).hex() for _ in "1234"]
    assert answers == ["6988", "6988", "6988", "6983"]
    assert keyed.protected("84D40101", data, MASTER).hex() == "6983"


def test_a_right_mac_gives_the_tries_back(keyed):
    data = bytes.fromhex(flagged(PURCHASE, 0x40))
    answers = [
        keyed.protected(f"84D401{index:02X}", data, key).hex()
        for index, key in enumerate((WRONG, WRONG, MASTER, WRONG, WRONG, MASTER), start=1)
    ]
    assert answers == ["6988", "6988", "9000", "6988", "6988", "9000"]


def test_adding_and_changing_have_rights_of_their_own(desk_of, dice):
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    desk.ok("80E00000073F018F0122FFFF")  # add: status 2 exactly
    for index, status in ((0, 1), (1, 2), (2, 3)):
        entry = f"39F0F0{status:02X}33" + MASTER.hex()
        if index == 0:
            desk.ok("80D4010015" + entry)
        else:
            assert desk.status(f"80D401{index:02X}15" + entry) == "6982"
    # Key 00 gives status 1; raise it to 2 by changing its follow state, then add.
    desk.ok("80D4390015" + "39F0F00233" + MASTER.hex())
    challenge = desk.ok("0084000008")
    desk.ok(b"\x00\x82\x00\x00\x08" + tdes(MASTER, challenge))
    desk.ok("80D4010115" + "3EF0330100" + "11" * 16)
    assert desk.status("80D43E0115" + PURCHASE) == "6982"


@pytest.mark.parametrize(
    ("apdu", "wanted"),
    [
        ("80D401FF15" + PURCHASE, "6A86"),
        ("80D4020115" + PURCHASE, "6A86"),
        ("80D4010015" + "39F0F00133" + "00" * 16, "6A86"),
        ("80D43E0115" + PURCHASE, "6A88"),
        ("80D4390015" + PURCHASE, "6981"),
        ("80D439000D" + "39F0F00133" + "00" * 8, "6700"),
        ("80D4010114" + "3EF0F00100" + "21" * 15, "6700"),
        ("80D4010105" + "3EF0F00100", "6700"),
        ("80D4010115" + "33F0F00100" + "21" * 16, "6A80"),
        ("80D4010115" + "3BF0F00100" + "21" * 16, "6A80"),
        ("84D4010103AABBCC", "6987"),
        ("84D4010119" + PURCHASE + "00000000", "6984"),
    ],
)
def test_a_malformed_key_changes_nothing(keyed, apdu, wanted):
    before = keyed.chip.image()
    assert keyed.status(apdu) == wanted
    assert keyed.chip.image() == before


def test_a_key_file_has_an_end(keyed):
    written = 1
    while keyed.status(f"80D401{written:02X}15" + PURCHASE) == "9000":
        written += 1
    assert written == 0x018F // 23
    assert keyed.status(f"80D401{written:02X}15" + PURCHASE) == "6A84"


def test_without_a_key_file_there_is_no_room_for_keys(desk_of):
    desk = desk_of(Chip.blank(FMCOS))
    desk.chip.power_on()
    assert desk.status("80D4010115" + PURCHASE) == "6A88"


def test_an_application_gets_its_first_master_key_under_that_of_the_master_file(keyed):
    own = b"\x5f" * 16
    challenge = keyed.ok("0084000008")
    keyed.ok(b"\x00\x82\x00\x00\x08" + tdes(MASTER, challenge))
    keyed.ok("80E03F010D380200F0F095FFFF5041592E31")
    keyed.ok("00A40000023F01")
    first = seal(MASTER, bytes.fromhex("F9F0F0AA33") + own)
    assert keyed.protected("84D40100", first, MASTER).hex() == "6a88"  # no key file yet
    keyed.ok("80E00000073F018F95F0FFFF")
    assert keyed.protected("84D40100", seal(own, bytes.fromhex("F9F0F0AA33") + own), own).hex() == "6988"
    assert keyed.protected("84D40100", first, MASTER).hex() == "9000"
    second = bytes.fromhex("FEF0F00100") + b"\x21" * 16
    assert keyed.protected("84D40100", seal(MASTER, second), MASTER).hex() == "6988"
    assert keyed.protected("84D40100", seal(own, second), own).hex() == "9000"
