"""A vault in a file: what one process changes, the file keeps and another takes over."""

import json
import resource

import pytest

from citycard.errors import CipherInputInvalid, PassphraseWrong, VaultClosed, VaultDamaged, VaultExists
from citycard.keys import FileVault, KeyHierarchy, KeyPurpose, KeyStatus, check_value, verify_signature
from citycard.keys.sealed import read_sealed, unlock, write_sealed

ASN8 = bytes.fromhex("0000000012345678")
CITY = bytes.fromhex("5840000000000001")
ROOT = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
GATE = KeyPurpose(name="zoo-gate", kind=0x39, title="Gate key", owner="zoo")


@pytest.fixture
def path(tmp_path):
    return tmp_path / "city" / "keys.vault"


@pytest.fixture
def vault(path):
    return FileVault.create(path, "correct horse", CITY, root=ROOT)


def test_the_keys_are_those_under_the_given_root(vault):
    expected = KeyHierarchy.from_root(ROOT, CITY).card_key("load", 1, ASN8)
    assert expected == vault.card_keys(ASN8).load


def test_two_cities_made_without_a_root_share_no_key(tmp_path):
    made = [FileVault.create(tmp_path / name, "x", CITY).card_keys(ASN8).load for name in "ab"]
    assert made[0] != made[1]


def test_an_opened_vault_has_the_same_keys_versions_and_purposes(vault, path):
    vault.ensure_purposes([GATE])
    vault.roll("purchase")
    vault.roll("zoo-gate")
    vault.retire("zoo-gate", 1)
    again = FileVault.open(path, "correct horse")
    assert vault.versions() == again.versions()
    assert vault.purposes() == again.purposes()
    assert vault.card_keys(ASN8) == again.card_keys(ASN8)
    assert vault.card_key("zoo-gate", ASN8) == again.card_key("zoo-gate", ASN8)


def test_known_purposes_write_nothing(vault, path):
    vault.ensure_purposes([GATE])
    before = path.read_bytes()
    vault.ensure_purposes([GATE])
    assert before == path.read_bytes()


def test_two_processes_may_roll_over_one_after_the_other(vault, path):
    other = FileVault.open(path, "correct horse")
    vault.roll("purchase")
    other.roll("batch")
    vault.refresh()
    current = {row.purpose: row.version for row in vault.versions() if row.status is KeyStatus.CURRENT}
    assert (current["purchase"], current["batch"], current["maintenance"]) == (2, 2, 1)
    assert other.versions() == vault.versions()


def test_a_change_that_cannot_be_written_is_not_made(vault, path):
    before = vault.versions(), path.read_bytes()
    full = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, full[1]))
    try:
        with pytest.raises(OSError, match="too large"):
            vault.roll("purchase")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, full)
    assert before == (vault.versions(), path.read_bytes())


def test_a_second_vault_is_not_made_over_the_first(vault, path):
    before = path.read_bytes()
    with pytest.raises(VaultExists, match="already exists"):
        FileVault.create(path, "other", CITY)
    assert before == path.read_bytes()


def test_a_wrong_passphrase_does_not_open_it(vault, path):
    with pytest.raises(PassphraseWrong, match="check the passphrase"):
        FileVault.open(path, "battery staple")


@pytest.mark.parametrize("change", [{"city_key": "zz"}, {"purposes": [{"colour": 1}]}, {"versions": None}])
def test_content_of_a_newer_citycard_is_not_understood_and_not_told(vault, path, change):
    payload, file_key = unlock(read_sealed(path), "correct horse")
    content = json.loads(payload)
    write_sealed(path, json.dumps({**content, **change}).encode(), file_key, replace=True)
    with pytest.raises(VaultDamaged, match="content is of an unknown version") as caught:
        FileVault.open(path, "correct horse")
    assert content["city_key"] not in str(caught.value)
    assert caught.value.__suppress_context__


def test_a_city_factor_has_8_bytes(path):
    with pytest.raises(CipherInputInvalid, match="city factor of 2 bytes"):
        FileVault.create(path, "x", b"58")
    assert not path.exists()


def test_a_closed_vault_is_wiped(vault):
    file_key = vault._file_key
    vault.close()
    assert bytes(32) == bytes(file_key.key)
    with pytest.raises(VaultClosed):
        vault.refresh()


def test_the_signing_key_and_imported_keys_are_kept(vault, path):
    signature = vault.sign(b"list")
    vault.put("load", bytes(range(16)))
    again = FileVault.open(path, "correct horse")
    assert verify_signature(again.public_key_pem(), b"list", signature)
    assert check_value(bytes(range(16))) == again.check_value("load", 2)


def test_a_file_of_earlier_times_gets_one_signing_key(vault, path):
    payload, file_key = unlock(read_sealed(path), "correct horse")
    content = json.loads(payload)
    del content["signing"], content["imported"]
    write_sealed(path, json.dumps(content).encode(), file_key, replace=True)
    one, other = (FileVault.open(path, "correct horse") for _ in range(2))
    signature = one.sign(b"list")
    assert verify_signature(other.public_key_pem(), b"list", signature)
    assert one.public_key_pem() == FileVault.open(path, "correct horse").public_key_pem()
