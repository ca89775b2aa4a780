"""Value blocks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import ValueBlockInvalid
from citycard.mifare.value import LARGEST, SMALLEST, ValueBlock, is_value_block, read_value

VALUES = st.integers(SMALLEST, LARGEST)


@pytest.mark.parametrize(
    ("value", "address", "written"),
    [
        (1234567, 0x11, "87D612007829EDFF87D6120011EE11EE"),
        (-1, 5, "FFFFFFFF00000000FFFFFFFF05FA05FA"),
        (1, 1, "01000000FEFFFFFF0100000001FE01FE"),
    ],
)
def test_a_value_lies_three_times_in_its_block(value, address, written):
    block = ValueBlock(value=value, address=address)
    assert block.encode().hex().upper() == written
    assert ValueBlock.decode(bytes.fromhex(written)) == block


@given(VALUES, st.integers(0, 255))
def test_every_value_comes_back(value, address):
    block = ValueBlock(value=value, address=address)
    assert ValueBlock.decode(block.encode()) == block


@given(VALUES, st.integers(0, 127))
def test_no_single_wrong_bit_makes_another_value(value, bit):
    wrong = bytearray(ValueBlock(value=value).encode())
    wrong[bit // 8] ^= 1 << bit % 8
    assert read_value(bytes(wrong)) is None


def test_bytes_of_another_length_are_no_value():
    assert not is_value_block(bytes(15))
    with pytest.raises(ValueBlockInvalid):
        ValueBlock.decode(b"")
