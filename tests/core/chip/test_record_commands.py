"""READ, UPDATE and APPEND RECORD: every way to name a record, in every kind of record file."""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, T_UNION, Chip


def opened(desk_of, profile):
    desk = desk_of(Chip.blank(profile))
    desk.chip.power_on()
    desk.ok("80E03F010D380C00F0F095FFFF5041592E31")
    desk.ok("00A40000023F01")
    return desk


@pytest.fixture
def tagged(desk_of):
    """Records AA 1, BB 2, AA 3, AA 4, BB 5 in file 06."""
    desk = opened(desk_of, FMCOS)
    desk.ok("80E00006072C0040F0F0FFFF")
    for record in ("AA0101", "BB0102", "AA0103", "AA0104", "BB0105"):
        desk.ok("00E2003403" + record)
    return desk


def value(desk, apdu):
    answer = desk.send(apdu)
    return answer[2] if answer[-2:] == b"\x90\x00" else answer.hex()


def test_a_tag_finds_the_first_last_next_and_previous_record(tagged):
    commands = [
        "00B2AA3000",
        "00B2AA3200",
        "00B2AA3200",
        "00B2AA3200",
        "00B2AA3300",
        "00B2AA3100",
        "00B2BB3300",
    ]
    assert [value(tagged, command) for command in commands] == [1, 3, 4, "6a83", 3, 4, 2]


def test_before_any_record_next_is_the_first_and_previous_the_last(tagged):
    assert value(tagged, "00B2AA3200") == 1
    tagged.ok("00A40000020006")
    assert value(tagged, "00B2AA3300") == 4


def test_another_file_forgets_which_record_was_last(tagged):
    tagged.ok("80E00007072C0040F0F0FFFF")
    assert value(tagged, "00B2AA3100") == 4
    assert tagged.status("00B2AA3A00") == "6A83"
    assert value(tagged, "00B2AA3200") == 1


def test_an_update_names_its_record_in_the_same_ways(tagged):
    for head, record in (("AA30", "AA0111"), ("AA31", "AA0144"), ("BB30", "BB0122"), ("AA32", "AA0133")):
        tagged.ok(f"00DC{head}03{record}")
    assert [record.hex() for record in tagged.records(6)] == [
        "aa0111",
        "bb0122",
        "aa0133",
        "aa0144",
        "bb0105",
    ]
    assert tagged.status("00DCCC3003CC0100") == "6A83"
    assert tagged.status("00DCAA3003BB0100") == "6A80"


@pytest.mark.parametrize(("p1", "wanted"), [("01", "0102030405"), ("03", "030405"), ("05", "05")])
def test_all_records_from_a_number_come_in_one_answer(tagged, p1, wanted):
    answer = tagged.ok(f"00B2{p1}3500")
    assert answer[2::3].hex() == wanted
    assert tagged.status(f"00B2{p1}3502") == f"6C{len(answer):02X}"


def test_there_is_nothing_from_behind_the_last_record_or_from_number_0(tagged):
    assert [tagged.status(f"00B2{number}3500") for number in ("06", "00")] == ["6A83", "6A83"]


@pytest.mark.parametrize(("profile", "whole"), [(FMCOS, 4), (T_UNION, 5)])
def test_an_answer_carries_whole_records_only(desk_of, profile, whole):
    desk = opened(desk_of, profile)
    desk.ok("80E0001E072E1E30F0F0FFFF")
    for number in range(7):
        desk.ok("00E200F430" + f"{number:02X}" * 48)
    assert len(desk.ok("00B201F500")) == whole * 48


@pytest.mark.parametrize("mode", [0, 2, 3])
def test_a_cyclic_file_grows_by_update_without_a_number(desk_of, mode):
    desk = opened(desk_of, FMCOS)
    desk.ok("80E00018072E0302F0F0FFFF")
    for number in range(1, 6):
        desk.ok(f"00DC00{0x18 << 3 | mode:02X}02{number:04X}")
    assert [record.hex() for record in desk.records(0x18)] == ["0005", "0004", "0003"]
    assert desk.status("00DC01C3020001") == "6A86"
    assert desk.status("00DC00C1020001") == "6A86"
    assert desk.status("00DC00C303000100") == "6700"


@pytest.mark.parametrize("p2", ["36", "37"])
def test_other_ways_to_name_a_record_are_wrong_parameters(tagged, p2):
    assert tagged.status(f"00B201{p2}00") == "6A86"
    assert tagged.status(f"00DC01{p2}03AA0100") == "6A86"


def test_all_records_cannot_be_updated_at_once(tagged):
    assert tagged.status("00DC013503AA0100") == "6A86"


def test_tags_are_for_variable_records_only(desk_of):
    desk = opened(desk_of, FMCOS)
    desk.ok("80E00006072A0303F0F0FFFF")
    desk.ok("00E2003403AA0101")
    assert desk.status("00B2AA3000") == "6981"
    assert desk.status("00B2013600") == "6A86"


def test_the_current_file_needs_no_short_id(tagged):
    tagged.ok("00A40000020006")
    assert value(tagged, "00B2020400") == 2
    tagged.ok("00E2000403CC0106")
    assert len(tagged.records(6)) == 6
    tagged.ok("00A40000023F01")
    assert tagged.status("00B2020400") == "6986"


def test_records_of_jt_t_978_have_two_byte_ids_and_the_directory_one_byte_tags(desk_of):
    desk = desk_of(Chip.blank(T_UNION))
    desk.chip.power_on()
    desk.ok("80E00001072C0040F0F0FFFF")
    entry = "610A4F08A000000632010105"
    desk.ok(f"00E2000C{len(entry) // 2:02X}{entry}")
    assert desk.ok("00B2610800").hex().upper() == entry
    desk.ok("80E03F010D380C00F0F095FFFF5041592E31")
    desk.ok("00A40000023F01")
    desk.ok("80E0001A072C0200F0F0FFFF")
    desk.ok("00E200D480" + "27017D" + "00" * 125)
    desk.ok("00E200D480" + "27027D" + "00" * 125)
    assert desk.status("00E200D403" + "270200") == "9000"
    assert desk.ok("00B202D000")[:3].hex() == "27027d"
    assert desk.ok("00B202D100").hex() == "270200"
    assert desk.status("00E200D403" + "270201") == "6A80"


@pytest.mark.parametrize(("kind", "shape"), [(0x2A, "0303"), (0x2C, "0010")])
def test_an_update_of_the_number_behind_the_last_adds_a_record(desk_of, kind, shape):
    desk = opened(desk_of, FMCOS)
    desk.ok(f"80E0000607{kind:02X}{shape}F0F0FFFF")
    for number in (1, 2, 3):
        assert desk.status(f"00DC{number + 1:02X}3403AA01{number:02X}") == "6A83"
        desk.ok(f"00DC{number:02X}3403AA01{number:02X}")
    assert desk.records(6) == [bytes((0xAA, 1, number)) for number in (1, 2, 3)]
