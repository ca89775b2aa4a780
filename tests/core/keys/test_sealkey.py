"""Keys of seals: the same from every vault of a root, version by version, and anybody can check with them."""

import subprocess

import pytest

from citycard.errors import SealKeyInvalid
from citycard.keys import CORE_PURPOSES, FileVault, Pkcs11Vault, SealKey, Vault
from citycard.keys.signing import SigningKey
from citycard.keys.versions import KeyVersions

DATA = b'{"format":"citycard-seal-1"}'
FACTOR = bytes(8)


@pytest.fixture
def vault():
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(bytes(range(16)), versions)


def test_what_is_signed_can_be_checked_with_the_public_key(vault):
    signer = vault.seal_signer()
    signature = signer.sign(DATA)
    assert signature == vault.seal_signer().sign(DATA)
    (key,) = vault.seal_keys()
    assert key == signer.key
    assert key.signed(DATA, signature)
    assert not key.signed(DATA + b" ", signature)
    assert not key.signed(DATA, bytes(64))


def test_openssl_agrees(vault, tmp_path):
    signer = vault.seal_signer()
    for name, content in (
        ("key.pem", signer.key.pem.encode()),
        ("data", DATA),
        ("signature", signer.sign(DATA)),
    ):
        (tmp_path / name).write_bytes(content)
    command = "openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in data -sigfile signature"
    done = subprocess.run(command.split(), cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, "Signature Verified Successfully" in done.stdout) == (0, True)


def test_each_version_has_a_key_of_its_own_and_keeps_it_when_it_is_retired(vault):
    first = vault.seal_signer().key
    vault.roll("seal")
    second = vault.seal_signer().key
    assert (first.version, second.version) == (1, 2)
    assert first.public32 != second.public32
    vault.retire("seal", 1)
    assert [(key.id, key.honoured) for key in vault.seal_keys()] == [(first.id, False), (second.id, True)]


def test_an_imported_key_signs_once_its_version_is_current(vault):
    vault.put("seal", bytes(range(16, 32)))
    assert [key.version for key in vault.seal_keys()] == [1]
    vault.roll("seal")
    assert vault.seal_signer().key.version == 2


def test_a_token_gives_the_keys_that_a_file_gives(softhsm, tmp_path):
    root = bytes(range(32, 48))
    softhsm.token("seals", "1234")
    with_token = Pkcs11Vault.create(
        tmp_path / "vault.json", softhsm.module, "seals", "1234", FACTOR, root=root
    )
    in_file = FileVault.create(tmp_path / "vault.bin", "passphrase", FACTOR, root=root)
    assert with_token.seal_signer().key == in_file.seal_signer().key
    assert with_token.seal_signer().sign(DATA) == in_file.seal_signer().sign(DATA)
    with_token.roll("seal")
    in_file.roll("seal")
    assert with_token.seal_keys() == in_file.seal_keys()
    with_token.close()


def test_pem_is_read_back_and_anything_else_is_refused(vault):
    key = vault.seal_signer().key
    assert SealKey.from_pem(key.pem) == key
    assert key in SealKey.versions_of(key.pem)
    with pytest.raises(SealKeyInvalid, match="no public key in PEM"):
        SealKey.from_pem("nonsense")
    with pytest.raises(SealKeyInvalid, match="not Ed25519"):
        SealKey.from_pem(SigningKey.draw().public_key_pem())


def test_a_signer_shows_no_secret(vault):
    assert repr(vault.seal_signer()) == f"<SealSigner {vault.seal_signer().key.id}>"
