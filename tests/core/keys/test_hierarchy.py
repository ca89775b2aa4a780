"""The hierarchy derives every key from the root, and shows none."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from citycard.errors import CipherInputInvalid, KeyPurposeInvalid, KeyPurposeUnknown
from citycard.keys.cipher import Algorithm
from citycard.keys.diversify import diversify
from citycard.keys.hierarchy import CORE_PURPOSES, KeyHierarchy, KeyPurpose, purpose_factor

ROOT = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CITY = bytes.fromhex("5840000000000001")
ASN8 = bytes.fromhex("0000000012345678")


def by_hand(name: str, version: int, algorithm: Algorithm = Algorithm.TDES) -> bytes:
    factor = bytes([version]) + hashlib.sha256(name.encode()).digest()[:7]
    return diversify(diversify(ROOT, CITY), factor, algorithm)


@given(st.sampled_from(CORE_PURPOSES), st.integers(1, 255), st.binary(min_size=8, max_size=8))
def test_a_card_key_is_the_root_diversified_three_times(purpose, version, asn8):
    keys = KeyHierarchy.from_root(ROOT, CITY)
    expected = by_hand(purpose.name, version, purpose.algorithm)
    assert expected == keys.purpose_key(purpose.name, version)
    assert diversify(expected, asn8, purpose.algorithm) == keys.card_key(purpose.name, version, asn8)


def test_two_purposes_versions_or_cards_never_share_a_key():
    keys = KeyHierarchy.from_root(ROOT, CITY)
    made = {
        keys.card_key(purpose.name, version, asn8)
        for purpose in CORE_PURPOSES
        for version in (1, 2)
        for asn8 in (ASN8, bytes(8))
    }
    assert len(CORE_PURPOSES) * 4 == len(made)


def test_the_core_declares_the_kinds_of_the_card():
    kinds = {purpose.name: purpose.kind for purpose in CORE_PURPOSES}
    assert {name: kinds[name] for name in ("purchase", "load", "tac", "maintenance", "authentication")} == {
        "purchase": 0x3E,
        "load": 0x3F,
        "tac": 0x34,
        "maintenance": 0x36,
        "authentication": 0x39,
    }


def test_purse_keys_roll_over_together_and_others_alone():
    families = {purpose.name: purpose.family for purpose in CORE_PURPOSES}
    assert [families[name] for name in ("purchase", "load", "tac")] == ["purse"] * 3
    assert families["batch"] == "batch"


def test_a_hierarchy_shows_no_key_and_can_be_wiped():
    keys = KeyHierarchy.from_root(ROOT, CITY)
    assert diversify(ROOT, CITY).hex() not in f"{keys!r} {keys}".lower()
    keys.wipe()
    assert bytes(16) == keys.city_key()


def test_an_unknown_purpose_is_said_with_those_known():
    with pytest.raises(
        KeyPurposeUnknown, match="'grey-lock' is not in the vault: it has authentication, batch"
    ):
        KeyHierarchy(ROOT).purpose_key("grey-lock", 1)


def test_a_city_key_of_a_wrong_length_is_refused():
    with pytest.raises(CipherInputInvalid, match="city key of 8 bytes"):
        KeyHierarchy(ROOT[:8])


@pytest.mark.parametrize("version", [0, 256, -1])
def test_a_version_is_a_byte_that_is_not_zero(version):
    with pytest.raises(KeyPurposeInvalid, match="expected 1 to 255"):
        purpose_factor("purchase", version)


@pytest.mark.parametrize(
    ("field", "given_"),
    [
        ("name", {"name": "Purchase", "kind": 1}),
        ("name", {"name": "a" * 41, "kind": 1}),
        ("name", {"name": "", "kind": 1}),
        ("name", {"name": "gate-", "kind": 1}),
        ("kind", {"name": "gate", "kind": 256}),
    ],
)
def test_a_wrong_declaration_names_its_field(field, given_):
    with pytest.raises(KeyPurposeInvalid, match=f"field {field}:"):
        KeyPurpose(title="Gate key", **given_)
