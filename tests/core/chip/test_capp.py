"""Composite purchase: records wait in the cache and are written with the money, or not at all."""

from __future__ import annotations

import attrs
import pytest
from pursedesk import EP, LINE, OK, mac

from citycard.chip import PowerLoss


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


# ── a PBOC card: one-byte tags, line protection where the file asks for it ──────────────────────────


def line(desk, head, data):
    """Send a command with its MAC under the line key of the card, as the desk's own DES makes it."""
    challenge = desk.ok("0084000004")
    command = bytes.fromhex(head) + bytes((len(data) + 4,)) + data
    return desk.send(command + mac(LINE, command, challenge + bytes(4)))


@pytest.mark.parametrize(
    ("update", "number", "expected"),
    [
        ("80DC12C8061204AABBCCDD", 2, "1204AABBCCDD"),  # the first record with tag 12
        ("80DC01CC061104AABBCCDD", 1, "1104AABBCCDD"),  # record 1
        ("80DC02CC061204AABBCCDD", 2, "1204AABBCCDD"),
    ],
)
def test_a_pboc_card_finds_a_record_by_tag_or_by_number(purses, update, number, expected):
    assert purses.pay(3, EP, 0, 9, update)[-2:] == OK
    assert purses.ok(f"00B20{number}CC00").hex().upper() == expected


def test_a_pboc_card_appends_to_its_cyclic_file_with_the_money(purses):
    assert purses.pay(3, EP, 30, 9, "80DC00F0080102030405060708")[-2:] == OK
    assert purses.pay(3, EP, 0, 9, "80DC00F0081112131415161718")[-2:] == OK
    assert [purses.ok(f"00B20{number}F400").hex() for number in (1, 2)] == [
        "1112131415161718",
        "0102030405060708",
    ]
    assert (purses.balance(EP), purses.log()[1][2:4]) == (4_970, (30, 9))


def test_a_protected_file_takes_only_what_came_with_a_mac(purses):
    assert line(purses, "04E200D4", bytes.fromhex("21021122"))[-2:] == OK
    answer = purses.init(3, EP, 5)
    assert purses.status("80DC01D40421023344") == "6900"
    assert purses.status("84DC01D40421023344") == "6984"
    assert line(purses, "84DC01D4", bytes.fromhex("21023344"))[-2:] == OK
    assert purses.debit(answer, 5, 9)[-2:] == OK
    assert purses.ok("00B201D400").hex() == "21023344"
    assert purses.status("84DC01CC061104AABBCCDD") == "6901"


def test_a_plain_file_takes_nothing_with_a_mac(purses):
    purses.init(3, EP, 5)
    assert line(purses, "84DC01CC", bytes.fromhex("1104AABBCCDD")).hex() == "6900"


def test_records_and_money_are_torn_together(purses):
    def act(desk):
        return desk.pay(3, EP, 30, 9, "80DC12C8061204AABBCCDD", "80DC00F0080102030405060708")

    whole = purses.clone()
    before = whole.chip.eeprom.writes
    act(whole)
    old, new, seen = purses.state(), whole.state(), set()
    for cut in range(whole.chip.eeprom.writes - before):
        card = purses.clone()
        card.chip.eeprom.cut_after(cut, torn=True)
        with pytest.raises(PowerLoss):
            act(card)
        state = card.select().state()
        assert state in (old, new)
        seen.add(card.prove(9, 1) is not None)
        assert (state == new) == (card.prove(9, 1) is not None)
    assert seen == {True, False}
