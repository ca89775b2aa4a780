"""``citycard stock`` and ``citycard job`` in a real city: from a box of blanks to cards and their report."""

from __future__ import annotations

import json

import pytest

from citycard.cli.main import _run

pytestmark = pytest.mark.usefixtures("bazaar")

FIRST = "01019901000000000001"


@pytest.fixture
def town(found_city, card_town, tmp_path, monkeypatch):
    found_city(tmp_path / "town", card_town).close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path / "town"


@pytest.fixture
def supplied(town, capsys):
    add = ["stock", "range", "add", "r1", "--product", "standard", "--first", FIRST, "--size", "100"]
    assert _run(add) == 0
    assert _run(["stock", "receive", "box-1", "--cards", "50", "--supplier", "maker"]) == 0
    capsys.readouterr()
    return town


def answer(capsys, *words, code=0):
    assert _run([*words, "--json"]) == code
    return json.loads(capsys.readouterr().out)


def test_a_job_is_opened_run_and_reported(supplied, tmp_path, capsys):
    opened = answer(
        capsys, "job", "open", "standard", "20", "--range", "r1", "--lot", "box-1", "--by", "anna"
    )
    done = answer(capsys, "job", "run", "1", "--out", str(tmp_path / "out"))
    again = answer(capsys, "job", "run", "1", "--out", str(tmp_path / "out"))

    assert (opened["number"], opened["wanted"], opened["made"], opened["by"]) == (1, 20, 0, "anna")
    assert (done["made"], done["spoiled"], done["missing"], done["spoiled_numbers"]) == (20, 0, 0, [])
    assert again == done
    assert len(list((tmp_path / "out").glob("*.card"))) == 20
    assert answer(capsys, "job", "list")[0]["made"] == 20
    (lot,) = answer(capsys, "stock", "report")
    assert (lot["held"], lot["used"], lot["adds_up"]) == ({"store": 30}, 20, True)
    assert answer(capsys, "stock", "range", "list")[0]["taken"] == 20


def test_people_get_lines(supplied, tmp_path, capsys):
    assert _run(["job", "open", "standard", "3", "--range", "r1", "--lot", "box-1"]) == 0
    assert _run(["job", "run", "1", "--out", str(tmp_path / "out")]) == 0
    assert _run(["job", "list"]) == 0
    assert _run(["job", "show", "1"]) == 0
    assert _run(["stock", "report"]) == 0

    said = capsys.readouterr().out
    assert "store 47" in said
    assert "None" not in said


def test_a_job_needs_to_know_where_its_cards_go(supplied, capsys):
    assert _run(["job", "open", "standard", "3", "--range", "r1", "--lot", "box-1"]) == 0
    assert _run(["job", "run", "1"]) == 2
    assert _run(["job", "run", "7", "--out", "x"]) == 4
    assert "there is no job 7" in capsys.readouterr().err
