from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import AmountInvalid
from citycard.money import parse_yuan, percent_of, split, yuan


@pytest.mark.parametrize(
    ("text", "amount_fen"),
    [("12.34", 1234), ("0.05", 5), ("7", 700), ("7.5", 750), ("-3.10", -310), ("0", 0)],
)
def test_yuan_are_read_as_fen(text, amount_fen):
    assert parse_yuan(text) == amount_fen


@pytest.mark.parametrize("text", ["", "1.234", "1,20", "one", "1.", ".5", "1e3", "١"])
def test_anything_but_yuan_is_refused_with_what_was_expected(text):
    with pytest.raises(AmountInvalid, match="expected yuan"):
        parse_yuan(text)


@given(st.integers(-(10**12), 10**12))
def test_what_is_written_reads_back(amount_fen):
    assert parse_yuan(yuan(amount_fen)) == amount_fen


@given(st.integers(0, 10**12), st.lists(st.integers(0, 1000), min_size=1, max_size=12).filter(any))
def test_parts_sum_to_the_whole_and_none_is_a_fen_off_its_share(total_fen, weights):
    parts = split(total_fen, weights)

    assert sum(parts) == total_fen
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part * sum(weights) - total_fen * weight) < sum(weights)


def test_the_earlier_part_takes_the_fen_when_remainders_tie():
    assert split(100, [1, 1, 1]) == [34, 33, 33]


@pytest.mark.parametrize("weights", [[], [0, 0], [2, -1]])
def test_weights_that_cannot_share_are_refused(weights):
    with pytest.raises(AmountInvalid, match="weights"):
        split(10, weights)


@pytest.mark.parametrize(
    ("amount_fen", "percent", "expected"),
    [(200, 95, 190), (250, 50, 125), (1, 50, 1), (3, 50, 2), (0, 95, 0)],
)
def test_half_a_fen_rounds_up(amount_fen, percent, expected):
    assert percent_of(amount_fen, percent) == expected


def test_basis_points_have_ten_thousand_to_the_whole():
    assert percent_of(1_000_000, 30, denominator=10_000) == 3_000
