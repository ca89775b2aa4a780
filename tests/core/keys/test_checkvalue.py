"""Check values are those that other key tools print."""

import pytest

from citycard.keys import Algorithm
from citycard.keys.checkvalue import check_value, check_value_name
from citycard.keys.cipher import aes_cmac, sm4, tdes

KEY = bytes.fromhex("0123456789ABCDEFFEDCBA9876543210")


def test_the_check_value_of_3des_is_a_block_of_zeros_encrypted():
    assert bytes.fromhex("08D7B4") == check_value(KEY)
    assert tdes(KEY, bytes(8))[:3] == check_value(KEY)


def test_the_check_value_of_aes_is_the_cmac_of_zeros():
    assert aes_cmac(KEY, bytes(16))[:3] == check_value(KEY, Algorithm.AES)


def test_the_check_value_of_sm4_is_a_block_of_zeros_encrypted():
    assert sm4(KEY, bytes(16))[:3] == check_value(KEY, Algorithm.SM4)


@pytest.mark.parametrize(("algorithm", "name"), [("TDES", "ECB"), ("AES", "CMAC"), ("SM4", "ECB")])
def test_the_rule_has_a_name_for_the_protocol(algorithm, name):
    assert name == check_value_name(Algorithm[algorithm])
