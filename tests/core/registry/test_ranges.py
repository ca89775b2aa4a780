"""Number ranges: no number twice, no keys twice, none lost without being said."""

from datetime import date

import pytest

from citycard.errors import NumbersUsedUp, RangeOverlap, RegistryInvalid, RegistryMissing
from citycard.registry import NumberRange, add_cards, add_number_range, check_number_ranges, find_number_range
from citycard.registry.ranges import take_numbers

DAY = date(2018, 9, 1)
FIRST = "01019901000000000001"


def numbers(name="a", first=FIRST, size=10):
    return NumberRange(name=name, product="adult", first=first, size=size, opened_on=DAY)


def test_numbers_are_given_out_in_order_and_once(conn):
    assert add_number_range(conn, numbers()) is True
    assert add_number_range(conn, numbers()) is False
    taken = take_numbers(conn, "a", 4) + take_numbers(conn, "a", 6)

    assert taken == [f"0101990100000000{number:04d}" for number in range(1, 11)]
    assert find_number_range(conn, "a").left == 0
    with pytest.raises(NumbersUsedUp, match="0 numbers left, 1 are wanted"):
        take_numbers(conn, "a", 1)
    assert check_number_ranges(conn) == []


def test_a_number_that_was_registered_in_another_way_is_passed_over(conn, make_card):
    add_number_range(conn, numbers())
    add_cards(conn, [make_card(2, asn="01019901000000000002")])
    assert take_numbers(conn, "a", 3) == [f"0101990100000000{number:04d}" for number in (1, 3, 4)]
    assert find_number_range(conn, "a").taken == 4


@pytest.mark.parametrize(
    "first",
    ["01019900999999999995", "01019901000000000010", "01019901000000000005", "77779901000000000005"],
)
def test_ranges_that_share_a_number_or_the_keys_of_one_are_refused(conn, first):
    add_number_range(conn, numbers())
    with pytest.raises(RangeOverlap, match="range 'a'"):
        add_number_range(conn, numbers("b", first))


def test_a_range_over_a_registered_card_is_refused(conn, make_card):
    add_cards(conn, [make_card(9, asn="55559901000000000003")])
    with pytest.raises(RangeOverlap, match="55559901000000000003"):
        add_number_range(conn, numbers())


def test_a_range_keeps_its_first_four_digits_and_has_a_product(conn):
    with pytest.raises(RegistryInvalid, match="first four digits"):
        numbers(first="0101" + "9" * 15 + "5", size=6)
    with pytest.raises(RegistryInvalid, match="20 decimal digits"):
        numbers(first="1")
    with pytest.raises(RegistryMissing, match="gold"):
        add_number_range(conn, NumberRange(name="g", product="gold", first=FIRST, size=1, opened_on=DAY))
    with pytest.raises(RegistryMissing, match="range 'x'"):
        find_number_range(conn, "x")
