"""Checksums against values that others computed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.mifare.crc import block_crc8, is_sealed, is_sealed_x25, mad_crc8, seal, seal_x25, x25


@pytest.mark.parametrize(
    ("data", "crc"),
    [
        ("01 0108 0108 0108 0000 0000 0000 0400 0310 0310 0210 0210 0000 0000 0000 1130", 0x89),
        ("01 03E1 03E1 03E1 03E1 03E1" + "00" * 20, 0xC4),
        ("01 03E1 03E1 03E1 03E1 03E1 03E1" + "00" * 18, 0xAB),
    ],
)
def test_the_directory_crc_is_that_of_an10787(data, crc):
    assert mad_crc8(bytes.fromhex(data)) == crc


def test_the_block_crc_is_complemented_after_every_byte():
    assert block_crc8(b"123456789") == 0x97
    assert block_crc8(bytes(15)) == 0xE4


@given(st.binary(min_size=15, max_size=15))
def test_a_sealed_block_gives_ff_over_all_its_bytes(body):
    assert block_crc8(seal(body)) == 0xFF
    assert is_sealed(seal(body))


@given(st.binary(min_size=15, max_size=15), st.integers(0, 15), st.integers(1, 255))
def test_one_wrong_byte_breaks_the_seal(body, at, difference):
    block = bytearray(seal(body))
    block[at] ^= difference
    assert not is_sealed(bytes(block))


def test_x25_is_the_catalogues():
    assert x25(b"123456789") == 0x906E


def test_a_metro_block_carries_x25_little_endian_over_prefix_and_body():
    assert seal_x25(b"56789ABCDEFGHI", b"1234")[14:] == x25(b"123456789ABCDEFGHI").to_bytes(2, "little")
    assert is_sealed_x25(seal_x25(bytes(14), b"city"), b"city")
    assert not is_sealed_x25(seal_x25(bytes(14), b"city"), b"town")
