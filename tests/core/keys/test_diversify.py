"""Diversification gives the published card keys."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import CipherInputInvalid
from citycard.keys.cipher import Algorithm, aes, sm4, tdes
from citycard.keys.diversify import Diversifier, diversify

H = bytes.fromhex
KEY = H("00112233445566778899AABBCCDDEEFF")
FACTOR = H("1122334455667788")

keys = st.binary(min_size=16, max_size=16)
factors = st.binary(min_size=8, max_size=8)


def inverse(factor: bytes) -> bytes:
    return bytes(255 - byte for byte in factor)


def test_3des_gives_the_key_that_a_real_sam_derived():
    assert H("496BD7A3513644533100B54E71196528") == diversify(KEY, FACTOR)


def test_3des_gives_the_raw_key_of_emv_option_a():
    # The factor is EMV's: the last sixteen digits of PAN 12345678901234567 and its sequence number 01.
    key = H("0123456789ABCDEFFEDCBA9876543210")
    assert H("72AD54698CEE2935B0969956E2C718F0") == diversify(key, H("4567890123456701"))


def test_sm4_gives_its_check_value():
    assert H("5A9F65876227746D95606233700543A9") == diversify(KEY, FACTOR, Algorithm.SM4)


def test_threads_that_share_a_key_derive_what_each_of_them_asked_for():
    shared, megabyte = Diversifier(KEY), bytes(1 << 20)
    expected = Diversifier(KEY).derive_blocks(megabyte)
    with ThreadPoolExecutor(2) as threads:
        long_ones = threads.map(shared.derive_blocks, [megabyte] * 4)
        assert {shared.derive(FACTOR) for _ in range(20_000)} == {diversify(KEY, FACTOR)}
        assert set(long_ones) == {expected}


@given(keys, factors)
def test_every_algorithm_encrypts_the_factor_and_its_inverse(key, factor):
    both = factor + inverse(factor)
    assert tdes(key, factor) + tdes(key, inverse(factor)) == diversify(key, factor)
    assert aes(key, both) == diversify(key, factor, Algorithm.AES)
    assert sm4(key, both) == diversify(key, factor, Algorithm.SM4)


@given(keys, st.lists(factors, max_size=5), st.sampled_from(Algorithm))
def test_a_kept_diversifier_gives_the_same_keys(key, many, algorithm):
    kept = Diversifier(key, algorithm)
    assert [diversify(key, factor, algorithm) for factor in many] == [kept.derive(factor) for factor in many]


def test_a_wrong_factor_is_refused_and_leaves_the_diversifier_good():
    kept = Diversifier(KEY)
    with pytest.raises(CipherInputInvalid, match="factor of 7 bytes"):
        kept.derive(FACTOR[:7])
    assert diversify(KEY, FACTOR) == kept.derive(FACTOR)


def test_a_wrong_key_is_refused_by_its_length():
    with pytest.raises(CipherInputInvalid, match="key of 8 bytes is not valid: expected 16 bytes"):
        diversify(KEY[:8], FACTOR)
