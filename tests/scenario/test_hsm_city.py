"""A whole city whose master keys are in a PKCS#11 token: personalise, load, pay, clear."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import select

from citycard.city import City
from citycard.cli.cardfile import read_card_file
from citycard.errors import CityExists, PinNotFound, PinWrong, TokenMissing
from citycard.psam import TRANSIT_PSAM, Psam
from citycard.registry import tables
from citycard.store import reading
from citycard.terminal import CardSam, InProcessReader

EXAMPLE = Path(__file__).parents[2] / "examples" / "morning" / "city.toml"
PIN = "13579086"


def citycard(*arguments: object):
    command = [str(Path(sys.executable).with_name("citycard")), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, softhsm):
    """Return the folder of a city whose keys are in a token, made and played in by the command line."""
    place = tmp_path_factory.mktemp("hsm")
    softhsm.token("morning", PIN)
    section = f'\n[vault]\nkind = "pkcs11"\nmodule = "{softhsm.module}"\ntoken = "morning"\n'
    template = place / "template.toml"
    template.write_text(EXAMPLE.read_text(encoding="utf-8") + section, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CITYCARD_VAULT_PIN", PIN)
        City.create(place / "city", template).close()
        yield place / "city"


@pytest.fixture(scope="module")
def played(folder):
    done = citycard("replay", "morning", "--city", folder, "--taps", 100, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_cards_are_made_loaded_paid_with_and_cleared(played):
    assert played["clearing"] == {"accepted": 100, "rejected": 0, "suspended": 0, "duplicate": 0}
    assert played["loads"] > 40


def test_no_file_of_the_city_holds_a_key_and_no_output_the_pin(folder, played):
    assert not (folder / "vault.bin").exists()
    assert not (folder / "vault.pass").exists()
    assert set(json.loads((folder / "vault.json").read_text())) == {
        "format",
        "hierarchy",
        "imported",
        "mac",
        "number",
        "purposes",
        "versions",
    }
    assert PIN not in json.dumps(played)
    assert PIN not in (folder / "vault.json").read_text()


def test_a_purpose_rolls_over_and_the_list_says_so(folder, played):
    done = citycard("key", "roll", "purchase", "--city", folder, "--json")
    assert {row["version"] for row in json.loads(done.stdout)} == {2}
    rows = json.loads(citycard("key", "list", "--city", folder, "--json").stdout)
    assert {row["status"] for row in rows if row["purpose"] == "tac"} == {"accepted", "current"}


def test_what_is_missing_is_said_in_one_line(folder, monkeypatch):
    with pytest.raises(CityExists):
        City.create(folder, folder / "city.toml")
    monkeypatch.setenv("CITYCARD_VAULT_PIN", "00000000")
    with pytest.raises(PinWrong):
        City.open(folder).vault.versions()
    monkeypatch.delenv("CITYCARD_VAULT_PIN")
    with pytest.raises(PinNotFound, match=r"set CITYCARD_VAULT_PIN, or write it into .*vault\.pin"):
        City.open(folder).vault.versions()
    (folder / "vault.pin").write_text(PIN)
    City.open(folder).vault.close()


def test_a_token_that_is_not_there_stops_the_command_with_exit_4(folder, tmp_path):
    (tmp_path / "tokens").mkdir()
    (tmp_path / "softhsm2.conf").write_text(f"directories.tokendir = {tmp_path / 'tokens'}\n")
    command = [str(Path(sys.executable).with_name("citycard")), "key", "list", "--city", str(folder)]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "SOFTHSM2_CONF": str(tmp_path / "softhsm2.conf")},
    )
    assert (done.returncode, done.stderr.count("\n")) == (4, 1)
    assert "key token 'morning' is not there" in done.stderr
    assert TokenMissing.exit_code == 4


def test_a_sam_made_from_the_token_answers_as_the_citys_own(folder, played, tmp_path):
    city = City.open(folder)
    with reading(city.engine) as conn:
        terminal = conn.execute(select(tables.terminal.c.number)).scalars().first()
    image = tmp_path / "gate.sam"
    done = citycard("sam", "issue", terminal, "--image", image, "--blocking", "--fuel", "--city", folder)
    assert done.returncode == 0, done.stderr
    psam = Psam.from_image(read_card_file(image).image, TRANSIT_PSAM)
    hard, soft = CardSam(InProcessReader(psam)), city.sam(terminal)
    for row in (row for row in city.vault.versions() if row.purpose == "purchase"):
        tap = bytes(4), 7, 250, 6, bytes.fromhex("20180901090000"), row.version, 0, bytes(range(8))
        assert hard.init_for_purchase(*tap) == soft.init_for_purchase(*tap)
    assert hard.sign_batch(bytes(32)) == soft.sign_batch(bytes(32))
    city.close()
