"""AES and SM4 of many blocks are those of the standards, and of OpenSSL."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.keys.cipher import Algorithm, aes_cmac, cbc_mac
from citycard.keys.columns import padded
from citycard.keys.tabled import aes_cmacs, sm4_cbc_macs

# GB/T 32907-2016, annex A.1: the key is the text.
SM4 = ("0123456789ABCDEFFEDCBA9876543210", "681EDF34D206965E86B3E94F536E4246")
# RFC 4493, section 4: messages of 0, 16, 40 and 64 bytes under one key.
CMAC_KEY = "2B7E151628AED2A6ABF7158809CF4F3C"
CMAC_TEXT = (
    "6BC1BEE22E409F96E93D7E117393172AAE2D8A571E03AC9C9EB76FAC45AF8E51"
    "30C81C46A35CE411E5FBC1191A0A52EFF69F2445DF4F9B17AD2B417BE66C3710"
)
CMACS = {
    0: "BB1D6929E95937287FA37D129B756746",
    16: "070A16B46B4D4144F79BDD9DD04A287C",
    40: "DFA66747DE9AE63030CA32611497C827",
    64: "51F0BEBF7E3B9D92FC49741779363CFE",
}


def rows(data, size):
    return np.frombuffer(data, dtype=np.uint8).reshape(-1, size)


def test_sm4_gives_the_cipher_text_of_the_standard():
    block = rows(bytes.fromhex(SM4[0]), 16)
    assert sm4_cbc_macs(block, block).tobytes().hex().upper() == SM4[1]


@pytest.mark.parametrize("size", CMACS)
def test_aes_cmac_gives_the_codes_of_the_standard(size):
    message = np.frombuffer(bytes.fromhex(CMAC_TEXT)[:size], dtype=np.uint8).reshape(1, size)
    made = aes_cmacs(rows(bytes.fromhex(CMAC_KEY), 16), message)
    assert made.tobytes().hex().upper() == CMACS[size]


@settings(deadline=None, max_examples=30)
@given(size=st.integers(1, 50), data=st.data())
def test_messages_under_keys_of_their_own_get_the_codes_of_openssl(size, data):
    drawn = data.draw(st.lists(st.binary(min_size=16 + size, max_size=16 + size), min_size=1, max_size=20))
    keys, messages = (
        rows(b"".join(one[:16] for one in drawn), 16),
        rows(b"".join(one[16:] for one in drawn), size),
    )
    assert aes_cmacs(keys, messages).tobytes() == b"".join(aes_cmac(one[:16], one[16:]) for one in drawn)
    assert sm4_cbc_macs(keys, padded(messages, 16)).tobytes() == b"".join(
        cbc_mac(one[:16], one[16:], Algorithm.SM4) for one in drawn
    )
