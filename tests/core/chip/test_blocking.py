"""Applications and cards that their issuer blocks: what still answers, and what opens them."""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, Chip, PowerLoss
from citycard.keys.line import line_mac

KEY = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
DICE = ("01020304",) * 4
# MACs of these commands under KEY with challenge 01020304, computed with another program.
BLOCK, BLOCK_FOR_GOOD = "841E00000459C9FF76", "841E000104BE25EF8B"
UNBLOCK, BLOCK_CARD = "841800000489A8090B", "8416000004276CA7C5"
SELECT = "00A4040008A000000632010105"
BLOCKED = ["6A81", "6A81", "6A81", "6A81", "6A81"]
COMMANDS = ("00B0850001", "00D685000101", "800E000000", "00200000021234", "80D4010015" + "00" * 21)


@pytest.fixture
def issued_once(desk_of, dice):
    """Two applications; the first has a line key and a file."""
    desk = desk_of(Chip.blank(FMCOS, random=dice(*DICE)))
    desk.chip.power_on()
    desk.ok("80E03F0110380400F0F095FFFFA000000632010105")
    desk.ok("80E03F020D380100F0F095FFFF4F54484552")
    desk.ok(SELECT)
    desk.ok("80E00000073F018F95F0FFFF")
    desk.ok("80D4010015" + "36F0F0FF33" + KEY.hex())
    desk.ok("80E000050728000AF0F0FFFF")
    desk.ok("00D685000142")
    return desk


def order(desk, apdu):
    assert desk.ok("0084000004").hex() == "01020304"
    return desk.status(apdu)


def test_a_blocked_application_answers_select_with_a_warning_and_nothing_else(issued_once):
    assert order(issued_once, BLOCK) == "9000"
    assert [issued_once.status(command) for command in COMMANDS] == BLOCKED
    answer = issued_once.send(SELECT)
    assert (answer[0], answer[-2:].hex()) == (0x6F, "6283")
    issued_once.chip.reset()
    assert issued_once.status(SELECT) == "6283"
    assert [issued_once.status(command) for command in COMMANDS] == BLOCKED


def test_other_applications_are_not_blocked_with_it(issued_once):
    assert order(issued_once, BLOCK) == "9000"
    issued_once.ok("00A4040005" + b"OTHER".hex())
    issued_once.ok("80E000050728000AF0F0FFFF")


def test_unblocking_gives_everything_back(issued_once):
    assert order(issued_once, BLOCK) == "9000"
    issued_once.chip.reset()
    issued_once.status(SELECT)
    assert order(issued_once, UNBLOCK) == "9000"
    assert issued_once.ok("00B0850001").hex() == "42"
    assert issued_once.status(SELECT) == "9000"


def test_three_wrong_macs_at_unblocking_lock_it_for_good(issued_once):
    assert order(issued_once, BLOCK) == "9000"
    answers = []
    for _ in "123":
        issued_once.ok("0084000004")
        answers.append(issued_once.status("841800000400000000"))
    assert answers == ["6988", "6988", "9303"]
    assert issued_once.status("00B0850001") == "9303"
    assert issued_once.status("0084000004") == "9303"


def test_a_block_for_good_has_no_way_back(issued_once):
    assert order(issued_once, BLOCK_FOR_GOOD) == "9000"
    assert issued_once.status("00B0850001") == "9303"
    issued_once.chip.reset()
    issued_once.status(SELECT)
    assert issued_once.status("0084000004") == "9303"
    assert issued_once.status(UNBLOCK) == "9303"


def test_an_application_blocked_for_a_time_can_be_blocked_for_good(issued_once):
    assert order(issued_once, BLOCK) == "9000"
    assert order(issued_once, BLOCK_FOR_GOOD) == "9000"
    assert issued_once.status("00B0850001") == "9303"


def test_a_blocked_card_answers_one_thing(issued_once):
    assert order(issued_once, BLOCK_CARD) == "9000"
    issued_once.chip.reset()
    for apdu in (SELECT, "00A40000023F00", "0084000004", UNBLOCK, "00FF0000", "FF", "00B0850001"):
        assert issued_once.status(apdu) == "6A81"
    again = Chip.from_image(issued_once.chip.image(), FMCOS)
    again.power_on()
    assert again.transmit(bytes.fromhex(SELECT)).hex() == "6a81"


@pytest.mark.parametrize(
    ("apdu", "wanted"),
    [
        ("841E000204AABBCCDD", "6A86"),
        ("841E010004AABBCCDD", "6A86"),
        ("8418000104AABBCCDD", "6A86"),
        ("8416010004AABBCCDD", "6A86"),
        ("841E000005AABBCCDDEE", "6700"),
        ("841E000004AABBCCDD00", "6700"),
        ("841E000003AABBCC", "6987"),
        ("841E0000", "6987"),
        ("841E000004AABBCCDD", "6984"),
        ("801E000004AABBCCDD", "6D00"),
    ],
)
def test_a_malformed_block_is_refused(issued_once, apdu, wanted):
    before = issued_once.chip.image()
    assert issued_once.status(apdu) == wanted
    assert issued_once.chip.image() == before


def test_without_a_line_key_nothing_can_be_blocked(issued_once):
    issued_once.ok("00A4040005" + b"OTHER".hex())
    assert order(issued_once, BLOCK) == "6A88"


@pytest.mark.parametrize("apdu", [BLOCK, BLOCK_FOR_GOOD, UNBLOCK, BLOCK_CARD])
@pytest.mark.parametrize("torn", [False, True])
def test_a_cut_block_is_done_or_not_and_can_be_done_again(issued_once, apdu, torn):
    if apdu == UNBLOCK:
        assert order(issued_once, BLOCK) == "9000"
    body = bytes.fromhex(apdu)[:5]
    whole = issued_once.chip.clone()
    cuts = 0
    while True:
        chip = whole.clone()
        chip.power_on()
        chip.transmit(bytes.fromhex(SELECT))
        challenge = chip.transmit(b"\x00\x84\x00\x00\x04")[:-2]
        command = body + line_mac(KEY, body, challenge)
        chip.eeprom.cut_after(cuts, torn=torn)
        try:
            answer = chip.transmit(command)
        except PowerLoss:
            cuts += 1
        else:
            assert answer.hex() == "9000"
            break
        chip.power_on()
        now = chip.transmit(bytes.fromhex(SELECT))[-2:].hex()
        allowed = {BLOCK: {"9000", "6283"}, UNBLOCK: {"9000", "6283"}, BLOCK_CARD: {"9000", "6a81"}}
        assert now in allowed.get(apdu, {"9000"})
        challenge = chip.transmit(b"\x00\x84\x00\x00\x04")[:-2]
        again = chip.transmit(body + line_mac(KEY, body, challenge)).hex() if len(challenge) == 4 else "done"
        assert again in {"9000", "done"}
    assert cuts > 8
