"""A suite says what a purse computes with; the experimental ones say so."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.keys.cipher import Algorithm, aes, aes_cmac, cbc_mac, sm4
from citycard.keys.suite import AES_SUITE, SM4_SUITE, TDES_SUITE, experimental_suite, padded, suite_of

KEY = bytes(range(16))
BLOCK = bytes.fromhex("584633C900000001")


def test_every_algorithm_has_its_suite_and_only_3des_is_not_experimental():
    assert [suite_of(algorithm) for algorithm in Algorithm] == [TDES_SUITE, AES_SUITE, SM4_SUITE]
    assert [suite_of(algorithm).experimental for algorithm in Algorithm] == [False, True, True]


def test_a_session_block_grows_by_its_inverse_unless_the_profile_says_otherwise():
    inverse = bytes(255 - byte for byte in BLOCK)
    assert sm4(KEY, BLOCK + inverse) == SM4_SUITE.session(KEY, BLOCK)
    other = experimental_suite(Algorithm.SM4, padded)
    assert sm4(KEY, BLOCK + b"\x80" + bytes(7)) == other.session(KEY, BLOCK)
    assert aes(KEY, BLOCK + inverse) == AES_SUITE.session(KEY, BLOCK)


@pytest.mark.parametrize("suite", [AES_SUITE, SM4_SUITE])
def test_the_16_byte_ciphers_use_the_whole_tac_key(suite):
    assert suite.tac_key(KEY) == KEY


@given(st.binary(max_size=40))
def test_aes_codes_are_cmac_and_sm4_codes_are_cbc_mac(message):
    assert aes_cmac(KEY, message)[:4] == AES_SUITE.mac(KEY, message)
    assert cbc_mac(KEY, message, Algorithm.SM4)[:4] == SM4_SUITE.mac(KEY, message)
