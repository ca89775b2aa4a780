"""The purse commands: order of checks, order of commands, and what the card tells afterwards."""

from __future__ import annotations

import attrs
import pytest

from citycard.chip import T_UNION

INIT_PURCHASE = "805001020B{key:02X}{amount:08X}001122334455"


def test_a_load_and_a_purchase_change_balance_counters_and_log(desk):
    desk.load(10_000)
    desk.purchase(250)
    assert desk.balance() == 9_750
    assert desk.counters() == (1, 1)
    log = [record.hex().upper() for record in desk.records(0x18)]
    assert log == [
        "0001000000000000FA0600112233445520241229141740",
        "0001000000000027100200112233445520241229141740",
    ]


def test_the_log_keeps_the_newest_ten(desk):
    desk.load(10_000)
    for amount in range(1, 13):
        desk.purchase(amount)
    log = desk.records(0x18)
    assert [int.from_bytes(record[5:9], "big") for record in log] == list(range(12, 2, -1))


def test_the_key_index_is_checked_before_the_funds(desk):
    assert desk.status(INIT_PURCHASE.format(key=9, amount=1)) == "9403"
    assert desk.status(INIT_PURCHASE.format(key=1, amount=1)) == "9401"
    assert desk.status(INIT_PURCHASE.format(key=1, amount=0)) == "9000"


def test_exactly_the_whole_balance_can_be_spent(desk):
    desk.load(100)
    assert desk.status(INIT_PURCHASE.format(key=1, amount=101)) == "9401"
    assert desk.purchase(100)[-2:].hex() == "9000"
    assert desk.balance() == 0


@pytest.mark.parametrize(
    ("apdu", "status"),
    [
        ("805001010B" + "00" * 11, "6A82"),  # the passbook, which this card does not have
        ("805001030B" + "00" * 11, "6A86"),
        ("805007020B" + "00" * 11, "6A86"),
        ("805001020A" + "00" * 10, "6700"),
        ("805001020B" + "01" + "00" * 10 + "10", "6C0F"),
        ("805000020B" + "01" + "00" * 10 + "0F", "6C10"),
        ("805C040204", "6A86"),
        ("805C000205", "6C04"),
        ("805C0002", "9000"),
        ("805A00060200010" + "8", "9406"),
        ("805A0006010108", "6700"),
        ("8099000000", "6D00"),
        ("9050010200", "6E00"),
        ("80", "6700"),
        ("", "6700"),
        ("805001020BFF", "6700"),
    ],
)
def test_wrong_commands_get_the_status_word_of_their_mistake(desk, apdu, status):
    assert desk.status(apdu) == status


def test_a_second_command_without_a_first_is_an_invalid_state(desk):
    assert desk.status("805401000F" + "00" * 15 + "08") == "6901"
    assert desk.status("805200000B" + "00" * 11 + "04") == "6901"
    assert desk.status("80DC00F030" + "00" * 48) == "6901"


def test_a_second_command_of_another_transaction_is_refused_and_ends_it(desk):
    desk.load(100)
    answer = desk.init(1, 10)
    assert desk.status("805200000B" + "00" * 11 + "04") == "6985"
    assert desk.debit(answer, 10, 6).hex() == "6901"
    desk.init(0, 10)
    assert desk.status("805401000F" + "00" * 15 + "08") == "6985"
    desk.init(1, 10)
    assert desk.status("80DC00F030" + "00" * 48) == "6985"


def test_any_other_command_between_gives_the_transaction_up(desk):
    desk.load(100)
    for between in ("805C000204", "00B0950000", "00A4040008A000000632010105", "FFFF"):
        answer = desk.init(1, 10)
        desk.send(between)
        assert desk.debit(answer, 10, 6).hex() == "6901"
    answer = desk.init(1, 10)
    desk.ok("0084000004")
    assert desk.debit(answer, 10, 6)[-2:].hex() == "9000"


def test_a_wrong_mac_ends_the_transaction_and_costs_nothing(desk):
    desk.load(100)
    answer = desk.init(1, 10)
    assert desk.status("805401000F" + "00" * 15 + "08") == "9302"
    assert desk.debit(answer, 10, 6).hex() == "6901"
    assert (desk.balance(), desk.counters()) == (100, (1, 0))


def test_the_wrong_length_of_an_answer_is_told_before_money_moves(desk):
    desk.load(100)
    desk.init(1, 10)
    assert desk.status("805401000F" + "00" * 15 + "07") == "6C08"
    assert desk.balance() == 100


def test_a_reset_forgets_the_pending_transaction(desk):
    desk.load(100)
    answer = desk.init(1, 10)
    desk.select()
    assert desk.debit(answer, 10, 6).hex() == "6901"


def test_the_four_questions_about_the_balance(desk):
    desk.load(1234)
    assert [desk.ok(f"805C{p1:02X}0204").hex() for p1 in range(4)] == [
        "000004d2",
        "00000000",
        "00000000",
        "000004d2",
    ]


def test_only_the_last_transaction_of_a_type_can_be_proved(desk):
    assert desk.prove(6, 0) is None
    desk.load(1000)
    loaded = desk.prove(2, 1)
    assert loaded is not None
    answer = desk.purchase(100)
    assert desk.prove(6, 1) == answer[4:8] + answer[:4]
    assert desk.prove(2, 1) == loaded
    desk.load(1)
    assert desk.prove(2, 1) is None
    assert [desk.prove(tti, counter) for tti, counter in ((6, 0), (6, 2), (9, 1), (0, 0))] == [None] * 4


def test_a_proof_can_be_read_after_the_power_was_gone(desk):
    desk.load(1000)
    answer = desk.purchase(100)
    desk.select()
    assert desk.prove(6, 1) == answer[4:8] + answer[:4]


def test_some_chips_keep_the_counter_from_before(issued, desk_of):
    chip = issued.clone()
    chip.profile = attrs.evolve(chip.profile, log_after_increment=False, prove_offset=0)
    desk = desk_of(chip).select()
    desk.load(1000)
    assert desk.records(0x18)[0][:2] == bytes(2)
    assert desk.prove(2, 0) is not None


def test_a_load_needs_the_pin_where_the_profile_says_so(issued, desk_of):
    chip = issued.clone()
    chip.profile = attrs.evolve(T_UNION, load_needs_pin=True)
    desk = desk_of(chip).select()
    assert desk.load(100).hex() == "6982"
    assert desk.status(b"\x00\x20\x00\x00\x06123456") == "9000"
    assert desk.load(100)[-2:].hex() == "9000"
    assert desk.purchase(100)[-2:].hex() == "9000"


def test_the_balance_has_a_limit(issued, desk_of):
    chip = issued.clone()
    chip.profile = attrs.evolve(T_UNION, largest_balance_fen=1000)
    desk = desk_of(chip).select()
    assert desk.load(1001).hex() == "6985"
    assert desk.load(1000)[-2:].hex() == "9000"
    assert desk.load(1).hex() == "6985"


def test_counters_end_at_their_maximum(desk):
    desk.load(100)
    file = desk.chip.powered.directory.files[2]
    desk.chip.eeprom.commit([(file.body + 7, b"\xff\xff\xff\xff")])
    assert desk.init(0, 1).hex() == "9402"
    assert desk.init(1, 1).hex() == "9402"
