"""Enough shares make the key, fewer say nothing about it."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.keys.shamir import combine_xor, value_at

KEYS = st.binary(min_size=16, max_size=16)


def times(one: int, other: int) -> int:
    """Multiply in the field of AES, bit by bit."""
    made = 0
    while other:
        made ^= one if other & 1 else 0
        one = (one << 1) ^ (0x11B if one & 0x80 else 0)
        other >>= 1
    return made


@given(st.lists(st.integers(0, 255), min_size=1, max_size=5), st.integers(0, 255))
def test_a_polynomial_is_found_again_from_its_values(coefficients, place):
    def value(at: int) -> bytes:
        made = 0
        for coefficient in reversed(coefficients):
            made = times(made, at) ^ coefficient
        return bytes([made])

    shares = {number: value(number) for number in range(1, len(coefficients) + 1)}
    assert value(place) == value_at(shares, place)


@given(st.lists(KEYS, min_size=2, max_size=4))
def test_any_m_of_n_shares_make_the_same_key(drawn):
    shares = dict(enumerate(drawn, 1))
    key = value_at(shares, 0)
    everybody = shares | {number: value_at(shares, number) for number in range(len(drawn) + 1, 7)}
    for chosen in itertools.combinations(everybody.items(), len(drawn)):
        assert key == value_at(dict(chosen), 0)


@given(KEYS, KEYS, KEYS)
def test_one_share_too_few_allows_every_key(first, second, key):
    third = value_at({0: key, 1: first, 2: second}, 3)
    assert key == value_at({1: first, 2: second, 3: third}, 0)


def test_a_published_sum_and_the_product_of_fips_197():
    # {57} x {83} = {c1}: the polynomial 57x through 0 has the value c1 at 83.
    assert value_at({0: b"\x00", 1: b"\x57"}, 0x83) == b"\xc1"
    assert combine_xor({1: b"\x0f\xf0", 2: b"\xff\xff"}) == b"\xf0\x0f"


@pytest.mark.parametrize("count", [2, 5, 16])
def test_all_xor_components_are_needed(count):
    parts = {number: bytes([number] * 16) for number in range(1, count + 1)}
    whole = combine_xor(parts)
    parts.pop(count)
    assert whole != combine_xor({**parts, 0: bytes(16)})
