"""GET CHALLENGE, EXTERNAL and INTERNAL AUTHENTICATE in all their forms."""

from __future__ import annotations

import pytest

from citycard.chip import FMCOS, FMCOS_SM4, Chip
from citycard.keys.cipher import sm4, tdes

DOUBLE = bytes.fromhex("00112233445566778899AABBCCDDEEFF")


@pytest.fixture(params=[DOUBLE, DOUBLE[:8]], ids=["16-byte keys", "8-byte keys"])
def keyed(request, desk_of, dice):
    """Authentication key 00, use rights and tries as usual; enciphering, deciphering and MAC keys."""
    desk = desk_of(Chip.blank(FMCOS, random=dice()))
    desk.key = request.param
    desk.chip.power_on()
    desk.ok("80E00000073F018F01F0FFFF")
    for entry in ("39F0F00133", "30F0F00100", "31F0F00100", "32F0F00100"):
        data = bytes.fromhex(entry) + desk.key
        desk.ok(b"\x80\xd4\x01\x00" + bytes((len(data),)) + data)
    return desk


@pytest.mark.parametrize("size", [4, 8])
def test_a_short_challenge_is_filled_up_with_zeros(keyed, size):
    challenge = keyed.ok(f"00840000{size:02X}")
    assert len(challenge) == size
    keyed.ok(b"\x00\x82\x00\x00\x08" + tdes(keyed.key, challenge.ljust(8, b"\0")))


@pytest.mark.parametrize("apdu", ["00840000", "0084000000", "0084000005", "0084000010", "008400000400"])
def test_challenges_have_four_or_eight_bytes(keyed, apdu):
    assert keyed.status(apdu) == "6700"


def test_a_challenge_serves_one_command_and_a_new_one_replaces_it(keyed):
    first = keyed.ok("0084000008")
    second = keyed.ok("0084000008")
    assert first != second
    assert keyed.status(b"\x00\x82\x00\x00\x08" + tdes(keyed.key, first)) == "63C2"
    keyed.ok("0084000008")
    keyed.ok("00A40000023F00")
    assert keyed.status("0082000008" + "00" * 8) == "6984"


def test_internal_authentication_enciphers_deciphers_and_signs(keyed):
    data = bytes(range(24))
    sent = keyed.ok(b"\x00\x88\x00\x00\x18" + data)
    assert sent == tdes(keyed.key, data)
    assert keyed.ok(b"\x00\x88\x01\x00\x18" + sent) == data
    assert len(keyed.ok(b"\x00\x88\x02\x00\x05" + data[:5])) == 4


@pytest.mark.parametrize(
    ("apdu", "wanted"),
    [
        ("0088000007" + "00" * 7, "6700"),
        ("0088010009" + "00" * 9, "6700"),
        ("00880200", "6700"),
        ("0088030008" + "00" * 8, "6A86"),
        ("0088000108" + "00" * 8, "6A88"),
        ("0088000008" + "00" * 8 + "07", "6C08"),
        ("0082000007" + "00" * 7, "6700"),
        ("0082000108" + "00" * 8, "6A88"),
        ("0082000008" + "00" * 8, "6984"),
    ],
)
def test_malformed_authentications_are_refused(keyed, apdu, wanted):
    before = keyed.chip.image()
    assert keyed.status(apdu) == wanted
    assert keyed.chip.image() == before


def test_a_key_is_used_only_with_its_use_right(keyed):
    data = bytes.fromhex("3011F00100") + keyed.key
    keyed.ok(b"\x80\xd4\x01\x07" + bytes((len(data),)) + data)
    assert keyed.status("0088000708" + "00" * 8) == "6982"
    challenge = keyed.ok("0084000008")
    keyed.ok(b"\x00\x82\x00\x00\x08" + tdes(keyed.key, challenge))
    assert keyed.status("0088000708" + "00" * 8) == "9000"


@pytest.mark.parametrize(("counter", "tries"), [("11", 1), ("33", 3), ("FF", 15), ("52", 2)])
def test_a_key_has_the_tries_of_its_header(keyed, counter, tries):
    data = bytes.fromhex(f"39F0F001{counter}") + keyed.key
    keyed.ok(b"\x80\xd4\x01\x09" + bytes((len(data),)) + data)
    answers = []
    for _ in range(tries + 1):
        keyed.ok("0084000008")
        answers.append(keyed.status("0082000908" + "00" * 8))
    assert answers == [*(f"63C{left:X}" for left in range(tries - 1, -1, -1)), "6983"]


def test_an_experimental_card_authenticates_with_sm4(desk_of, dice):
    desk = desk_of(Chip.blank(FMCOS_SM4, transport=True, random=dice()))
    desk.chip.power_on()
    challenge = desk.ok("0084000008")
    desk.ok(b"\x00\x82\x00\x00\x10" + sm4(b"\xff" * 16, challenge.ljust(16, b"\0")))
    desk.ok("800E000000")
    desk.ok("80E00000073F018F01F0FFFF")
    assert desk.status("80D401000D" + "39F0F00133" + "11" * 8) == "6700"
