"""Published vectors: which test holds which, and those that are no product of ours.

``WHERE`` goes through the vectors of the card specification line by line: section, source key, what it
gives, and the test that repeats it. Where we offer no such cipher, the vector is computed with the library
alone and the test says so: it holds the rule for whoever adds the cipher.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from citycard.keys import cipher
from citycard.keys.diversify import diversify

H = bytes.fromhex
TESTS = Path(__file__).parents[1]

WHERE = {
    "5.1 VA load, SESLK and MAC1, both": "keys/test_purse.py::test_card_a_opens_a_load",
    "5.1 VA load #2, MAC2 and TAC": "keys/test_purse.py::test_card_a_accepts_the_load_and_proves_it",
    "5.1 VA purchase, SESPK, MAC1, MAC2, TAC": "keys/test_purse.py::test_card_a_pays",
    "5.1 VA as commands": "chip/test_vectors.py::test_a_real_card_answers_load_and_purchase_so",
    "5.1 VB": "keys/test_purse.py::test_card_b_loads_with_3des_although_it_reports_algorithm_1",
    "5.1 VB single DES": "keys/test_purse.py::test_card_b_with_single_des_would_have_had_another_session_key",
    "5.1 VB as commands, log record": (
        "chip/test_vectors.py::test_the_algorithm_byte_is_only_echoed_and_the_log_keeps_the_counter_after"
    ),
    "5.1 VA, VB X(DTK)": "keys/test_cipher.py::test_xor_halves_gives_the_published_tac_keys",
    "5.2 VD Div": "keys/test_diversify.py::test_3des_gives_the_key_that_a_real_sam_derived",
    "5.2 VD PSAM WRITE KEY": "keys/test_line.py::test_a_sam_accepted_this_key_sealed_and_signed",
    "5.2 VD, VE MACs of commands": "keys/test_cipher.py::test_mac16_gives_what_real_cards_accepted",
    "5.2 VE MAC of an answer": (
        "keys/test_cipher.py::test_mac16_of_a_response_uses_the_data_alone_and_the_same_iv"
    ),
    "5.2 VE as commands": "chip/test_vectors.py::test_line_protected_commands_of_a_real_card",
    "5.2 VE key 36": "chip/test_vectors.py::test_public_data_is_written_with_a_mac_of_a_real_card",
    "5.2 VF sealed keys": "keys/test_line.py::test_a_card_accepted_these_keys_sealed_by_single_des",
    "5.2 VF MACs": "keys/test_line.py::test_a_card_with_a_single_des_master_accepted_these_key_commands",
    "5.2 VF as commands": "chip/test_vectors.py::test_keys_travel_enciphered_under_the_master_key",
    "5.2 FM-UM": "keys/test_cipher.py::test_external_and_internal_authentication_give_the_manuals_answers",
    "5.2 FM-UM EXTERNAL AUTH": "chip/test_vectors.py::test_external_authentication_of_the_manual",
    "5.2 FM-UM INTERNAL AUTH": "chip/test_vectors.py::test_internal_authentication_of_the_manual",
    "5.3 SM4 once": "keys/test_cipher.py::test_sm4_gives_the_block_of_gb_t_32907",
    "5.3 SM4 a million times": (
        "keys/test_cipher.py::test_sm4_a_million_times_gives_the_second_block_of_gb_t_32907"
    ),
    "5.3 DES": "keys/test_cipher.py::test_single_des_gives_the_textbook_block",
    "5.3 ISO 9797-1 algorithm 1": (
        "keys/test_cipher.py::test_algorithm_1_of_iso_9797_1_gives_its_published_codes"
    ),
    "5.3 ISO 9797-1 algorithm 3": (
        "keys/test_cipher.py::test_algorithm_3_of_iso_9797_1_gives_its_published_codes"
    ),
    "5.3 BouncyCastle": "keys/test_cipher.py::test_algorithm_3_gives_the_code_of_another_library",
    "5.3 AN10922 AES-128": "keys/test_cipher.py::test_aes_cmac_derives_the_key_of_an10922",
    "5.3 AN10922 2TDEA": "keys/test_vectors.py::test_our_3des_derives_the_2tdea_key_of_an10922",
    "5.3 AN10922 AES-192, AES-256, 3TDEA": "keys/test_vectors.py::test_longer_keys_of_an10922",
    "5.3 MAD CRC-8": "mifare/test_crc.py::test_the_directory_crc_is_that_of_an10787",
    "5.3 M1 block CRC-8": "mifare/test_crc.py::test_the_block_crc_is_complemented_after_every_byte",
    "5.3 X.25": "mifare/test_crc.py::test_x25_is_the_catalogues",
    "5.3 EMV option A, raw": "keys/test_diversify.py::test_3des_gives_the_raw_key_of_emv_option_a",
    "5.3 EMV options A and B": "keys/test_vectors.py::test_emv_card_keys_are_diversified_keys_of_odd_parity",
    "5.3 EMV common session key": (
        "keys/test_cipher.py::test_a_common_session_key_of_emv_is_two_blocks_of_3des"
    ),
    "5.3 Visa SM session key": "keys/test_vectors.py::test_the_session_key_of_visa_has_no_cipher_in_it",
    "4.1 value blocks": "mifare/test_value.py::test_a_value_lies_three_times_in_its_block",
    "4.1 access bytes": "mifare/test_access.py::test_the_well_known_sectors_have_their_well_known_bytes",
    "2.5 SM4 diversification, self-made": "keys/test_diversify.py::test_sm4_gives_its_check_value",
    "5.4 NFSEE, T-Union FCI": "chip/test_vectors.py::test_the_answer_to_select_is_that_of_a_transit_card",
    "5.4 NFSEE balance and log record, TUM journey": (
        "pcsc/test_reading.py::test_a_recorded_t_union_card_is_read"
    ),
    "5.4 TUM, BUSCARD log records": "chip/test_vectors.py::test_the_log_lies_as_recorded_cards_gave_it",
}


@pytest.mark.parametrize("line", WHERE)
def test_every_line_of_vectors_has_its_test(line):
    path, name = WHERE[line].split("::")
    assert f"\ndef {name}(" in (TESTS / path).read_text()


# ── AN10922: CMAC over constant, diversification input and padding ────────────────────────────────

UID = H("04782E21801D80 3042F5")
LONG = H("00112233445566778899AABBCCDDEEFF") + H("0102030405060708")

Encrypt = Callable[[bytes], bytes]


def xor(left: bytes, right: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, right, strict=True))


def doubled(block: bytes) -> bytes:
    """Multiply by x in the field that CMAC uses for blocks of this size."""
    value, bits = int.from_bytes(block, "big") << 1, 8 * len(block)
    if value >> bits:
        value = value ^ (1 << bits) ^ {64: 0x1B, 128: 0x87}[bits]
    return value.to_bytes(len(block), "big")


def an10922(encrypt: Encrypt, size: int, constant: int, message: bytes) -> bytes:
    """Return the CMAC of AN10922: always over two blocks, the first begun by the constant."""
    first = doubled(encrypt(bytes(size)))
    data = bytes((constant,)) + message
    whole = len(data) == 2 * size
    data = data if whole else (data + b"\x80").ljust(2 * size, b"\x00")
    last = xor(data[size:], first if whole else doubled(first))
    return encrypt(xor(encrypt(data[:size]), last))


def of_library(algorithm) -> Encrypt:
    return lambda block: Cipher(algorithm, modes.ECB()).encryptor().update(block)


def masked(key: bytes) -> bytes:
    """Leave out the lowest bit of each byte: parity, where DESFire keeps the version of a key."""
    return bytes(byte & 0xFE for byte in key)


def test_our_3des_derives_the_2tdea_key_of_an10922():
    # libfreefare, test_mifare_key_deriver_an10922.c; its stored key has a version in the lowest bits.
    key = LONG[:16]
    made = b"".join(an10922(lambda b: cipher.tdes(key, b), 8, k, UID + b"NXP A") for k in (0x21, 0x22))
    assert H("16F8597C9E8910C86B9648D006107DD7") == made
    assert masked(H("16F9587D9E8910C9")) == masked(made[:8])


def test_our_aes_derives_the_same_key_by_this_rule_as_by_its_own():
    key, message = LONG[:16], UID + b"NXP Abu"
    made = an10922(lambda block: cipher.aes(key, block), 16, 0x01, message)
    assert H("A8DD63A3B89D54B37CA802473FDA9175") == made == cipher.aes_cmac(key, b"\x01" + message)


def test_longer_keys_of_an10922():
    # No cipher of ours: keys of 24 and 32 bytes are refused (test_cipher.py). The library alone.
    message = UID + b"NXP Abu"
    a, b = (an10922(of_library(algorithms.AES(LONG)), 16, k, message) for k in (0x11, 0x12))
    assert H("CE39C8E1CD82D9A7BEDBE9D74AF59B23176755EE7586E12C") == a[:8] + xor(a[8:], b[:8]) + b[8:]
    longest = LONG[:16] + H("0102030405060708090A0B0C0D0E0F00")
    c, d = (an10922(of_library(algorithms.AES(longest)), 16, k, message) for k in (0x41, 0x42))
    assert H("4FC6EEC820B4C54314990B8611662DB695E7880982C0001E6067488346100AED") == c + d
    three = [an10922(of_library(TripleDES(LONG)), 8, k, UID + b"NXP") for k in (0x31, 0x32, 0x33)]
    assert H("2F0DD03675D3FB9A5705AB0BDA91CA0B55B8E07FCDBF10EC") == b"".join(three)
    assert masked(H("2E0DD03774D3FA9B")) == masked(three[0])


# ── EMV: the same derivation as ours, with odd parity set afterwards ──────────────────────────────

MASTER = H("0123456789ABCDEFFEDCBA9876543210")
PAN, SEQUENCE = "12345678901234567", "01"


def odd(key: bytes) -> bytes:
    return bytes(byte & 0xFE | (byte >> 1).bit_count() + 1 & 1 for byte in key)


def option_b() -> bytes:
    """Return the factor of a long number: 16 decimal digits of its SHA-1, letters last (EMV 2, A1.4.2)."""
    digits = PAN + SEQUENCE
    found = hashlib.sha1(H(digits.zfill(len(digits) + len(digits) % 2)), usedforsecurity=False).hexdigest()
    decimal = [c for c in found if c.isdigit()] + [str(int(c, 16) - 10) for c in found if not c.isdigit()]
    return H("".join(decimal[:16]))


@pytest.mark.parametrize(
    ("factor", "expected"),
    [
        (H((PAN + SEQUENCE)[-16:]), "73AD54688CEF2934B0979857E3C719F1"),
        (option_b(), "AD406D7F6D7570916D75E5DCAB8CF737"),
    ],
    ids=["option A", "option B"],
)
def test_emv_card_keys_are_diversified_keys_of_odd_parity(factor, expected):
    assert H(expected) == odd(diversify(MASTER, factor))


def test_the_session_key_of_visa_has_no_cipher_in_it():
    # pyemv; not recomputed in the specification. The counter is xored to the key: it tries no cipher.
    counter = H("001C")
    turned = xor(counter, b"\xff\xff")
    left, right = MASTER[:8], MASTER[8:]
    made = left[:6] + xor(left[6:], counter) + right[:6] + xor(right[6:], turned)
    assert H("0123456789ABCDF2FEDCBA987654CDF2") == odd(made)
