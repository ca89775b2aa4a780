"""Security states: every access byte against every status, and what sets and resets a status."""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, Chip
from citycard.keys.cipher import tdes

KEY = bytes.fromhex("21212121212121212121212121212121")
STATES = range(16)


@pytest.fixture
def stepped(desk_of, dice):
    """An application with sixteen authentication keys: key n gives status n. So has the master file."""
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.chip.power_on()
    keys(desk, "01")
    become(desk, 15)
    desk.ok("80E03F010D381000F0F095FFFF5041592E31")
    desk.ok("80E03F020D380400F0F095FFFF5041592E32")
    desk.ok("00A40000023F01")
    keys(desk, "95")
    desk.chip.reset()
    desk.ok("00A40000023F01")
    return desk


def keys(desk, answer):
    desk.ok(f"80E00000073F0190{answer}F0FFFF")
    for status in STATES:
        desk.ok(f"80D401{status:02X}15" + f"39F0F0A{status:X}33" + KEY.hex())


def become(desk, status):
    challenge = desk.ok("0084000004")
    desk.ok(b"\x00\x82\x00" + bytes((status, 8)) + tdes(KEY, challenge.ljust(8, b"\0")))


@pytest.mark.parametrize("high", STATES)
def test_every_access_byte_means_what_the_manual_says(stepped, high):
    for low in STATES:
        stepped.ok(f"80E0{0x100 + low:04X}07280001{high << 4 | low:02X}F0FFFF")
    for status in STATES:
        become(stepped, status)
        allowed = set()
        for low in STATES:
            stepped.ok(f"00A400000201{low:02X}")
            answer = stepped.status("00B0000001")
            assert answer in {"6281", "6982"}
            if answer == "6281":
                allowed.add(low)
        if high == 0:  # the status of the master file, which is 0 here
            assert allowed == {0}
        elif high == 15:
            assert allowed == set(range(status + 1)) | {0}
        else:
            assert allowed == {low for low in STATES if low <= status <= high}


def test_a_byte_0y_asks_for_the_status_of_the_master_file(stepped):
    stepped.ok("80E000050728000103F0FFFF")
    become(stepped, 15)
    assert stepped.status("00B0850001") == "6982"
    stepped.ok("00A40000023F00")
    become(stepped, 3)
    stepped.ok("00A40000023F01")
    assert stepped.status("00B0850001") == "6281"
    stepped.ok("00A40000023F00")
    become(stepped, 2)
    stepped.ok("00A40000023F01")
    assert stepped.status("00B0850001") == "6982"


def test_each_application_has_a_status_of_its_own_that_leaving_takes_away(stepped):
    stepped.ok("80E000050728000111F0FFFF")
    become(stepped, 1)
    assert stepped.status("00B0850001") == "6281"
    stepped.ok("00A40000023F02")
    stepped.ok("00A40000023F01")
    assert stepped.status("00B0850001") == "6982"


def test_selecting_an_application_again_takes_its_status_away_and_selecting_a_file_does_not(stepped):
    stepped.ok("80E000050728000111F0FFFF")
    become(stepped, 1)
    stepped.ok("00A40000020005")
    assert stepped.status("00B0000001") == "6281"
    stepped.ok("00A40400055041592E31")
    assert stepped.status("00B0850001") == "6982"


def test_a_lower_status_replaces_a_higher_one(stepped):
    stepped.ok("80E0000507280001F5F0FFFF")
    become(stepped, 9)
    assert stepped.status("00B0850001") == "6281"
    become(stepped, 4)
    assert stepped.status("00B0850001") == "6982"


def test_no_power_no_status(stepped):
    stepped.ok("80E000050728000111F0FFFF")
    become(stepped, 1)
    stepped.chip.reset()
    stepped.ok("00A40000023F01")
    assert stepped.status("00B0850001") == "6982"


def test_a_wrong_authentication_leaves_the_status_as_it_was(stepped):
    stepped.ok("80E000050728000111F0FFFF")
    become(stepped, 1)
    stepped.ok("0084000008")
    assert stepped.status("0082000108" + "00" * 8) == "63C2"
    assert stepped.status("00B0850001") == "6281"
