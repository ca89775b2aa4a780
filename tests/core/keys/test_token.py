"""What is wrong with a token is said in one sentence, with what to do."""

import builtins
import multiprocessing

import pytest

from citycard.errors import MechanismMissing, PinWrong, TokenMissing, TokenModuleMissing, TokenPackageMissing
from citycard.keys import Pkcs11Vault, token
from citycard.keys.token import Token, open_token

PIN = "135790"


@pytest.fixture
def label(softhsm, request):
    name = request.node.name[-32:]
    softhsm.token(name, PIN)
    return name


def test_without_the_package_the_extra_is_named(monkeypatch, tmp_path):
    imported = builtins.__import__

    def missing(name, *args, **kwargs):
        if name == "pkcs11":
            raise ImportError(name)
        return imported(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(TokenPackageMissing, match=r"pip install 'citycard\[hsm\]'"):
        open_token(tmp_path / "lib.so", "city", PIN)


def test_a_module_that_is_not_there_or_no_library_is_named(tmp_path):
    with pytest.raises(TokenModuleMissing, match=r"lib\.so cannot be loaded .there is no such file"):
        open_token(tmp_path / "lib.so", "city", PIN)
    (tmp_path / "text.so").write_text("no library")
    with pytest.raises(TokenModuleMissing, match=r"text\.so cannot be loaded"):
        open_token(tmp_path / "text.so", "city", PIN)


def test_a_token_of_another_label_is_missing(softhsm):
    with pytest.raises(TokenMissing, match="'no such token' is not there"):
        open_token(softhsm.module, "no such token", PIN)


def test_a_wrong_pin_is_refused_and_not_told(softhsm, label):
    with pytest.raises(PinWrong, match="refuses the PIN") as caught:
        open_token(softhsm.module, label, "24680246")
    assert "24680246" not in str(caught.value)
    opened = open_token(softhsm.module, label, PIN)
    with pytest.raises(PinWrong):
        open_token(softhsm.module, label, "24680246")
    assert PIN not in repr(opened)
    opened.close()


def test_two_users_share_a_login_and_the_last_one_logs_out(softhsm, label):
    one, other = (open_token(softhsm.module, label, PIN) for _ in range(2))
    assert one is other
    one.close()
    assert other.run(lambda session: session.token.label) == label
    other.close()
    assert open_token(softhsm.module, label, PIN) is not one


def test_a_token_that_cannot_derive_is_refused_before_anything_is_written(
    softhsm, label, tmp_path, monkeypatch
):
    monkeypatch.setattr(Token, "mechanisms", lambda _: {"DES3_ECB", "AES_ECB", "AES_CBC", "ECDSA"})
    with pytest.raises(MechanismMissing, match="lacks PKCS#11 mechanism AES_ECB_ENCRYPT_DATA, DES3_ECB_ENC"):
        Pkcs11Vault.create(tmp_path / "v.json", softhsm.module, label, PIN, bytes(8))
    assert not (tmp_path / "v.json").exists()


def ask(queue, vault):
    queue.put(vault.card_key("load", bytes(8)))


def test_a_forked_process_opens_the_token_for_itself(softhsm, label, tmp_path):
    vault = Pkcs11Vault.create(tmp_path / "v.json", softhsm.module, label, PIN, bytes(8))
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    child = context.Process(target=ask, args=(queue, vault))
    child.start()
    assert queue.get() == vault.card_key("load", bytes(8))
    child.join()
    assert (child.exitcode, token._MODULES[str(softhsm.module)].started >= 0) == (0, True)
    vault.close()
