"""Hierarchies with a root of their own: own file, own passphrase, own purposes, no way between them."""

import pytest

from citycard.city import City
from citycard.city.secrets import passphrase, pin
from citycard.city.vaults import hierarchy_purposes, vault_path
from citycard.errors import (
    CityConfigInvalid,
    CityUnfinished,
    KeyHierarchyMissing,
    KeyHierarchyShared,
    KeyPurposeInvalid,
    KeyPurposeUnknown,
    PassphraseNotFound,
    PassphraseWrong,
    PinNotFound,
    SealBroken,
    SettingsInvalid,
)
from citycard.keys import KeyPurpose, verify_signature

CITY = '[city]\nname = "Haibin"\ncode = "9901"\n'
ASN8 = bytes.fromhex("0000000012345678")
PRESCRIBE = KeyPurpose(name="prescribe", kind=0x39, title="Doctor", owner="health", hierarchy="health")
LOAD = KeyPurpose(name="load", kind=0x3F, title="Own load", owner="health", hierarchy="health")
PIN = "135790"


@pytest.fixture
def city(tmp_path, monkeypatch):
    (tmp_path / "template.toml").write_text(CITY)
    city = City.create(tmp_path / "city", tmp_path / "template.toml")
    monkeypatch.setattr(city, "_declared_purposes", lambda: [PRESCRIBE, LOAD])
    yield city
    city.close()


def test_a_hierarchy_has_its_own_keys_even_under_the_same_purpose(city):
    health = city.create_hierarchy("health")
    assert health.card_key("load", ASN8) != city.vault.card_key("load", ASN8)
    assert [purpose.name for purpose in health.purposes()] == ["prescribe", "load"]
    for vault, name in ((city.vault, "prescribe"), (health, "purchase")):
        with pytest.raises(KeyPurposeUnknown):
            vault.card_key(name, ASN8)
    with pytest.raises(SealBroken):
        city.sealer.open(health.sealer("registry").seal(b"Wang"))
    assert not verify_signature(city.vault.public_key_pem(), b"x", health.sign(b"x"))


def test_a_hierarchy_has_its_own_passphrase(city, monkeypatch):
    city.create_hierarchy("health").close()
    assert passphrase(city.folder) != passphrase(city.folder, "health")
    monkeypatch.setenv("CITYCARD_VAULT_PASSPHRASE_HEALTH", passphrase(city.folder))
    again = City.open(city.folder)
    with pytest.raises(PassphraseWrong):
        again.hierarchy("health")
    again.close()


def test_a_hierarchy_that_was_not_made_says_how(city):
    with pytest.raises(KeyHierarchyMissing, match="citycard key hierarchy create"):
        city.hierarchy("health")
    assert city.create_hierarchy("health") is city.hierarchy("health")


def test_a_hierarchy_may_have_a_root_of_its_own_ceremony(city):
    root = bytes(range(16))
    health = city.create_hierarchy("health", root=root)
    again = City.create(city.folder.parent / "again", city.folder / "city.toml", root=root)
    assert again.vault.card_key("load", ASN8) == health.card_key("load", ASN8)
    again.close()


def test_a_hierarchy_belongs_to_one_plugin(city):
    intruder = KeyPurpose(name="spy", kind=0, title="Spy", owner="zoo", hierarchy="health")
    with pytest.raises(KeyHierarchyShared, match="declared by health, zoo"):
        hierarchy_purposes([PRESCRIBE, intruder], "health")
    assert hierarchy_purposes([PRESCRIBE, intruder], "") == []


@pytest.mark.parametrize("name", ["city", "Health", "a b", "-x"])
def test_a_hierarchys_name_is_checked(name):
    with pytest.raises(KeyPurposeInvalid, match="field hierarchy"):
        KeyPurpose(name="spy", kind=0, title="Spy", owner="zoo", hierarchy=name)


def test_what_the_city_seals_only_its_own_vault_opens(city):
    sealed = city.sealer.seal(b"Wang Wei")
    again = City.open(city.folder)
    assert again.sealer.open(sealed) == b"Wang Wei"
    again.close()


def test_a_hierarchy_may_be_in_a_token_while_the_city_is_in_a_file(tmp_path, softhsm, monkeypatch):
    softhsm.token("health", PIN)
    place = f'kind = "pkcs11"\nmodule = "{softhsm.module}"\ntoken = "health"\npin_file = "secret/pin"\n'
    (tmp_path / "template.toml").write_text(f"{CITY}[vault.hierarchies.health]\n{place}")
    city = City.create(tmp_path / "city", tmp_path / "template.toml")
    with pytest.raises(PinNotFound, match="set CITYCARD_VAULT_PIN_HEALTH, or write it into"):
        city.create_hierarchy("health")
    (city.folder / "secret").mkdir()
    (city.folder / "secret" / "pin").write_text(f"{PIN}\n")
    monkeypatch.setattr(city, "_declared_purposes", lambda: [PRESCRIBE])
    made = city.create_hierarchy("health").card_key("prescribe", ASN8)
    city.close()
    again = City.open(city.folder)
    monkeypatch.setattr(again, "_declared_purposes", lambda: [PRESCRIBE])
    assert made == again.hierarchy("health").card_key("prescribe", ASN8)
    assert vault_path(again.folder, again.config).name == "vault.bin"
    again.close()


def test_a_city_whose_token_vault_is_not_made_is_unfinished(tmp_path, softhsm):
    (tmp_path / "city.toml").write_text(
        f'{CITY}[vault]\nkind = "pkcs11"\nmodule = "{softhsm.module}"\ntoken = "none"\n'
    )
    with pytest.raises(CityUnfinished):
        City.open(tmp_path)


@pytest.mark.parametrize("section", ['kind = "paper"', 'kind = "pkcs11"', 'kind = "pkcs11"\nmodule = "x.so"'])
def test_a_wrong_section_is_told(tmp_path, section):
    (tmp_path / "city.toml").write_text(f"{CITY}[vault]\n{section}\n")
    with pytest.raises((CityConfigInvalid, SettingsInvalid), match="vault"):
        City.open(tmp_path)


def test_secrets_are_looked_for_where_they_are_said_to_be(tmp_path):
    with pytest.raises(PassphraseNotFound, match=r"_PASSPHRASE_OWN_ROOT.*vault-own-root\.pass"):
        passphrase(tmp_path, "own-root")
    with pytest.raises(PinNotFound, match=r"CITYCARD_VAULT_PIN_OWN_ROOT.*vault-own-root\.pin"):
        pin(tmp_path, "", "own-root")
