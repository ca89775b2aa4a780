"""Secure messaging seals what real cards opened."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import SealedDataInvalid
from citycard.keys.cipher import sm4
from citycard.keys.line import SM4_LINE, TDES_LINE, line_mac, seal, unseal

H = bytes.fromhex
MASTER = H("00112233445566778899AABBCCDDEEFF")


def test_a_sam_accepted_this_key_sealed_and_signed():
    key_block = H("220000 00112233445566778899AABBCCDDEEFF")
    sealed = seal(MASTER, key_block)
    assert H("DCC0BB5793ABFCA2CA8C1624822F6E01A86A0B5CBED191DD") == sealed
    assert H("8A9D4ADB") == line_mac(MASTER, H("84D400001C") + sealed, H("5D72B3FD"))


def test_a_card_accepted_these_keys_sealed_by_single_des():
    sealed = seal(b"\xff" * 8, H("F9F0F0AAFF1122334455667788"))
    assert H("7C87BC23140021B3AFEA67E6359DDCFE") == sealed
    other = H("7E65DE142F66CA41AFEA67E6359DDCFE")
    assert H("39F0F0AAFF1122334455667788") == unseal(b"\xff" * 8, other)


@given(
    st.sampled_from([8, 16]).flatmap(lambda size: st.binary(min_size=size, max_size=size)),
    st.binary(max_size=239),
)
def test_unsealing_gives_back_the_data(key, data):
    sealed = seal(key, data)
    assert data == unseal(key, sealed)
    assert (len(sealed) % 8, len(sealed) < len(data) + 9) == (0, True)


@pytest.mark.parametrize("sealed", [b"", bytes(7), seal(MASTER, bytes(20))])
def test_data_sealed_under_another_key_does_not_open(sealed):
    with pytest.raises(SealedDataInvalid, match=f"sealed data of {len(sealed)} bytes"):
        unseal(bytes(16), sealed)


def test_a_challenge_of_8_bytes_is_used_whole():
    command = H("04B0000004")
    assert line_mac(MASTER, command, H("D0FE4FB9")) == line_mac(MASTER, command, H("D0FE4FB900000000"))
    assert line_mac(MASTER, command, H("D0FE4FB9")) != line_mac(MASTER, command, H("D0FE4FB900000001"))


@pytest.mark.parametrize(
    ("challenge", "command", "expected"),
    [
        ("4C45BAB9", "84D4010214 7C87BC23140021B3AFEA67E6359DDCFE", "D7C943F6"),
        ("EF364818", "84D4390114 7C87BC23140021B3AFEA67E6359DDCFE", "9095E4E1"),
        ("C0B3549C", "84D4F90214 7E65DE142F66CA41AFEA67E6359DDCFE", "012EF5F5"),
    ],
)
def test_a_card_with_a_single_des_master_accepted_these_key_commands(challenge, command, expected):
    assert H(expected) == line_mac(b"\xff" * 8, H(command), H(challenge))


@given(st.binary(min_size=16, max_size=16), st.binary(max_size=239))
def test_the_experimental_suite_seals_in_blocks_of_sm4(key, data):
    sealed = seal(key, data, SM4_LINE)
    assert data == unseal(key, sealed, SM4_LINE)
    assert (len(sealed) % 16, len(sealed) < len(data) + 17) == (0, True)


def test_the_experimental_mac_is_a_cbc_mac_that_starts_with_the_challenge():
    first = bytes(
        left ^ right for left, right in zip(bytes(range(16)), H("01020304") + bytes(12), strict=True)
    )
    second = sm4(MASTER, first)
    padding = H("80") + bytes(15)
    last = sm4(MASTER, bytes(left ^ right for left, right in zip(second, padding, strict=True)))
    assert last[:4] == line_mac(MASTER, bytes(range(16)), H("01020304"), SM4_LINE)
    assert (SM4_LINE.experimental, TDES_LINE.experimental) == (True, False)
