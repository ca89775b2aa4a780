"""A vault in a token answers what a file vault of the same root answers, and keeps its masters in there."""

import itertools
import json
import shutil
import threading

import pkcs11
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from citycard.errors import (
    AlgorithmMissing,
    KeyNotExportable,
    KeyVersionUnknown,
    SealBroken,
    TokenKeyMissing,
    TokenMissing,
    TokenOccupied,
    VaultClosed,
    VaultDamaged,
    VaultExists,
    VaultMissing,
)
from citycard.keys import Algorithm, FileVault, KeyPurpose, KeyStatus, Pkcs11Vault, purse, verify_signature

ROOT = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CITY = bytes.fromhex("5840000000000001")
ASN8 = bytes.fromhex("0000000012345678")
TERMINAL = bytes.fromhex("001122334455")
AT = bytes.fromhex("20161216105800")
FOREIGN = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
PIN = "135790"
GATE = KeyPurpose(name="zoo-gate", kind=0x39, title="Gate key", owner="zoo")
ZOO_SEAL = KeyPurpose(name="zoo-seal", kind=0, title="Seal", owner="zoo", algorithm=Algorithm.AES)
LABELS = (f"token {number}" for number in itertools.count())

shared = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)


@pytest.fixture
def label(softhsm):
    name = next(LABELS)
    softhsm.token(name, PIN)
    return name


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vault.json"


@pytest.fixture
def vault(softhsm, label, path):
    vault = Pkcs11Vault.create(path, softhsm.module, label, PIN, CITY, root=ROOT)
    yield vault
    vault.close()


@pytest.fixture
def file_vault(tmp_path):
    return FileVault.create(tmp_path / "keys.vault", "correct horse", CITY, root=ROOT)


def again(vault, softhsm, label):
    return Pkcs11Vault.open(vault.path, softhsm.module, label, PIN)


def masters(softhsm, label, kind=pkcs11.ObjectClass.SECRET_KEY):
    session = pkcs11.lib(str(softhsm.module)).get_token(token_label=label).open()
    return list(session.get_objects({pkcs11.Attribute.CLASS: kind, pkcs11.Attribute.TOKEN: True}))


@shared
@given(asns=st.lists(st.binary(min_size=8, max_size=8), max_size=20))
def test_the_same_root_gives_the_same_card_keys(vault, file_vault, asns):
    assert file_vault.card_keys_many(asns) == vault.card_keys_many(asns)


def test_the_same_root_gives_the_same_keys_for_every_purpose_and_version(vault, file_vault):
    for one in (vault, file_vault):
        one.ensure_purposes([GATE, ZOO_SEAL])
        one.roll("purchase", Algorithm.AES)
        one.roll("zoo-gate")
    assert file_vault.versions() == vault.versions()
    for row in vault.versions():
        expected = file_vault.card_key(row.purpose, ASN8, row.version)
        assert expected == vault.card_key(row.purpose, ASN8, row.version)
        assert file_vault.check_value(row.purpose, row.version) == vault.check_value(row.purpose, row.version)


@shared
@given(amount=st.integers(0, 0xFFFFFFFF), serial=st.integers(0, 0xFFFFFFFF), flip=st.integers(0, 31))
def test_a_tac_is_checked_as_by_a_file_vault(vault, file_vault, amount, serial, flip):
    tac = purse.purchase_tac(file_vault.card_keys(ASN8).tac, amount, 6, TERMINAL, serial, AT)
    wrong = (int.from_bytes(tac, "big") ^ 1 << flip).to_bytes(4, "big")
    answers = [
        vault.check_purchase_tac(ASN8, 1, amount, 6, TERMINAL, serial, AT, code) for code in (tac, wrong)
    ]
    assert answers == [True, False]


def test_a_load_is_granted_as_by_a_file_vault(vault, file_vault):
    asked = {
        "asn8": ASN8,
        "key_version": 1,
        "rnd4": bytes(4),
        "online_atc": 7,
        "amount_fen": 5000,
        "terminal6": TERMINAL,
        "date4_time3": AT,
    }
    assert file_vault.load_mac2(**asked) == vault.load_mac2(**asked)
    assert file_vault.terminal_mac(TERMINAL, b"list") == vault.terminal_mac(TERMINAL, b"list")


