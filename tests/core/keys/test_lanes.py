"""Bit-slicing turns records into rows of bits and back."""

import numpy as np
import pytest

from citycard.keys.lanes import block_words, from_lanes, to_lanes


def drawn(count):
    return np.random.default_rng(count).integers(0, 1 << 64, count, dtype=np.uint64)


@pytest.mark.parametrize("count", [0, 1, 63, 64, 65, 128, 1000])
def test_words_come_back_as_they_went(count):
    words = drawn(count)
    assert words.tolist() == from_lanes(to_lanes(words), count).tolist()


@pytest.mark.parametrize("count", [1, 64, 200])
def test_row_i_holds_bit_i_of_every_word(count):
    words = drawn(count)
    rows = to_lanes(words)
    for bit in (0, 1, 31, 32, 63):
        alone = np.where(words >> np.uint64(63 - bit) & np.uint64(1), np.uint64(1 << 63), np.uint64(0))
        only = np.zeros_like(rows)
        only[0] = rows[bit]
        assert alone.tolist() == from_lanes(only, count).tolist()


def test_the_first_byte_of_a_block_is_the_highest_of_its_word():
    blocks = np.array([[1, 2, 3, 4, 5, 6, 7, 8, 9]], dtype=np.uint8)
    assert block_words(blocks[:, :8]).tolist() == [0x0102030405060708]
    assert block_words(blocks[:, 1:]).tolist() == [0x0203040506070809]
