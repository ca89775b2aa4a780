"""The vault's file is written whole or not at all, and says what is wrong with it."""

import hashlib

import pytest

from citycard.errors import PassphraseMissing, PassphraseWrong, VaultDamaged, VaultExists, VaultMissing
from citycard.keys.sealed import new_file_key, read_sealed, unlock, write_sealed

SECRET = b"a secret that must not lie on the disk"


@pytest.fixture(scope="module")
def file_key(tmp_path_factory):
    return new_file_key(tmp_path_factory.mktemp("keys") / "vault", "correct horse")


@pytest.fixture
def path(tmp_path, file_key):
    place = tmp_path / "vault"
    write_sealed(place, SECRET, file_key, replace=False)
    return place


def test_what_was_sealed_opens_with_the_passphrase_and_with_the_kept_key(path, file_key):
    assert [unlock(read_sealed(path), by)[0] for by in ("correct horse", file_key)] == [SECRET, SECRET]


def test_the_file_is_for_its_owner_alone_and_hides_its_content(path):
    assert path.stat().st_mode & 0o777 == 0o600
    assert SECRET not in path.read_bytes()
    assert [one.name for one in path.parent.iterdir()] == ["vault"]


def test_another_passphrase_is_said_to_be_wrong(path):
    with pytest.raises(PassphraseWrong, match=r"vault does not open with this passphrase: the file is whole"):
        unlock(read_sealed(path), "battery staple")


def test_an_empty_passphrase_is_refused(path):
    with pytest.raises(PassphraseMissing, match="give one of at least one character"):
        unlock(read_sealed(path), "")


def test_every_damaged_byte_is_noticed_as_damage(path):
    data = path.read_bytes()
    for place in range(len(data)):
        path.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        with pytest.raises(VaultDamaged, match=r"is damaged .* restore the file from its backup"):
            read_sealed(path)


def test_every_missing_tail_is_noticed_as_damage(path):
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(VaultDamaged):
            read_sealed(path)


@pytest.mark.parametrize(("place", "cost"), [(4, 0), (4, 40), (5, 200), (6, 0)])
def test_a_forged_cost_is_refused_before_it_costs_anything(path, place, cost):
    content = bytearray(path.read_bytes()[:-32])
    content[place] = cost
    path.write_bytes(content + hashlib.sha256(content).digest())
    with pytest.raises(VaultDamaged, match=r"scrypt cost .* is out of range"):
        read_sealed(path)


def test_a_forged_ciphertext_with_a_true_digest_does_not_open(path, file_key):
    content = bytearray(path.read_bytes()[:-32])
    content[-1] ^= 1
    path.write_bytes(content + hashlib.sha256(content).digest())
    with pytest.raises(PassphraseWrong):
        unlock(read_sealed(path), file_key)


def test_a_missing_file_is_said_to_be_missing(tmp_path):
    with pytest.raises(VaultMissing, match=r"key vault .*nowhere is missing"):
        read_sealed(tmp_path / "nowhere")


def test_an_existing_file_is_never_replaced_unless_told(path, file_key):
    before = path.read_bytes()
    with pytest.raises(VaultExists, match="already exists: a key vault never replaces a file"):
        write_sealed(path, b"other", file_key, replace=False)
    assert before == path.read_bytes()
    assert [one.name for one in path.parent.iterdir()] == ["vault"]
    write_sealed(path, b"other", file_key, replace=True)
    assert unlock(read_sealed(path), file_key)[0] == b"other"


def test_a_key_shows_nothing_and_can_be_wiped(tmp_path):
    made = new_file_key(tmp_path, "x")
    assert repr(made) == "FileKey(cost=(15, 8, 1))"
    made.wipe()
    assert bytes(32) == bytes(made.key)