def test_exports_are_the_same_bytes_although_the_token_gives_no_key_out(vault, file_vault):
    for purpose in ("purchase", "batch"):
        expected = file_vault.export_under(ROOT, purpose, header=b"\x22\x01\0")
        assert expected == vault.export_under(ROOT, purpose, header=b"\x22\x01\0")
        assert file_vault.export_under(ROOT, purpose, 1, [CITY, ASN8]) == vault.export_under(
            ROOT, purpose, 1, [CITY, ASN8]
        )
        assert file_vault.wrap_under(bytes(32), purpose) == vault.wrap_under(bytes(32), purpose)


def test_what_one_kind_of_vault_seals_the_other_opens(vault, file_vault):
    assert vault.sealer("registry").open(file_vault.sealer("registry").seal(b"Wang")) == b"Wang"
    sealed = vault.sealer("registry").seal(b"Wang")
    assert file_vault.sealer("registry").open(sealed) == b"Wang"
    for broken in (b"", sealed[:20], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(SealBroken):
            vault.sealer("registry").open(broken)


def test_the_signing_key_was_made_in_the_token_and_signs(vault, softhsm, label):
    signature = vault.sign(b"list")
    assert verify_signature(again(vault, softhsm, label).public_key_pem(), b"list", signature)
    assert not verify_signature(vault.public_key_pem(), b"lisT", signature)


def test_no_master_key_can_be_read_wrapped_or_changed(vault, softhsm, label):
    vault.put("load", FOREIGN)
    vault.card_keys(ASN8)
    found = [*masters(softhsm, label), *masters(softhsm, label, pkcs11.ObjectClass.PRIVATE_KEY)]
    assert sorted(one.label for one in found) == ["citycard/city/city"] * 2 + [
        "citycard/city/load/2",
        "citycard/city/sign",
    ]
    for one in found:
        assert one[pkcs11.Attribute.SENSITIVE]
        assert not one[pkcs11.Attribute.EXTRACTABLE]
        hidden = pkcs11.Attribute.VALUE
        with pytest.raises(pkcs11.AttributeSensitive):
            one[hidden]


def test_many_cards_cost_one_call_per_purpose(vault, monkeypatch):
    asked = []
    encrypted = type(vault._keys).encrypted
    monkeypatch.setattr(
        type(vault._keys), "encrypted", lambda keys, *args: asked.append(args) or encrypted(keys, *args)
    )
    vault.card_keys_many([number.to_bytes(8, "big") for number in range(500)])
    assert len(asked) == 8


def test_an_imported_key_waits_then_works_and_never_leaves(vault, file_vault, softhsm, label):
    for one in (vault, file_vault):
        one.put("load", bytes(range(1, 17)))
        one.put("load", FOREIGN)
        with pytest.raises(KeyVersionUnknown):
            one.card_key("load", ASN8, 2)
        one.roll("purchase")
    opened = again(vault, softhsm, label)
    assert file_vault.card_keys(ASN8) == opened.card_keys(ASN8)
    with pytest.raises(KeyNotExportable, match="version 2 of key purpose 'load' was imported"):
        opened.wrap_under(bytes(16), "load")


def test_an_imported_key_that_the_token_lost_is_never_replaced_by_a_derived_one(vault, softhsm, label):
    vault.put("load", FOREIGN)
    vault.roll("load")
    with pkcs11.lib(str(softhsm.module)).get_token(token_label=label).open(rw=True) as session:
        for one in session.get_objects({pkcs11.Attribute.LABEL: "citycard/city/load/2"}):
            one.destroy()
    vault.refresh()
    with pytest.raises(TokenKeyMissing, match="citycard/city/load/2"):
        vault.card_keys(ASN8)


def test_an_opened_vault_has_the_same_versions_and_takes_over_changes(vault, softhsm, label):
    vault.ensure_purposes([GATE])
    vault.roll("purchase")
    other = again(vault, softhsm, label)
    assert vault.versions() == other.versions()
    other.roll("zoo-gate")
    vault.retire("purchase", 1)
    other.refresh()
    assert other.versions() == vault.versions()


def test_sm4_is_refused_before_anything_changes(vault):
    before = vault.versions(), vault.path.read_bytes()
    with pytest.raises(AlgorithmMissing, match="SM4"):
        vault.roll("purchase", Algorithm.SM4)
    assert before == (vault.versions(), vault.path.read_bytes())


def test_a_retired_version_does_not_come_back_by_an_editor(vault, softhsm, label):
    vault.roll("purchase")
    vault.retire("purchase", 1)
    content = json.loads(vault.path.read_text())
    for row in content["versions"]:
        row["status"] = row["status"].replace(KeyStatus.RETIRED.value, KeyStatus.ACCEPTED.value)
    vault.path.write_text(json.dumps(content))
    with pytest.raises(VaultDamaged, match="the token does not confirm it"):
        again(vault, softhsm, label)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"mac": "zz"}', '{"mac": "00", "imported": []}'])
