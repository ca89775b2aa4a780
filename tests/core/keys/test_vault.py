"""The vault answers yes, no, or a MAC; the tests compute by hand what it must answer."""

import attrs
import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_unwrap
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.errors import CipherInputInvalid, KeyPurposeUnknown, KeyVersionUnknown, SealBroken, VaultClosed
from citycard.keys import Algorithm, KeyPurpose, KeyStatus, check_value, purse, verify_signature
from citycard.keys.cipher import aes_cmac
from citycard.keys.diversify import diversify
from citycard.keys.line import unseal
from citycard.keys.suite import SM4_SUITE

ASN8 = bytes.fromhex("0000000012345678")
TERMINAL = bytes.fromhex("001122334455")
AT = bytes.fromhex("20161216105800")
RND = bytes.fromhex("E0B84748")

# Hypothesis only reads the vault, so one vault serves all examples of a test.
shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def load(**changes):
    return {
        "asn8": ASN8,
        "key_version": 1,
        "rnd4": RND,
        "online_atc": 7,
        "amount_fen": 5000,
        "terminal6": TERMINAL,
        **changes,
    }


def test_card_keys_are_those_of_the_hierarchy(vault, hierarchy):
    keys = vault.card_keys(ASN8)
    for name in ("purchase", "load", "tac", "maintenance", "authentication", "internal"):
        assert hierarchy.card_key(name, 1, ASN8) == getattr(keys, name)
    assert hierarchy.card_key("pin-unblock", 1, ASN8) == keys.pin_unblock
    assert hierarchy.card_key("pin-reload", 1, ASN8) == keys.pin_reload


def test_a_card_issued_after_a_roll_over_gets_the_new_purse_keys(vault, hierarchy):
    before = vault.card_keys(ASN8)
    vault.roll("purchase")
    after = vault.card_keys(ASN8)
    assert hierarchy.card_key("tac", 2, ASN8) == after.tac
    assert before.maintenance == after.maintenance
    assert [tuple(after.versions[name] for name in ("purchase", "load", "tac", "maintenance"))] == [
        (2, 2, 2, 1)
    ]


@shared
@given(
    amount=st.integers(0, 0xFFFFFFFF),
    tti=st.sampled_from([purse.TTI_PURCHASE_EP, purse.TTI_CAPP]),
    serial=st.integers(0, 0xFFFFFFFF),
    flip=st.integers(0, 31),
)
def test_a_purchase_tac_is_accepted_and_one_flipped_bit_is_not(vault, hierarchy, amount, tti, serial, flip):
    dtk = hierarchy.card_key("tac", 1, ASN8)
    tac = purse.purchase_tac(dtk, amount, tti, TERMINAL, serial, AT)
    wrong = (int.from_bytes(tac, "big") ^ 1 << flip).to_bytes(4, "big")
    answers = [
        vault.check_purchase_tac(ASN8, 1, amount, tti, TERMINAL, serial, AT, code) for code in (tac, wrong)
    ]
    assert answers == [True, False]


@pytest.mark.parametrize("tac", [b"", bytes(3), bytes(5)])
def test_a_tac_of_a_wrong_length_is_not_accepted(vault, tac):
    assert not vault.check_purchase_tac(ASN8, 1, 100, 6, TERMINAL, 1, AT, tac)


def test_an_old_tac_is_accepted_until_its_version_is_retired(vault, hierarchy):
    tac = purse.purchase_tac(hierarchy.card_key("tac", 1, ASN8), 200, 9, TERMINAL, 3, AT)
    seen = [vault.check_purchase_tac(ASN8, 1, 200, 9, TERMINAL, 3, AT, tac)]
    vault.roll("purchase")
    seen.append(vault.check_purchase_tac(ASN8, 1, 200, 9, TERMINAL, 3, AT, tac))
    seen.append(vault.check_purchase_tac(ASN8, 2, 200, 9, TERMINAL, 3, AT, tac))
    vault.retire("purchase", 1)
    seen.append(vault.check_purchase_tac(ASN8, 1, 200, 9, TERMINAL, 3, AT, tac))
    assert seen == [True, True, False, False]


