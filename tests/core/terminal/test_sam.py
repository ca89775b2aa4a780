"""The SAM lets a card pay and checks that it paid; the card's side is computed by hand."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from citycard.errors import (
    CipherInputInvalid,
    KeyVersionUnknown,
    SamAlgorithmMismatch,
    SamOutOfOrder,
    SamSerialExhausted,
    SamTerminalInvalid,
)
from citycard.keys import CORE_PURPOSES, Algorithm, Diversifier, KeyHierarchy, SamKeys, SoftKeys, Vault, purse
from citycard.keys.cipher import aes_cmac
from citycard.keys.suite import suite_of
from citycard.keys.versions import KeyVersions
from citycard.terminal.sam import Sam, SoftSam

NUMBER = "001122334455"
TERMINAL = bytes.fromhex(NUMBER)
AT = bytes.fromhex("20161216134600")
ASN8 = bytes.fromhex("0000000012345678")
RND = bytes.fromhex("584633C9")
KEY = bytes(range(16))


def vault() -> Vault:
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(SoftKeys(KeyHierarchy.from_root(KEY, bytes(8)).city_key()), versions)


def sam(serial: int = 0, of: Vault | None = None) -> SoftSam:
    chosen = of or vault()
    return SoftSam(NUMBER, chosen.sam_keys(), chosen.terminal_key(TERMINAL), serial)


def begin(of: SoftSam, version: int = 1, algorithm: int = 0) -> tuple[int, bytes]:
    return of.init_for_purchase(RND, 5, 250, 6, AT, version, algorithm, ASN8)


def test_a_soft_sam_is_a_sam():
    assert isinstance(sam(), Sam)


@settings(deadline=None)
@given(
    rnd=st.binary(min_size=4, max_size=4),
    atc=st.integers(0, 0xFFFF),
    amount=st.integers(0, 0xFFFFFFFF),
    tti=st.sampled_from([6, 9]),
    serial=st.integers(0, 0xFFFFFFFE),
    algorithm=st.sampled_from(Algorithm),
)
def test_mac1_and_mac2_are_those_of_the_card_for_every_algorithm(rnd, atc, amount, tti, serial, algorithm):
    keys = Diversifier(KEY, algorithm)
    one = SoftSam(NUMBER, SamKeys(purchase={3: keys}, versions=(3,)), KEY, serial)
    used, mac1 = one.init_for_purchase(rnd, atc, amount, tti, AT, 3, algorithm, ASN8)
    suite = suite_of(algorithm)
    session = purse.purchase_session_key(keys.derive(ASN8), rnd, atc, serial + 1, suite=suite)
    assert serial + 1 == used
    assert purse.purchase_mac1(session, amount, tti, TERMINAL, AT, suite=suite) == mac1
    assert one.check_mac2(purse.purchase_mac2(session, amount, suite=suite))


def test_serials_count_up_from_where_the_terminal_left_off():
    one = sam(serial=41)
    assert [begin(one)[0], begin(one)[0]] == [42, 43]
    assert one.serial == 43


def test_a_wrong_mac2_is_not_accepted_and_there_is_no_second_try():
    one = sam()
    begin(one)
    assert not one.check_mac2(bytes(4))
    with pytest.raises(SamOutOfOrder, match=f"SAM of terminal {NUMBER} has no purchase under way"):
        one.check_mac2(bytes(4))


def test_an_accepted_version_pays_beside_the_current_one():
    keys = vault()
    keys.roll("purchase")
    one = sam(of=keys)
    assert begin(one, version=1)[1] != begin(one, version=2)[1]


@pytest.mark.parametrize(
    ("error", "match", "arguments"),
    [
        (KeyVersionUnknown, "'purchase' has no usable version 9: usable are 1", {"version": 9}),
        (SamAlgorithmMismatch, "the card reports algorithm 4 but version 1", {"algorithm": 4}),
    ],
)
def test_a_refused_card_uses_up_no_serial(error, match, arguments):
    one = sam(serial=7)
    with pytest.raises(error, match=match):
        begin(one, **arguments)
    assert one.serial == 7


def test_a_card_of_3des_does_not_pay_with_a_key_of_sm4():
    keys = vault()
    keys.roll("purchase", Algorithm.SM4)
    with pytest.raises(SamAlgorithmMismatch, match="algorithm 0 but version 2"):
        begin(sam(of=keys), version=2)


def test_a_card_that_reports_single_des_pays_all_the_same():
    assert begin(sam(), algorithm=1)[0] == 1


def test_the_serial_ends_at_32_bits():
    with pytest.raises(SamSerialExhausted, match="has used all its transaction serials"):
        begin(sam(serial=0xFFFFFFFF))


def test_records_and_batches_are_signed_with_the_terminals_key():
    keys, data = vault(), b"a record"
    one = sam(of=keys)
    expected = aes_cmac(keys.terminal_key(TERMINAL), data)
    assert (expected[:4], expected) == (one.record_mac(data), one.sign_batch(data))
    assert keys.check_terminal_mac(TERMINAL, data, one.record_mac(data))


@pytest.mark.parametrize("number", ["", "12345", "00112233445A", "1234567890123", "００１１２２３３４４５５"])
def test_a_terminal_number_has_12_digits(number):
    with pytest.raises(SamTerminalInvalid, match="expected 12 digits"):
        SoftSam(number, vault().sam_keys(), KEY)


def test_a_terminal_key_has_16_bytes():
    with pytest.raises(CipherInputInvalid, match="terminal key of 3 bytes"):
        SoftSam(NUMBER, vault().sam_keys(), b"KEY")


def test_a_sam_shows_no_key():
    one = sam()
    begin(one)
    assert f"<SoftSam of terminal {NUMBER}, serial 1>" == repr(one)
