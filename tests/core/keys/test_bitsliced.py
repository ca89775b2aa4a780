"""The bit-sliced DES is the DES of the standard, and of OpenSSL."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.keys.bitsliced import des_cbc_macs
from citycard.keys.cipher import des_cbc_mac

# Key, plain text, cipher text: FIPS 46 as NBS Special Publication 500-20 tries it, one table after the other
# (initial permutation, key permutation, S-boxes), and the example everybody computes by hand.
VECTORS = [
    "0101010101010101 95F8A5E5DD31D900 8000000000000000",
    "0101010101010101 DD7F121CA5015619 4000000000000000",
    "0101010101010101 8000000000000000 95F8A5E5DD31D900",
    "8001010101010101 0000000000000000 95A8D72813DAA94D",
    "0101010101010102 0000000000000000 869EFD7F9F265A09",
    "7CA110454A1A6E57 01A1D6D039776742 690F5B0D9A26939B",
    "0131D9619DC1376E 5CD54CA83DEF57DA 7A389D10354BD271",
    "07A1133E4A0B2686 0248D43806F67172 868EBB51CAB4599A",
    "133457799BBCDFF1 0123456789ABCDEF 85E813540F0AB405",
]


def word(hexadecimal):
    return int(hexadecimal, 16)


def macs(keys, blocks):
    return [int(mac) for mac in des_cbc_macs(np.array(keys, dtype=np.uint64), blocks)]


@pytest.mark.parametrize("vector", VECTORS)
def test_a_block_of_the_standard_gives_its_cipher_text(vector):
    key, plain, cipher = vector.split()
    assert [word(cipher)] == macs([word(key)], np.frombuffer(bytes.fromhex(plain), np.uint8).reshape(1, 8))


def test_the_vectors_of_the_standard_side_by_side_do_not_mix():
    keys, plains, ciphers = zip(*(vector.split() for vector in VECTORS * 20), strict=True)
    blocks = np.frombuffer(bytes.fromhex("".join(plains)), np.uint8).reshape(-1, 8)
    assert [word(cipher) for cipher in ciphers] == macs([word(key) for key in keys], blocks)


@settings(deadline=None, max_examples=20)
@given(blocks=st.integers(1, 5), data=st.data())
def test_a_mac_over_any_number_of_blocks_is_that_of_openssl(blocks, data):
    size = 8 * (blocks + 1)
    rows = data.draw(st.lists(st.binary(min_size=size, max_size=size), min_size=1, max_size=130))
    expected = [int.from_bytes(des_cbc_mac(row[:8], row[8:]), "big") for row in rows]
    text = np.frombuffer(b"".join(row[8:] for row in rows), np.uint8).reshape(len(rows), -1)
    assert expected == macs([int.from_bytes(row[:8], "big") for row in rows], text)


def test_keys_of_another_parity_are_the_same_keys():
    text = np.arange(16, dtype=np.uint8).reshape(1, 16)
    assert macs([0x0123456789ABCDEF], text) == macs([0x0123456789ABCDEF ^ 0x0101010101010101], text)