def test_a_load_goes_through_mac1_mac2_and_tac(vault, hierarchy):
    session = purse.load_session_key(hierarchy.card_key("load", 1, ASN8), RND, 7)
    mac1 = purse.load_mac1(session, 300, 5000, 2, TERMINAL)
    assert vault.check_load_mac1(**load(balance_fen=300, mac1=mac1))
    assert not vault.check_load_mac1(**load(balance_fen=301, mac1=mac1))
    expected = purse.load_mac2(session, 5000, 2, TERMINAL, AT)
    assert expected == vault.load_mac2(**load(date4_time3=AT))
    tac = purse.load_tac(hierarchy.card_key("tac", 1, ASN8), 5300, 7, 5000, 2, TERMINAL, AT)
    proof = load(date4_time3=AT, tac4=tac)
    del proof["rnd4"]
    assert vault.check_load_tac(new_balance_fen=5300, **proof)
    assert not vault.check_load_tac(new_balance_fen=300, **proof)


def test_a_load_under_a_retired_version_is_refused(vault):
    vault.roll("load")
    vault.retire("load", 1)
    with pytest.raises(KeyVersionUnknown, match="'load' has no usable version 1: usable are 2"):
        vault.load_mac2(**load(date4_time3=AT))


def test_a_purse_may_roll_over_to_sm4_while_old_cards_stay_good(vault, hierarchy):
    old = purse.purchase_tac(hierarchy.card_key("tac", 1, ASN8), 100, 6, TERMINAL, 1, AT)
    vault.roll("purchase", Algorithm.SM4)
    keys = vault.card_keys(ASN8)
    new = purse.purchase_tac(keys.tac, 100, 6, TERMINAL, 1, AT, suite=SM4_SUITE)
    assert keys.algorithms["tac"] == Algorithm.SM4
    assert vault.check_purchase_tac(ASN8, 1, 100, 6, TERMINAL, 1, AT, old)
    assert vault.check_purchase_tac(ASN8, 2, 100, 6, TERMINAL, 1, AT, new)


@shared
@given(data=st.binary(max_size=200))
def test_a_terminals_mac_is_its_aes_cmac_short_or_whole(vault, hierarchy, data):
    code = aes_cmac(hierarchy.card_key("batch", 1, b"\0\0" + TERMINAL), data)
    assert vault.check_terminal_mac(TERMINAL, data, code)
    assert vault.check_terminal_mac(TERMINAL, data, code[:4])
    assert not vault.check_terminal_mac(TERMINAL, data + b"\0", code[:4])
    assert not vault.check_terminal_mac(bytes(6), data, code[:4])


@pytest.mark.parametrize("length", [0, 1, 3, 5, 15])
def test_a_terminals_mac_of_another_length_is_not_accepted(vault, length):
    code = aes_cmac(vault.terminal_key(TERMINAL), b"data")
    assert not vault.check_terminal_mac(TERMINAL, b"data", code[:length])


def test_a_terminal_signs_with_its_old_key_until_the_version_is_retired(vault):
    code = aes_cmac(vault.terminal_key(TERMINAL), b"data")
    vault.roll("batch")
    assert vault.check_terminal_mac(TERMINAL, b"data", code)
    vault.retire("batch", 1)
    assert not vault.check_terminal_mac(TERMINAL, b"data", code)


def test_a_plugins_purpose_has_keys_of_its_own(vault):
    vault.ensure_purposes([KeyPurpose(name="zoo-gate", kind=0x39, title="Gate key", owner="zoo")])
    first = vault.card_key("zoo-gate", ASN8)
    vault.roll("zoo-gate")
    assert first == vault.card_key("zoo-gate", ASN8, version=1)
    assert first != vault.card_key("zoo-gate", ASN8)


def test_an_undeclared_purpose_has_none(vault):
    with pytest.raises(KeyPurposeUnknown, match="'zoo-gate' is not in the vault"):
        vault.card_key("zoo-gate", ASN8)


def test_a_serial_number_of_a_wrong_length_is_refused(vault):
    with pytest.raises(CipherInputInvalid, match="factor of 10 bytes is not valid: expected 8 bytes"):
        vault.card_keys(bytes(10))


