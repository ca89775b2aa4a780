"""Access bits, literal and as a whole."""

from __future__ import annotations

from itertools import product

import pytest

from citycard.errors import AccessBitsInvalid
from citycard.mifare.access import MAD_SECTOR, PURSE_SECTOR, TRANSPORT, AccessBits, KeyKind, Right


@pytest.mark.parametrize(
    ("bits", "written"), [(TRANSPORT, "FF0780"), (MAD_SECTOR, "787788"), (PURSE_SECTOR, "08778F")]
)
def test_the_well_known_sectors_have_their_well_known_bytes(bits, written):
    assert bits.encode().hex().upper() == written
    assert AccessBits.decode(bytes.fromhex(written)) == bits


def test_all_conditions_come_back():
    for conditions in product(range(8), repeat=4):
        assert AccessBits.decode(AccessBits(conditions).encode()) == AccessBits(conditions)


def test_every_single_wrong_bit_is_noticed():
    for bit in range(24):
        wrong = (int.from_bytes(PURSE_SECTOR.encode(), "big") ^ 1 << bit).to_bytes(3, "big")
        with pytest.raises(AccessBitsInvalid):
            AccessBits.decode(wrong)


def letters(right):
    names = {Right.READ: "r", Right.WRITE: "w", Right.INCREMENT: "i", Right.DECREMENT: "d"}
    return "".join(letter for one, letter in names.items() if one in right)


@pytest.mark.parametrize(
    ("condition", "key_a", "key_b"),
    [
        (0b000, "rwid", "rwid"),
        (0b010, "r", "r"),
        (0b100, "r", "rw"),
        (0b110, "rd", "rwid"),
        (0b001, "rd", "rd"),
        (0b011, "", "rw"),
        (0b101, "", "r"),
        (0b111, "", ""),
    ],
)
def test_a_data_block_grants_what_the_chips_table_says(condition, key_a, key_b):
    bits = AccessBits((condition, 0, 0, 0b011))
    assert [letters(bits.rights(0, key)) for key in KeyKind] == [key_a, key_b]


def test_a_key_b_that_can_be_read_may_do_nothing():
    for condition in (0b000, 0b001, 0b010):
        bits = AccessBits((0, 0, 0, condition))
        assert bits.key_b_is_readable
        assert bits.rights(0, KeyKind.B) == Right.NONE
