"""A chip behind a T=0 interface: answers are fetched, contactless ones are direct."""

from __future__ import annotations

import attrs
import pytest

from citycard.chip import FMCOS, Chip

CHIP = attrs.evolve(FMCOS, t0=True)
NAME = "6F15840E315041592E5359532E4444463031A503880101"


@pytest.fixture
def wired(desk_of, dice):
    desk = desk_of(Chip.blank(CHIP, random=dice()))
    desk.chip.power_on()
    desk.ok("80E000050728000AF0F0FFFF")
    desk.ok("00D685000A" + "0102030405060708090A")
    return desk


def test_an_answer_to_data_waits_for_get_response(wired):
    assert wired.send("00A40000023F00").hex() == "6117"
    assert wired.send("00C0000017").hex().upper() == NAME + "9000"
    assert wired.send("00C0000017").hex() == "6985"


def test_le_behind_data_does_not_change_that(wired):
    assert wired.send("00A40000023F0000").hex() == "6117"
    assert wired.send("00C0000000").hex().upper() == NAME + "9000"


def test_an_answer_is_fetched_in_parts(wired):
    wired.send("00A40000023F00")
    assert wired.send("00C0000010").hex().upper() == NAME[:32] + "6107"
    assert wired.send("00C0000008").hex() == "6c07"
    assert wired.send("00C0000007").hex().upper() == NAME[32:] + "9000"


def test_another_command_throws_a_waiting_answer_away(wired):
    wired.send("00A40000023F00")
    assert wired.send("0084000004")[-2:].hex() == "9000"
    assert wired.send("00C0000017").hex() == "6985"


def test_a_wrong_le_tells_the_right_one(wired):
    assert wired.send("00B0850000").hex() == "6c0a"
    assert wired.send("00B0850004").hex() == "010203049000"
    assert wired.send("00B085000A").hex() == "0102030405060708090a9000"
    assert wired.send("00B085000B").hex() == "6c0a"


def test_a_malformed_get_response_leaves_the_answer_waiting(wired):
    wired.send("00A40000023F00")
    assert wired.status("00C0010000") == "6A86"
    assert wired.status("00C00000") == "6700"
    assert wired.ok("00C0000017").hex().upper() == NAME


def test_status_words_alone_are_not_held_back(wired):
    assert wired.send("00D685000101").hex() == "9000"
    assert wired.send("00A4000002AAAA").hex() == "6a82"
    assert wired.send("00B0860000").hex() == "6a82"


def test_a_contactless_chip_answers_directly(desk_of):
    desk = desk_of(Chip.blank(FMCOS))
    desk.chip.power_on()
    assert desk.ok("00A40000023F00").hex().upper() == NAME
    assert desk.status("00C0000000") == "6D00"