def test_another_file_is_no_vault(vault, softhsm, label, text):
    vault.path.write_text(text)
    with pytest.raises(VaultDamaged, match="not that of a token vault"):
        again(vault, softhsm, label)


def test_the_file_of_one_hierarchy_does_not_open_as_another(vault, softhsm, label):
    with pytest.raises(VaultDamaged, match="not the token vault of 'health'"):
        Pkcs11Vault.open(vault.path, softhsm.module, label, PIN, hierarchy="health")


def test_two_hierarchies_in_one_token_share_no_key(vault, softhsm, label, tmp_path):
    args = (tmp_path / "health.json", softhsm.module, label, PIN, CITY)
    health = Pkcs11Vault.create(*args, hierarchy="health")
    assert health.card_keys(ASN8).load != vault.card_keys(ASN8).load
    assert health.public_key_pem() != vault.public_key_pem()
    with pytest.raises(SealBroken):
        health.sealer("registry").open(vault.sealer("registry").seal(b"Wang"))


def test_a_vault_is_not_made_over_another(vault, softhsm, label, tmp_path):
    with pytest.raises(VaultExists):
        Pkcs11Vault.create(vault.path, softhsm.module, label, PIN, CITY)
    with pytest.raises(TokenOccupied, match="already holds keys of 'city'"):
        Pkcs11Vault.create(tmp_path / "other.json", softhsm.module, label, PIN, CITY)
    assert not (tmp_path / "other.json.making").exists()


@pytest.mark.parametrize("stop", range(4))
def test_making_may_be_interrupted_anywhere_and_done_again(softhsm, label, path, stop, monkeypatch):
    from citycard.keys.tokenobjects import TokenObjects

    calls = itertools.count()

    def interrupted(*args, **kwargs):
        if next(calls) == stop:
            raise KeyboardInterrupt
        return true(*args, **kwargs)

    true = TokenObjects.import_key if stop < 2 else TokenObjects.draw_signing_key
    name = true.__name__
    if stop == 3:
        true, name, owner, calls = Pkcs11Vault._write, "_write", Pkcs11Vault, itertools.count(3)
    else:
        owner, calls = TokenObjects, itertools.count(0 if stop < 2 else 2)
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, interrupted)
        with pytest.raises(KeyboardInterrupt):
            Pkcs11Vault.create(path, softhsm.module, label, PIN, CITY, root=ROOT)
    with pytest.raises(VaultMissing):
        Pkcs11Vault.open(path, softhsm.module, label, PIN)
    vault = Pkcs11Vault.create(path, softhsm.module, label, PIN, CITY, root=ROOT)
    assert len(masters(softhsm, label)) == 2
    assert not path.with_name("vault.json.making").exists()
    assert verify_signature(vault.public_key_pem(), b"x", vault.sign(b"x"))


def test_a_token_that_was_away_is_opened_again(vault, softhsm, label, tmp_path):
    before = vault.card_keys(ASN8)
    tokens = softhsm.folder / "tokens"
    library = pkcs11.lib(str(softhsm.module))
    shutil.move(tokens, tmp_path / "drawer")
    tokens.mkdir()
    library.reinitialize()
    with pytest.raises(TokenMissing, match="connect it"):
        vault.card_keys(ASN8)
    with pytest.raises(TokenMissing):
        vault.roll("purchase")
    tokens.rmdir()
    shutil.move(tmp_path / "drawer", tokens)
    assert before == vault.card_keys(ASN8)
    assert all(row.version == 1 for row in vault.versions())


def test_many_threads_share_a_token(vault, file_vault):
    wrong = []

    def ask(number):
        asns = [(number * 100 + place).to_bytes(8, "big") for place in range(20)]
        wrong.extend(asn for asn in asns if vault.card_keys(asn) != file_vault.card_keys(asn))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_a_closed_vault_answers_no_more_and_shows_nothing(softhsm, label, path):
    vault = Pkcs11Vault.create(path, softhsm.module, label, PIN, CITY, root=ROOT)
    shown = f"{vault!r} {vault._keys!r} {vault._token!r} {path.read_text()}"
    assert PIN not in shown
    assert ROOT.hex() not in shown.lower()
    vault.close()
    vault.close()
    for call in (lambda: vault.card_keys(ASN8), lambda: vault.sign(b""), lambda: vault.roll("load")):
        with pytest.raises(VaultClosed):
            call()
