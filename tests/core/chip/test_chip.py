"""One APDU in, one answer out: which check comes first, and what malformed commands do (docs/chip.md)."""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, PROFILES, Chip, PowerLoss
from citycard.chip.commands import COMMANDS

# Commands that want no data, and those that want at least one byte of it, with parameters that are right.
WITHOUT_DATA = ["00840000", "00B08500", "00B20134", "800E0000", "805C0002"]
WITH_DATA = [
    "00200000",
    "00820000",
    "00880000",
    "00D68500",
    "00DC0134",
    "00E20034",
    "80500002",
    "80520000",
    "80540100",
    "805A0006",
    "805E0100",
    "80D40101",
    "80E00005",
]
WITH_MAC = ["04B08500", "04B20134", "84160000", "84180000", "841E0000"]
WRONG_PARAMETERS = [
    "00200100",
    "00820100",
    "00840100",
    "00840001",
    "00880300",
    "00A40100",
    "00A40001",
    "00B0A500",
    "00B20136",
    "00D6E500",
    "00DC0137",
    "00E20134",
    "800E0001",
    "80540200",
    "805C0902",
    "805E0200",
    "80D401FF",
    "84160001",
    "84180100",
    "841E0002",
    "84240101",
]


@pytest.fixture
def card(desk_of, dice):
    desk = desk_of(Chip.blank(FMCOS, transport=True, random=dice()))
    desk.chip.power_on()
    return desk


def refused(desk, apdu):
    """Send a command and return its status word, after checking that the card kept every byte."""
    before = desk.chip.image()
    answer = desk.send(apdu)
    assert (len(answer), desk.chip.image()) == (2, before)
    return answer.hex().upper()


@pytest.mark.parametrize("apdu", ["", "00", "00A4", "00A404", "FF", "80E000"])
def test_less_than_a_header_is_a_wrong_length(card, apdu):
    assert refused(card, apdu) == "6700"


@pytest.mark.parametrize("class_byte", ["01", "0C", "90", "A0", "FF", "C0"])
def test_an_unknown_class_comes_before_everything_in_the_header(card, class_byte):
    assert refused(card, class_byte + "FF000000112233") == "6E00"
    assert refused(card, class_byte + "A4040005") == "6E00"


@pytest.mark.parametrize("head", ["00FF", "0050", "80A4", "04A4", "84E0", "00D4"])
def test_an_unknown_instruction_comes_before_the_form_of_the_command(card, head):
    assert refused(card, head + "FFFF05AA") == "6D00"


@pytest.mark.parametrize("head", sorted(head.hex() for head in COMMANDS))
@pytest.mark.parametrize(
    "body",
    ["0500", "02AABBCCDD", "000001AA", "00000100" + "AA" * 256, "FF" + "AA" * 254, "0000", "00000000"],
    ids=["truncated", "two too many", "extended Lc", "extended 256", "one missing", "extended Le", "zeros"],
)
def test_a_body_that_its_length_byte_denies_is_a_wrong_length(card, head, body):
    assert refused(card, head + "0000" + body) == "6700"


@pytest.mark.parametrize("head", WRONG_PARAMETERS)
@pytest.mark.parametrize("body", ["", "00", "04AABBCCDD", "03AABBCC04"])
def test_wrong_parameters_come_before_a_wrong_length_and_the_file(card, head, body):
    assert refused(card, head + body) == "6A86"


@pytest.mark.parametrize("head", WITHOUT_DATA)
def test_data_where_there_is_none_comes_before_file_and_right(card, head):
    assert refused(card, head + "04AABBCCDD") == "6700"
    assert refused(card, head + "04AABBCCDD04") == "6700"


@pytest.mark.parametrize("head", WITH_DATA)
def test_missing_data_comes_before_file_and_right(card, head):
    assert refused(card, head) == "6700"
    assert refused(card, head + "00") == "6700"


@pytest.mark.parametrize("head", WITH_MAC)
def test_more_than_a_mac_comes_before_file_and_right(card, head):
    assert refused(card, head + "05AABBCCDDEE") == "6700"


@pytest.mark.parametrize("size", [240, 255])
def test_a_chip_takes_no_more_data_than_its_profile_says(card, size):
    assert refused(card, b"\x00\xd6\x85\x00" + bytes((size,)) + bytes(size)) == "6700"


def test_the_file_comes_before_the_right_and_the_right_before_line_protection_and_offset(card, dice):
    card.chip = Chip.blank(FMCOS, random=dice())
    card.chip.power_on()
    card.ok("80E00005072800041111FFFF")
    card.ok("80E0000607A800041111FFFF")
    card.ok("80E0000807A80004F0F0FFFF")
    card.ok("80E00007072A0204F0F0FFFF")
    assert refused(card, "00D6840001AA") == "6A82"
    assert refused(card, "00D6870001AA") == "6981"
    assert refused(card, "00D685FF01AA") == "6982"
    assert refused(card, "00D686FF01AA") == "6982"
    assert refused(card, "00D688FF01AA") == "6900"
    assert refused(card, "04D688FF05AABBCCDDEE") == "6A88"  # no line key


def test_a_chip_without_power_does_nothing():
    chip = Chip.blank()
    for apdu in (b"", b"\x00\x84\x00\x00\x08", b"\x00\xc0\x00\x00\x00"):
        with pytest.raises(PowerLoss):
            chip.transmit(apdu)
    chip.power_on()
    chip.power_off()
    with pytest.raises(PowerLoss):
        chip.transmit(b"\x00\x84\x00\x00\x08")


@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES.keys())
@pytest.mark.parametrize("transport", [False, True])
def test_a_chip_of_every_make_starts_and_is_saved(profile, transport):
    chip = Chip.blank(profile, transport=transport)
    assert chip.power_on() == profile.atr
    again = Chip.from_image(chip.image(), profile)
    assert (again.reset(), again.image()) == (profile.atr, chip.image())
    assert (
        again.transmit(bytes.fromhex("00A40000023F00"))[4 : 4 + len(profile.root_name)] == profile.root_name
    )
