"""Keys of sector cards from the vault."""

from __future__ import annotations

import datetime as dt

from citycard.keys.diversify import diversify
from citycard.keys.hierarchy import CORE_PURPOSES, KeyHierarchy
from citycard.keys.purse import purchase_tac
from citycard.mifare.access import KeyKind
from citycard.mifare.sector_keys import SECTOR_PURPOSES

HIERARCHY = KeyHierarchy(bytes(range(16)), [*CORE_PURPOSES, *SECTOR_PURPOSES])


def test_a_sector_key_is_diversified_by_uid_and_sector(keys):
    purpose = HIERARCHY.purpose_key("sector-b", 1)
    wanted = diversify(purpose, bytes.fromhex("000000 01020304 09"))[:6]
    assert keys(bytes.fromhex("01020304"), 9, KeyKind.B) == wanted
    seven = diversify(purpose, bytes.fromhex("04112233445566 09"))[:6]
    assert keys(bytes.fromhex("04112233445566"), 9, KeyKind.B) == seven


def test_every_key_is_another_one_and_the_directory_is_public(keys):
    uid = bytes.fromhex("01020304")
    made = {keys(uid, sector, kind) for sector in range(16) for kind in KeyKind}
    assert len(made) == 32
    assert keys(uid, 0, KeyKind.A).hex().upper() == "A0A1A2A3A4A5"


def test_the_tac_is_a_purchases_with_the_count_as_serial_and_no_time(keys):
    number = bytes.fromhex("4100000100012345")
    key = HIERARCHY.card_key("sector-tac", 1, number)
    moment = bytes.fromhex("20180901000000")
    wanted = purchase_tac(key, 380, 3, bytes.fromhex("300089000340"), 8, moment)
    assert keys.tac(number, 380, 3, bytes.fromhex("300089000340"), 8, dt.date(2018, 9, 1)) == wanted


def test_keys_never_show(keys):
    assert repr(keys) == "<SectorKeys in version 1>"
