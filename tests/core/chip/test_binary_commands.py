"""READ BINARY and UPDATE BINARY: offsets, lengths, files never written."""

from __future__ import annotations

import attrs
import pytest

from citycard.chip import FMCOS, T_UNION, Chip


@pytest.fixture
def large(desk_of, dice):
    """A file 05 of 600 bytes, each telling where it lies, and a small file 1F."""
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    desk.ok("80E0000507280258F0F0FFFF")
    desk.ok("80E0001F07280004F0F0FFFF")
    desk.ok("00A40000020005")
    for offset in range(0, 600, 100):
        data = bytes((offset + index) // 4 & 0xFF for index in range(100))
        desk.ok(bytes((0, 0xD6, offset >> 8, offset & 0xFF, 100)) + data)
    return desk


def test_the_current_file_is_read_at_15_bit_offsets(large):
    assert large.ok("00B001F408").hex() == "7d7d7d7d7e7e7e7e"
    assert large.ok("00B0025404").hex() == "95959595"
    assert large.status("00B0025408") == "6C04"
    assert large.status("00B0025804") == "6B00"


def test_short_ids_reach_the_first_256_bytes(large):
    assert large.ok("00B085FC04").hex() == "3f3f3f3f"
    assert large.ok("00B085FF04").hex() == "3f404040"


@pytest.mark.parametrize("p1", ["A5", "C5", "E5", "FF"])
def test_other_bits_beside_a_short_id_are_wrong_parameters(large, p1):
    assert large.status(f"00B0{p1}0004") == "6A86"
    assert large.status(f"00D6{p1}000100") == "6A86"


def test_a_short_id_makes_its_file_the_current_one(large):
    large.ok("00D69F000401020304")
    assert large.ok("00B0000004").hex() == "01020304"
    large.ok("00B0850001")
    assert large.ok("00B0000104").hex() == "00000001"


def test_sfi_0_is_the_current_file(large):
    assert large.ok("00B0800804").hex() == "02020202"


def test_ids_above_1f_have_no_short_form(desk_of):
    desk = desk_of(Chip.blank(FMCOS))
    desk.chip.power_on()
    desk.ok("80E000950728000AF0F0FFFF")
    assert desk.status("00B0950001") == "6A82"
    desk.ok("00A40000020095")
    assert desk.status("00B0000001") == "6281"


@pytest.mark.parametrize(("profile", "most"), [(FMCOS, 239), (T_UNION, 256)], ids=["fmcos", "t-union"])
def test_an_answer_and_a_command_carry_so_much_and_no_more(desk_of, profile, most):
    desk = desk_of(Chip.blank(attrs.evolve(profile, warns_unwritten=False)))
    desk.chip.power_on()
    desk.ok("80E0000507280140F0F0FFFF")
    assert len(desk.ok("00B0850000")) == most
    assert desk.status("00B08500FF") == ("9000" if most > 255 else "6CEF")
    sizes = [
        size
        for size in (239, 240, 255)
        if desk.status(bytes((0, 0xD6, 0x85, 0, size)) + bytes(size)) == "9000"
    ]
    assert sizes == [size for size in (239, 240, 255) if size <= most]


def test_a_file_that_was_never_written_says_so_until_it_is(desk_of):
    desk = desk_of(Chip.blank(FMCOS))
    desk.chip.power_on()
    desk.ok("80E000050728000AF0F0FFFF")
    assert desk.send("00B0850004").hex() == "000000006281"
    desk.ok("00D685050100")
    assert desk.send("00B0850004").hex() == "000000009000"
    again = Chip.from_image(desk.chip.image(), FMCOS)
    again.power_on()
    assert again.transmit(bytes.fromhex("00B0850004")).hex() == "000000009000"


def test_a_write_beyond_the_end_writes_nothing(large):
    before = large.chip.image()
    assert large.status("00D60257021122") == "6B00"
    assert large.status("00D6025801AA") == "6B00"
    assert large.status("00D60000") == "6700"
    assert large.status("00D6000001AA00") == "6700"
    assert large.chip.image() == before
