"""The application directory of NXP."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import DirectoryInvalid
from citycard.mifare.mad import Mad

EXAMPLE = "8901 0108 0108 0108 0000 0000 0000 0400 0310 0310 0210 0210 0000 0000 0000 1130"
AIDS = {1: 0x0801, 2: 0x0801, 3: 0x0801, 7: 0x0004, 8: 0x1003, 9: 0x1003, 10: 0x1002, 11: 0x1002, 15: 0x3011}


def test_the_example_of_an10787_holds_both_ways():
    mad = Mad(aids=AIDS, publisher=1)
    assert mad.encode() == (bytes.fromhex(EXAMPLE), b"")
    assert Mad.decode(bytes.fromhex(EXAMPLE)) == mad


def test_the_general_byte_says_which_version():
    assert (Mad().general_byte, Mad(version=2).general_byte) == (0xC1, 0xC2)


@given(
    st.dictionaries(st.sampled_from([*range(1, 16), *range(17, 40)]), st.integers(1, 0xFFFF)),
    st.sampled_from([0, 1, 15, 17, 39]),
)
def test_every_directory_of_a_large_card_comes_back(aids, publisher):
    mad = Mad(aids=aids, publisher=publisher, version=2)
    first, second = mad.encode()
    assert (len(first), len(second)) == (32, 48)
    assert Mad.decode(first, second) == mad


def test_a_wrong_byte_is_noticed():
    wrong = bytearray.fromhex(EXAMPLE)
    wrong[9] ^= 1
    with pytest.raises(DirectoryInvalid, match="CRC 89"):
        Mad.decode(bytes(wrong))


@pytest.mark.parametrize("wrong", [{"aids": {16: 1}}, {"aids": {17: 1}}, {"publisher": 16}, {"version": 3}])
def test_what_has_no_place_is_refused(wrong):
    with pytest.raises(DirectoryInvalid):
        Mad(**wrong)