def test_a_closed_vault_holds_no_key_any_more(vault):
    vault.card_keys(ASN8)
    vault.terminal_key(TERMINAL)
    hierarchy = vault._keys._hierarchy
    vault.close()
    assert bytes(16) == hierarchy.city_key()
    for call in (
        lambda: vault.card_keys(ASN8),
        lambda: vault.terminal_key(TERMINAL),
        vault.sam_keys,
        lambda: vault.roll("load"),
        lambda: vault.sign(b"list"),
        lambda: vault.sealer("registry"),
        lambda: vault.export_under(ASN8 * 2, "purchase"),
    ):
        with pytest.raises(VaultClosed, match="its keys are wiped"):
            call()


def test_a_vault_shows_no_key(vault, hierarchy):
    assert repr(vault) == "<Vault with 10 key purposes>"
    assert hierarchy.city_key().hex() not in f"{vault} {[attrs.asdict(row) for row in vault.versions()]}"


def test_a_terminal_can_check_what_the_vault_signs_for_it(vault):
    mac = vault.terminal_mac(TERMINAL, b"what terminals must know")
    assert vault.check_terminal_mac(TERMINAL, b"what terminals must know", mac)
    assert not vault.check_terminal_mac(bytes(6), b"what terminals must know", mac)
    assert mac == aes_cmac(vault.terminal_key(TERMINAL), b"what terminals must know")


def test_the_keys_of_many_cards_are_those_of_each(vault):
    asns = [number.to_bytes(8, "big") for number in range(5)]
    assert [vault.card_keys(asn) for asn in asns] == vault.card_keys_many(asns)
    assert vault.card_keys_many([]) == []


def test_a_purpose_leaves_under_a_transport_key_as_a_sam_loads_it(vault, hierarchy):
    transport = bytes(range(16))
    sealed = vault.export_under(transport, "purchase", 1, header=bytes.fromhex("220100"))
    assert len(sealed) == 24
    assert bytes.fromhex("220100") + hierarchy.purpose_key("purchase", 1) == unseal(transport, sealed)


def test_factors_are_applied_one_after_the_other_before_a_key_leaves(vault, hierarchy):
    sealed = vault.export_under(bytes(16), "purchase", 1, [TERMINAL + b"\0\0", ASN8])
    issuer = diversify(hierarchy.purpose_key("purchase", 1), TERMINAL + b"\0\0")
    assert diversify(issuer, ASN8) == unseal(bytes(16), sealed)


@pytest.mark.parametrize("kek", [bytes(16), bytes(24), bytes(32)])
def test_a_purpose_leaves_under_an_aes_key_by_rfc_3394(vault, hierarchy, kek):
    wrapped = vault.wrap_under(kek, "batch")
    assert hierarchy.purpose_key("batch", 1) == aes_key_unwrap(kek, wrapped)


def test_an_imported_key_waits_until_the_purpose_rolls_over(vault, hierarchy):
    foreign = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
    row = vault.put("load", foreign)
    assert (row.version, row.status) == (2, KeyStatus.WAITING)
    assert hierarchy.card_key("load", 1, ASN8) == vault.card_key("load", ASN8)
    with pytest.raises(KeyVersionUnknown, match="no usable version 2"):
        vault.card_key("load", ASN8, 2)
    vault.roll("purchase")
    assert diversify(foreign, ASN8) == vault.card_key("load", ASN8)
    assert hierarchy.card_key("purchase", 2, ASN8) == vault.card_key("purchase", ASN8)
    assert check_value(foreign) == vault.check_value("load")


def test_imported_keys_of_a_family_wait_under_one_number_and_the_last_one_counts(vault):
    for key in (bytes(16), bytes(range(16))):
        assert [vault.put(name, key).version for name in ("load", "purchase", "tac")] == [2, 2, 2]
    vault.roll("tac")
    assert check_value(bytes(range(16))) == vault.check_value("load", 2)


def test_the_city_signs_and_everybody_can_check(vault):
    signature = vault.sign(b"blacklist 7")
    assert verify_signature(vault.public_key_pem(), b"blacklist 7", signature)
    assert not verify_signature(vault.public_key_pem(), b"blacklist 8", signature)


def test_what_one_name_seals_another_does_not_open(vault):
    sealed = vault.sealer("registry").seal(b"Wang Wei")
    assert vault.sealer("registry").open(sealed) == b"Wang Wei"
    with pytest.raises(SealBroken):
        vault.sealer("notes").open(sealed)
