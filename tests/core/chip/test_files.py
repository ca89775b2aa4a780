"""The file system: creating, selecting, reading, writing, and who may."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.chip import FMCOS, Chip, files
from citycard.chip.files import Structure
from citycard.keys.cipher import tdes

ADF = "80E03F0110380800F0F095FFFFA000000632010105"


@pytest.fixture
def bare(desk_of, dice):
    """A blank card in a fresh directory without keys: its creator may do everything."""
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    desk.ok(ADF)
    desk.ok("00A4040008A000000632010105")
    return desk


def test_a_blank_card_answers_as_the_payment_system(desk_of):
    desk = desk_of(Chip.blank())
    assert desk.chip.power_on()[0] == 0x3B
    assert desk.ok("00A40000023F0000").hex().upper() == "6F15840E315041592E5359532E4444463031A503880101"


def test_binary_files_are_read_and_written_at_offsets(bare):
    bare.ok("80E000050728000AF0F0FFFF")
    bare.ok("00D6850203AABBCC")
    assert bare.ok("00B0850000").hex() == "0000aabbcc0000000000"
    assert bare.ok("00B0850202").hex() == "aabb"
    assert bare.ok("00B0000204").hex() == "aabbcc00"  # EF 05 is current now
    bare.ok("00D000090177")
    assert bare.ok("00B0850901").hex() == "77"
    assert bare.status("00B0850A01") == "6B00"
    assert bare.status("00B0850205") == "9000"
    assert bare.status("00B085020F") == "6C08"
    assert bare.status("00D685090211223344") == "6700"
    assert bare.status("00D68509021122") == "6B00"


def test_a_binary_command_wants_a_binary_file(bare):
    bare.ok("80E00006072A0304F0F0FFFF")
    assert bare.status("00B0860000") == "6981"
    assert bare.status("00B0870000") == "6A82"
    bare.ok("00A4040008A000000632010105")
    assert bare.status("00B0000000") == "6986"


def test_fixed_records(bare):
    bare.ok("80E00006072A0304F0F0FFFF")
    assert bare.status("00B2013400") == "6A83"
    for filling in ("01", "02", "03"):
        bare.ok("00E2003404" + filling * 4)
    assert bare.status("00E2003404" + "04" * 4) == "6A84"
    bare.ok("00DC023404" + "AA" * 4)
    assert [record.hex() for record in bare.records(6)] == ["01010101", "aaaaaaaa", "03030303"]
    assert bare.status("00DC023403" + "AA" * 3) == "6700"
    assert bare.status("00DC043404" + "AA" * 4) == "6A83"


def test_cyclic_records(bare):
    bare.ok("80E00007072E0302F0F0FFFF")
    bare.ok("00E2003C020101")
    bare.ok("00DC003B020202")
    bare.ok("00DC0038020303")
    bare.ok("00E2003C020404")
    assert [record.hex() for record in bare.records(7)] == ["0404", "0303", "0202"]
    assert bare.status("00DC013C020505") == "6A86"


def test_variable_records_carry_their_id_and_length(bare):
    bare.ok("80E00008072C0010F0F0FFFF")
    bare.ok("00E200440501030A0B0C")
    bare.ok("00E2004403020122")
    assert [record.hex() for record in bare.records(8)] == ["01030a0b0c", "020122"]
    assert bare.ok("00B2024000").hex() == "020122"
    bare.ok("00DC024003020133")
    assert bare.ok("00B2024403").hex() == "020133"
    assert bare.status("00B2024404") == "6C03"
    assert bare.status("00B2094000") == "6A83"
    assert bare.status("00E20044050304010203") == "6A80"
    assert bare.status("00DC0244040202" + "1122") == "6700"
    assert bare.status("00DC024403030133") == "6A80"
    assert bare.status("00E200440A0308" + "00" * 8) == "6A84"


def test_a_file_exists_once_and_fits_into_the_card(bare):
    bare.ok("80E000050728000AF0F0FFFF")
    assert bare.status("80E000050728000AF0F0FFFF") == "6A86"
    assert bare.status("80E00006072807F0F0F0FFFF") == "6A84"
    assert bare.status("80E00006072A0104F0F0FFFF") == "6A80"
    assert bare.status("80E00006073B0104F0F0FFFF") == "6981"
    assert bare.status("80E000060628000AF0F0FF") == "6700"
    assert bare.status("80E00000073F008F95F0FFFF") == "6A80"  # the key file must come first


def test_an_eight_kilobyte_card_has_eight_kilobytes(desk_of, dice):
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    taken = 11 + len("1PAY.SYS.DDF01")
    left = 8192 - taken - 11
    assert desk.status(f"80E000050728{left + 1:04X}F0F0FFFF") == "6A84"
    desk.ok(f"80E000050728{left:04X}F0F0FFFF")
    assert len(desk.chip.eeprom.cells) == 8192
    assert desk.status("80E0000607280001F0F0FFFF") == "6A84"


def test_erasing_leaves_nothing_behind(bare):
    bare.ok("80E000050728000AF0F0FFFF")
    bare.ok("00D685000A" + "53" * 10)
    bare.ok("800E000000")
    assert bare.status("00B0850000") == "6A82"
    assert b"S" * 10 not in bare.chip.image()
    bare.ok("80E000050728000AF0F0FFFF")


def test_directories_nest_three_deep_and_are_found_by_id_and_name(desk_of, dice):
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    desk.ok("80E03F010F380400F0F095FFFF" + b"FIRST.1".hex())
    desk.ok("00A40000023F01")
    desk.ok("80E03F020F380200F0F095FFFF" + b"SECOND2".hex())
    desk.ok("00A40000023F02")
    assert desk.status("80E03F030F380100F0F095FFFF" + b"THIRD.3".hex()) == "6A80"
    desk.ok("80E000150728000AF0F0FFFF")
    assert desk.ok("00A4040007" + b"SECOND2".hex())[:9].hex() == "6f18840753" + b"ECOND2".hex()[:8]
    assert desk.status("00A4040005" + b"FIRST".hex()) == "9000"
    assert desk.status("00A40000023F02") == "9000"
    assert desk.status("00A40000023F01") == "9000"  # the parent
    assert desk.status("00A4040004" + b"FIRS".hex()) == "6A82"
    assert desk.status("00A40000023F09") == "6A82"
    assert desk.status("00A4010000") == "6A86"


def test_rights_follow_the_status_of_the_directory(desk_of, dice):
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    key = b"\x21" * 16
    desk.ok("80E00000073F005001F0FFFF")
    desk.ok("80D401001539F0F00133" + key.hex())
    desk.ok("80D401011539F0F00233" + key.hex())
    for index in (0, 1):
        challenge = desk.ok("0084000008")
        desk.ok(b"\x00\x82\x00" + bytes((index, 8)) + tdes(key, challenge))
        if index == 0:
            for fid, right in ((5, "F1"), (6, "F2"), (7, "11"), (8, "EF"), (9, "01"), (10, "F0")):
                desk.ok(f"80E0{fid:04X}07280004{right}{right}FFFF")
            allowed = [fid for fid in range(5, 11) if desk.status(f"00B0{0x80 | fid:02X}0000") == "6281"]
            assert allowed == [5, 7, 9, 10]
    allowed = [fid for fid in range(5, 11) if desk.status(f"00B0{0x80 | fid:02X}0000") == "6281"]
    assert allowed == [5, 6, 9, 10]
    desk.chip.reset()
    allowed = [fid for fid in range(5, 11) if desk.status(f"00B0{0x80 | fid:02X}0000") == "6281"]
    assert allowed == [10]


def test_cards_of_one_make_share_one_description_of_their_files(issued):
    other = Chip.from_image(issued.image())
    assert other.structure is issued.structure


def test_a_damaged_header_is_no_structure():
    chip = Chip.blank()
    cells = bytearray(chip.eeprom.cells)
    cells[4] ^= 1
    with pytest.raises(ValueError, match="header at 0000 is damaged"):
        Structure.parse(cells, 8192)


STEPS = st.lists(
    st.sampled_from(
        [
            ADF,
            ADF.replace("3F01", "3F02").replace("0105", "0106"),
            "00A40000023F01",
            "00A40000023F02",
            "00A40000023F00",
            "80E00000073F005001F0FFFF",
            "80D4010015" + "39F0F00133" + "00" * 16,
            "80D401010D" + "3EF0F00100" + "11" * 8,
            "80D439000D" + "39F0F00133" + "22" * 8,
            "80E000050728000AF0F0FFFF",
            "80E00006072E0304F0F0FFFF",
            "80E00002072F0208F000FF18",
            "800E000000",
        ]
    ),
    max_size=16,
)


@settings(max_examples=150, deadline=None)
@given(steps=STEPS)
def test_a_known_description_is_that_of_reading_every_header_again(steps):
    chip = Chip.blank(FMCOS)
    chip.power_on()
    seen = [chip.structure]  # keeps every description alive, so that each could be mistaken for the next
    for step in steps:
        chip.transmit(bytes.fromhex(step))
        seen.append(chip.structure)
        others = dict(files._KNOWN)
        files._KNOWN.clear()
        read_again = Structure.parse(chip.eeprom.cells, chip.eeprom.capacity)
        files._KNOWN.clear()
        files._KNOWN.update(others)
        assert repr(chip.structure) == repr(read_again)
