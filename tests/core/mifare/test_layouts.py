"""The records of a sector card in whole blocks."""

from __future__ import annotations

import datetime as dt

import pytest

from citycard.card.codec import decode, encode, evolve, layout_of, layouts
from citycard.mifare.crc import seal
from citycard.mifare.layouts import History, PurseInfo, line_before, read_info, sealed


def test_information_carries_its_checksum_in_byte_15():
    record = PurseInfo(flag=0x11, kind=3, public_count=1, on=dt.date(2018, 9, 1))
    block = sealed(record)
    assert block.hex().upper() == "11030000010000201809010000000012"[:30] + f"{block[15]:02X}"
    assert read_info(block) == record


def test_empty_information_ends_with_e4():
    assert sealed(PurseInfo()).hex().upper() == "00" * 15 + "E4"


def test_a_torn_block_is_no_information():
    assert read_info(bytes(16)) is None
    assert read_info(sealed(PurseInfo())[:-1]) is None


@pytest.mark.parametrize("cls", [one for one in layouts() if one.__module__ == PurseInfo.__module__])
def test_the_example_bytes_hold_both_ways(cls):
    assert layout_of(cls).examples
    for data, record in layout_of(cls).examples:
        assert encode(record) == data
        assert decode(cls, data) == record


def test_a_line_is_found_by_the_balance_it_found():
    line = History(
        kind=3, operator="3000", terminal="89000340", on="180901", balance_before_fen=500, amount_fen=1
    )
    assert line.day == dt.date(2018, 9, 1)
    assert evolve(line, on="181301").day is None
    blocks = [bytes(16), sealed(evolve(line, balance_before_fen=400)), sealed(line)]
    assert line_before(blocks, 500) == line
    assert line_before(blocks, 300) is None


def test_a_good_checksum_over_no_day_is_no_information():
    body = bytes.fromhex("110300000100002018130100000000")
    assert read_info(seal(body)) is None
