"""Composite purchase: records wait in the cache and are written with the money, or not at all."""

from __future__ import annotations

import attrs
import pytest


def test_records_are_written_with_the_debit(desk, cache):
    sector, journey = cache
    desk.load(1000)
    assert desk.capp(300, [sector(2, 0xAB), journey(0xCD)])[-2:].hex() == "9000"
    assert desk.balance() == 700
    assert [record[3] for record in desk.records(0x1A)] == [0, 0xAB]
    assert desk.records(0x1E) == [b"\xcd" * 48]
    assert desk.records(0x18)[0][9] == 9


def test_an_entry_costs_nothing_and_is_still_a_transaction(desk, cache):
    _, journey = cache
    assert desk.capp(0, [journey(1)])[-2:].hex() == "9000"
    assert (desk.balance(), desk.counters()) == (0, (0, 1))
    assert desk.prove(9, 1) is not None


def test_the_cache_alone_writes_nothing(desk, cache):
    sector, journey = cache
    desk.load(1000)
    desk.init(3, 10)
    desk.ok(sector(1, 1))
    desk.ok(journey(1))
    assert desk.status("805401000F" + "00" * 15 + "08") == "9302"
    assert desk.records(0x1E) == []
    assert [record[3] for record in desk.records(0x1A)] == [0, 0]


def test_the_cache_of_one_purchase_is_not_that_of_the_next(desk, cache):
    _, journey = cache
    desk.init(3, 0)
    desk.ok(journey(1))
    assert desk.capp(0, [])[-2:].hex() == "9000"
    assert desk.records(0x1E) == []


def test_a_record_is_found_by_its_number_or_by_its_id(desk):
    record = bytes.fromhex("27027D") + b"\x07" * 125
    assert desk.capp(0, [bytes.fromhex("80DC02D080") + record])[-2:].hex() == "9000"
    assert desk.records(0x1A)[1] == record


def test_the_newest_journey_comes_first_and_thirty_are_kept(desk, cache):
    _, journey = cache
    for filling in range(32):
        assert desk.capp(0, [journey(filling)])[-2:].hex() == "9000"
    assert [record[0] for record in desk.records(0x1E)] == list(range(31, 1, -1))


@pytest.mark.parametrize(
    ("update", "status"),
    [
        ("80DC00C017" + "00" * 23, "6985"),  # the log belongs to the chip
        ("80DC00A81E" + "00" * 30, "6981"),  # EF 15 has no records
        ("80DC0098" + "3000" * 1, "6700"),
        ("80DC000830" + "00" * 48, "6A82"),
        ("80DC07D480" + "27077D" + "00" * 125, "6A83"),
        ("80DC07D080" + "27077D" + "00" * 125, "6A83"),
        ("80DC02D480" + "27017D" + "00" * 125, "6A80"),  # another record's id
        ("80DC02D47F" + "27027C" + "00" * 124, "6700"),
        ("80DC00F02F" + "00" * 47, "6700"),
        ("80DC01F030" + "00" * 48, "6A86"),
        ("80DC02D280" + "27027D" + "00" * 125, "6A86"),
    ],
)
def test_what_cannot_be_written_is_refused_before_the_debit(desk, update, status):
    desk.init(3, 0)
    assert desk.status(update) == status


def test_a_refused_record_does_not_end_the_purchase(desk, cache):
    _, journey = cache
    answer = desk.init(3, 0)
    desk.send("80DC000830" + "00" * 48)
    desk.ok(journey(5))
    assert desk.debit(answer, 0, 9)[-2:].hex() == "9000"
    assert len(desk.records(0x1E)) == 1


def test_a_cyclic_file_takes_one_record_and_the_cache_has_an_end(desk, cache):
    sector, journey = cache
    desk.init(3, 0)
    desk.ok(journey(1))
    assert desk.status(journey(2)) == "6985"
    for _ in range(3):
        desk.ok(sector(1, 1))
    assert desk.status(sector(1, 1)) == "6A84"


def test_the_last_of_two_writes_to_one_record_stays(desk, cache):
    sector, _ = cache
    desk.capp(0, [sector(1, 1), sector(1, 2)])
    assert desk.records(0x1A)[0][3] == 2


def test_a_protected_record_comes_with_a_mac_where_the_profile_says_so(desk, cache, issuing):
    sector, journey = cache
    desk.chip.profile = attrs.evolve(desk.chip.profile, protected_cache=True)
    answer = desk.init(3, 0)
    assert desk.status(sector(1, 1)) == "6900"
    record = sector(1, 9)[5:]
    key = issuing["keys"].maintenance
    assert desk.protected("84DC01D4", record, bytes(16)).hex() == "6988"
    assert desk.protected("84DC01D4", record, key).hex() == "9000"
    desk.ok(journey(1))
    assert desk.debit(answer, 0, 9)[-2:].hex() == "9000"
    assert desk.records(0x1A)[0][3] == 9
