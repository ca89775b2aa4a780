from __future__ import annotations

import stat

import pytest

from citycard.city.secrets import new_passphrase, passphrase
from citycard.errors import PassphraseNotFound


def test_a_drawn_passphrase_is_kept_for_the_owner_alone(tmp_path, monkeypatch):
    monkeypatch.delenv("CITYCARD_VAULT_PASSPHRASE", raising=False)

    drawn = new_passphrase(tmp_path)

    assert passphrase(tmp_path) == drawn
    assert new_passphrase(tmp_path) == drawn
    assert stat.S_IMODE((tmp_path / "vault.pass").stat().st_mode) == 0o600


def test_the_environment_wins_and_writes_no_file(tmp_path, monkeypatch):
    monkeypatch.setenv("CITYCARD_VAULT_PASSPHRASE", "from outside")

    assert new_passphrase(tmp_path) == "from outside"
    assert passphrase(tmp_path) == "from outside"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_passphrase_says_where_it_is_looked_for(tmp_path, monkeypatch):
    monkeypatch.delenv("CITYCARD_VAULT_PASSPHRASE", raising=False)

    with pytest.raises(PassphraseNotFound, match="CITYCARD_VAULT_PASSPHRASE"):
        passphrase(tmp_path)
