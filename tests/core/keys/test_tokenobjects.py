"""A token remembers the newest file of versions, and no crash between token and file loses either."""

import itertools
import signal
import subprocess
import sys
from pathlib import Path

import pkcs11
import pytest

from citycard.errors import TokenKeyMissing, TokenOccupied, VaultOutdated
from citycard.keys import KeyStatus, Pkcs11Vault, diversify
from citycard.keys.tokenkeys import TokenKeys

ROOT = bytes.fromhex("00112233445566778899AABBCCDDEEFF")
CITY = bytes.fromhex("5840000000000001")
ASN8 = bytes.fromhex("0000000012345678")
FOREIGN = bytes.fromhex("404142434445464748494A4B4C4D4E4F")
PIN = "135790"
LABELS = (f"copy {number}" for number in itertools.count())
CHILD = Path(__file__).with_name("token_child.py")


@pytest.fixture
def label(softhsm):
    name = next(LABELS)
    softhsm.token(name, PIN)
    return name


@pytest.fixture
def vault(softhsm, label, tmp_path):
    vault = Pkcs11Vault.create(tmp_path / "vault.json", softhsm.module, label, PIN, CITY, root=ROOT)
    yield vault
    vault.close()


def again(path, softhsm, label):
    return Pkcs11Vault.open(path, softhsm.module, label, PIN)


def child(vault, softhsm, label, what, stop):
    command = [sys.executable, str(CHILD), *map(str, (vault.path, softhsm.module, label, PIN, what, stop))]
    return subprocess.Popen(command)


@pytest.mark.parametrize(
    ("what", "stop"), [("put", stop) for stop in range(1, 7)] + [("roll", stop) for stop in range(1, 5)]
)
def test_a_change_killed_anywhere_leaves_the_vault_as_before_or_after(vault, softhsm, label, what, stop):
    before = vault.card_keys(ASN8)
    vault.close()
    assert child(vault, softhsm, label, what, stop).wait(60) == -signal.SIGKILL
    opened = again(vault.path, softhsm, label)
    assert opened.card_key("load", ASN8, 1) == before.load
    statuses = [row.status for row in opened.versions() if row.purpose == "load"]
    assert statuses in (
        [KeyStatus.CURRENT],
        [KeyStatus.CURRENT, KeyStatus.WAITING] if what == "put" else [KeyStatus.ACCEPTED, KeyStatus.CURRENT],
    )
    opened.put("load", FOREIGN)
    opened.roll("load")
    assert opened.card_keys(ASN8).load == diversify(FOREIGN, ASN8)
    opened.close()


def test_two_processes_roll_the_same_purpose_and_no_version_is_lost(vault, softhsm, label):
    others = [child(vault, softhsm, label, "rolls", 0) for _ in range(2)]
    assert [one.wait(120) for one in others] == [0, 0]
    vault.refresh()
    assert [row.version for row in vault.versions() if row.purpose == "load"] == list(range(1, 8))
    assert len(token_objects(softhsm, label, "citycard/city/book")) == 1


def test_an_old_copy_of_the_file_is_refused(vault, softhsm, label):
    vault.roll("purchase")
    old = vault.path.read_bytes()
    vault.retire("purchase", 1)
    vault.path.write_bytes(old)
    with pytest.raises(VaultOutdated, match=r"is copy 2, but token .* confirmed copy 3"):
        again(vault.path, softhsm, label)
    with pytest.raises(VaultOutdated):
        vault.roll("purchase")


def test_a_file_that_the_token_did_not_confirm_yet_is_good_and_then_confirmed(
    vault, softhsm, label, monkeypatch
):
    older = vault.path.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(TokenKeys, "confirm", stopped)
        with pytest.raises(KeyboardInterrupt):
            vault.roll("purchase")
    opened = again(vault.path, softhsm, label)
    assert {row.version for row in opened.versions() if row.purpose == "purchase"} == {1, 2}
    vault.path.write_bytes(older)
    with pytest.raises(VaultOutdated):
        again(vault.path, softhsm, label)


def test_a_mark_of_making_does_not_let_a_finished_vault_be_replaced(vault, softhsm, label):
    before = vault.card_keys(ASN8)
    kept = vault.path.read_bytes()
    vault.path.unlink()
    vault.path.with_name("vault.json.making").write_bytes(b"")
    with pytest.raises(TokenOccupied):
        Pkcs11Vault.create(vault.path, softhsm.module, label, PIN, CITY)
    vault.path.write_bytes(kept)
    assert again(vault.path, softhsm, label).card_keys(ASN8) == before


def stopped(*_):
    raise KeyboardInterrupt


def test_a_key_that_the_token_lost_does_not_become_current(vault, softhsm, label):
    vault.put("load", FOREIGN)
    for one in token_objects(softhsm, label, "citycard/city/load/2"):
        one.destroy()
    with pytest.raises(TokenKeyMissing):
        vault.roll("load")
    assert [row.version for row in vault.versions() if row.status is KeyStatus.CURRENT][:3] == [1, 1, 1]


def token_objects(softhsm, label, name):
    token = pkcs11.lib(str(softhsm.module)).get_token(token_label=label)
    session = token.open(rw=True)
    return list(session.get_objects({pkcs11.Attribute.LABEL: name}))
