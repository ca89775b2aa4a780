"""``citycard sam`` in a real city, with SAMs in files."""

from __future__ import annotations

import json
import time
from datetime import date
from pathlib import Path

import attrs
import pytest

from citycard import registry
from citycard.cli.cardfile import read_card_file
from citycard.cli.main import _run
from citycard.pcsc import PcscReader, VpcdSlot
from citycard.psam import TRANSIT_PSAM, Psam
from citycard.store import writing
from citycard.terminal import CardSam, InProcessReader

CITY = '[city]\nname = "Quiet town"\ncode = "9901"\n[plugins]\nallow = []\n'
TERMINAL, NUMBER = "990100000001", "00009901990100000001"


@pytest.fixture
def town(found_city, tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "template.toml").write_text(CITY)
    city = found_city(tmp_path / "town", tmp_path / "template.toml")
    with writing(city.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="bus", name="Bus")])
        registry.add_terminals(
            conn, [registry.Terminal(number=TERMINAL, partner="bus", opened_on=date(2018, 9, 1))]
        )
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path


@pytest.fixture
def image(town, capsys) -> str:
    path = town / "gate.sam"
    assert _run(["sam", "issue", TERMINAL, "--image", str(path)]) == 0
    assert capsys.readouterr().err == f"SAM {NUMBER} is the SAM of terminal {TERMINAL}\n"
    return str(path)


def answer(capsys, *words: str):
    assert _run(["sam", *words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_an_issued_sam_works_from_its_file(town, image):
    assert (town / "gate.sam").stat().st_mode & 0o777 == 0o600
    sam = CardSam(InProcessReader(read_card_file(Path(image)).card()))
    assert sam.terminal == TERMINAL
    assert len(sam.sign_batch(bytes(32))) == 16


def test_sams_are_listed_and_shown(town, image, capsys):
    (listed,) = answer(capsys, "list")
    assert (listed["number"], listed["status"], listed["keys"]["purchase"]) == (NUMBER, "issued", [1])
    assert [step["what"] for step in answer(capsys, "show", NUMBER)["history"]] == ["issued", "keys"]
    assert answer(capsys, "list", "--status", "revoked") == []
    assert _run(["sam", "list"]) == 0
    assert capsys.readouterr().out.splitlines()[1].split()[:3] == [NUMBER, TERMINAL, "issued"]
    assert _run(["sam", "show", NUMBER]) == 0
    assert f"SAM {NUMBER} of terminal {TERMINAL}: issued" in capsys.readouterr().out


def test_a_sam_gets_the_keys_of_a_roll_over_and_keeps_its_serial(town, image, capsys):
    path = Path(image)
    assert _run(["key", "roll", "purchase"]) == 0
    capsys.readouterr()
    assert answer(capsys, "update", NUMBER, "--image", image)["keys"]["purchase"] == [1, 2]
    sam = CardSam(InProcessReader(read_card_file(path).card()))
    serial, _ = sam.init_for_purchase(bytes(4), 0, 1, 6, bytes(7), 2, 0, bytes(8))
    assert serial == 1


def test_a_revoked_sam_is_refused_everything(town, image, capsys):
    assert answer(capsys, "revoke", NUMBER, "--reason", "stolen")["status"] == "revoked"
    assert _run(["sam", "update", NUMBER, "--image", image]) == 5
    assert f"SAM {NUMBER} of terminal {TERMINAL} was revoked" in capsys.readouterr().err
    assert _run(["terminal", "config", "--terminal", TERMINAL]) == 5
    capsys.readouterr()
    assert _run(["sam", "issue", TERMINAL, "--image", str(town / "new.sam")]) == 5
    told = capsys.readouterr().err
    assert "citycard terminal add" in told
    assert "sam update" not in told


def test_what_a_terminal_number_is_is_said_of_the_terminal(town, capsys):
    assert _run(["sam", "issue", "12", "--image", str(town / "new.sam")]) == 3
    assert "terminal '12': number is '12': expected 12 decimal digits" in capsys.readouterr().err


def test_a_revocation_needs_a_reason(town, image):
    assert _run(["sam", "revoke", NUMBER]) == 2


@pytest.mark.parametrize("words", [[], ["--reader", "0", "--image", "x.sam"]])
def test_a_sam_is_in_one_place(town, words, capsys):
    assert _run(["sam", "issue", TERMINAL, *words]) == 2
    assert "where is the SAM? give --reader or --image" in capsys.readouterr().err


def test_an_unknown_terminal_or_sam_is_missing(town, capsys):
    assert _run(["sam", "issue", "990100000009", "--image", str(town / "x.sam")]) == 3
    assert _run(["sam", "show", NUMBER]) == 3


def test_a_sam_is_issued_and_used_in_a_real_reader(town, pcscd, capsys):
    place = pcscd.slots[0]
    with VpcdSlot(Psam.blank(attrs.evolve(TRANSIT_PSAM, t0=True)), port=place.port):
        assert _run(["sam", "issue", TERMINAL, "--reader", place.reader]) == 0
        assert _run(["key", "roll", "purchase"]) == 0
        assert _run(["sam", "update", NUMBER, "--reader", place.reader]) == 0
        with PcscReader(place.reader) as reader:
            reader.wait_for_card(10)
            sam = CardSam(reader)
            assert sam.init_for_purchase(bytes(4), 0, 1, 6, bytes(7), 2, 0, bytes(8))[0] == 1
    time.sleep(0.5)  # the service notices an empty slot at its next look
