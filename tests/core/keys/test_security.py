"""Marked keys go through everything public; nothing that is shown, raised, logged or written holds them."""

import contextlib
import datetime as dt
import logging
import pickle
import traceback

import attrs
import pytest

from citycard.errors import CitycardError
from citycard.keys import (
    CORE_PURPOSES,
    FileVault,
    KeyHierarchy,
    Pkcs11Vault,
    SoftKeys,
    Vault,
    cipher,
    line,
    purse,
    transport,
)
from citycard.keys.ceremony import Ceremony, Scheme, Signer
from citycard.keys.cipher import Algorithm
from citycard.keys.diversify import Diversifier
from citycard.keys.protocol import draw_signer, protocol_text, public_pem
from citycard.keys.sealer import AesGcmSealer
from citycard.keys.signing import SigningKey
from citycard.keys.versions import KeyVersions
from citycard.terminal.sam import SoftSam

MARK = bytes.fromhex("DEADBEEF")
KEY = MARK * 4
NOW = dt.datetime(2026, 3, 2, tzinfo=dt.UTC)
ASN8 = bytes.fromhex("0000000012345678")
PIN = "DEADBEEF"


def forms(secret: bytes) -> set[str]:
    return {secret.hex(), str(secret)[2:-1], str(list(secret))[1:-1], str(int.from_bytes(secret, "big"))}


def shown(value, depth=3) -> str:
    """Return everything that a debugger, a log or a dump of public fields would show."""
    text = f"{value!r} {value}"
    if attrs.has(type(value)) and depth:
        text += " ".join(
            shown(getattr(value, field.name), depth - 1)
            for field in attrs.fields(type(value))
            if field.repr is not False
        )
    return text.lower()


def leaks(text: str, *secrets: bytes) -> list[str]:
    return [form for secret in secrets for form in forms(secret) if len(form) > 6 and form.lower() in text]


def raised(call) -> str:
    try:
        call()
    except (CitycardError, ValueError, TypeError) as error:
        told = "".join(traceback.format_exception(error))
        return f"{told} {error.args} {getattr(error, 'data', '')}".lower()
    return ""


@pytest.fixture
def vault():
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(KEY, versions)


def every_secret(vault) -> list[bytes]:
    keys = vault.card_keys(ASN8)
    card = [getattr(keys, field.name) for field in attrs.fields(type(keys)) if not field.repr]
    hierarchy = KeyHierarchy(KEY)
    return [KEY, MARK * 2, *card, *(hierarchy.purpose_key(one.name, 1) for one in CORE_PURPOSES)]


def test_no_public_object_shows_a_key(vault):
    signing = SigningKey.draw()
    objects = [
        vault,
        vault.card_keys(ASN8),
        vault.card_keys_many([ASN8]),
        vault.sam_keys(),
        vault.versions(),
        vault.purposes(),
        KeyHierarchy(KEY),
        SoftKeys(KEY, {("load", 2): KEY}, signing),
        Diversifier(KEY),
        AesGcmSealer(KEY * 2),
        vault.sealer("registry"),
        SoftSam("001122334455", vault.sam_keys(), KEY),
        cipher.encryptor(KEY),
        signing,
        transport.export_key(vault, "load", KEY, form="aes-kw"),
    ]
    text = " ".join(shown(one) for one in objects)
    assert leaks(text, *every_secret(vault), signing.secret()) == []


def test_no_error_tells_a_key(vault):
    sealed = transport.export_key(vault, "load", KEY, form="aes-kw")
    calls = [
        lambda: Diversifier(KEY + MARK),
        lambda: Diversifier(KEY).derive(MARK),
        lambda: SoftKeys(KEY + MARK),
        lambda: KeyHierarchy(MARK),
        lambda: cipher.tdes(MARK * 3, bytes(8)),
        lambda: cipher.tdes(KEY, MARK),
        lambda: cipher.mac8(KEY, b""),
        lambda: cipher.aes(MARK, bytes(16)),
        lambda: line.unseal(KEY, KEY),
        lambda: purse.load_session_key(KEY + MARK, bytes(4), 1),
        lambda: vault.put("load", KEY + MARK),
        lambda: vault.put("nothing", KEY),
        lambda: vault.export_under(KEY + MARK, "load"),
        lambda: vault.card_key("nothing", ASN8),
        lambda: transport.unwrap(sealed, KEY[::-1]),
        lambda: transport.unwrap(sealed, KEY + MARK),
        lambda: SoftSam("001122334455", vault.sam_keys(), KEY + MARK),
    ]
    told = [raised(call) for call in calls]
    assert [place for place, text in enumerate(told) if not text] == []
    # A traceback quotes this file's own lines, which name the marked constants and not their bytes.
    assert leaks(" ".join(told), *every_secret(vault)) == []


def test_no_vault_file_holds_a_key_in_the_clear(tmp_path, softhsm):
    softhsm.token("marked", PIN)
    one = FileVault.create(tmp_path / "a.bin", PIN, bytes(8), root=KEY)
    other = Pkcs11Vault.create(tmp_path / "b.json", softhsm.module, "marked", PIN, bytes(8), root=KEY)
    for vault in (one, other):
        vault.put("load", KEY)
        vault.roll("purchase")
    city_key = KeyHierarchy.from_root(KEY, bytes(8)).city_key()
    for file in tmp_path.rglob("*"):
        data = file.read_bytes()
        assert not any(secret in data or secret.hex().encode() in data.lower() for secret in (KEY, city_key))
        assert PIN.encode() not in data
    assert leaks(f"{one!r} {other!r} {other._keys!r} {other._token!r}".lower(), KEY, city_key) == []
    assert PIN.lower() not in f"{other!r} {other._token!r} {raised(lambda: other.roll('x'))}".lower()
    other.close()


def test_a_ceremony_tells_check_values_alone(tmp_path):
    signers = [
        Signer(role=role, name=name, public_key=public_pem(draw_signer()))
        for role, name in (("officer", "Li"), ("witness", "Zhou"))
    ]
    ceremony = Ceremony.start(
        tmp_path / "c.json",
        subject="root",
        scheme=Scheme.XOR,
        needed=2,
        custodians=("Zhao", "Qian"),
        signers=signers,
        now=NOW,
    )
    parts = {"Zhao": KEY, "Qian": bytes(range(16))}
    for name, part in parts.items():
        ceremony.contribute(name, part, NOW)
    key = ceremony.combine(parts, NOW)
    wrong = raised(lambda: ceremony.combine({"Zhao": KEY, "Qian": KEY}, NOW))
    text = f"{shown(ceremony)} {protocol_text(ceremony)} {(tmp_path / 'c.json').read_text()} {wrong}".lower()
    assert wrong
    assert leaks(text, *parts.values(), key) == []


def test_nothing_is_logged_and_a_vault_is_not_pickled(vault, caplog):
    with caplog.at_level(logging.DEBUG):
        vault.card_keys(ASN8)
        vault.export_under(KEY, "load")
        vault.sign(b"list")
        with contextlib.suppress(CitycardError):
            vault.card_key("load", ASN8, 9)
    assert leaks(caplog.text.lower(), *every_secret(vault)) == []
    with pytest.raises((TypeError, AttributeError)):
        pickle.dumps(vault)


def test_a_leak_would_be_found():
    assert leaks(f"key {KEY!r}".lower(), KEY)
    assert leaks(f"key {KEY.hex()}", KEY)
    assert leaks(f"key {list(KEY)}", KEY)
    assert Algorithm.TDES.name == "TDES"
