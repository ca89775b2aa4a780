"""``citycard utilities``: what an operator does with files; one line and an exit code for what is wrong."""

from __future__ import annotations

import json
from contextlib import closing

import attrs
import pytest

from citycard.cli.main import main
from citycard.testing.town import Town


@pytest.fixture(scope="module")
def folder(tmp_path_factory, town_settings):
    """Give the folder of a town with a card whose account has 50 yuan."""
    with closing(Town.make(tmp_path_factory.mktemp("t"), ["utilities"], town_settings)) as town:
        card = town.card()
        town.account(card, 5_000)
        return town.city.folder


@attrs.frozen
class Said:
    """What a command said."""

    stdout: str
    stderr: str


@pytest.fixture
def call(folder, capsys, monkeypatch):
    """Give what calls ``citycard utilities`` in the town, and checks its exit code."""
    monkeypatch.setenv("CITYCARD_CITY", str(folder))

    def called(*words, code=0):
        with pytest.raises(SystemExit) as left:
            main(["utilities", *words])
        said = capsys.readouterr()
        assert left.value.code == code, said
        return Said(said.out, said.err)

    return called


CARD = "01019901000000000001"
FILE = "bill,household,amount,due\nW1,H1,20.00,2099-03-20\nW2,H1,x,2099-03-20\nend,2,0.00\n"


def test_a_file_goes_in_a_bill_is_paid_and_reversed(call, tmp_path):
    path = tmp_path / "water.csv"
    path.write_text(FILE)
    taken = call("import", str(path), "--biller", "water-works", "--json", code=1)
    assert json.loads(taken.stdout)["added"] == 1
    assert taken.stderr.strip().startswith("water.csv: line 3: amount is 'x'")
    shown = call("bills", "--biller", "water-works", "--household", "H1")
    assert "W1" in shown.stdout
    paid = json.loads(call("pay", "W1", "--biller", "water-works", "--account", CARD, "--json").stdout)
    assert (paid["amount_fen"], paid["state"]) == (2000, "done")
    call("pay", "W1", "--biller", "water-works", "--account", CARD, code=5)
    back = call("reverse", paid["id"], "--reason", "wrong", "--approved-by", "Wang", "--json")
    assert json.loads(back.stdout)["state"] == "done"
    assert json.loads(call("collect", "--json").stdout)["paid"] == 0
    assert "returns moved" in call("match").stdout
    assert json.loads(call("overview", "--json").stdout)["totals"][0]["bills"] == 1
    assert "water-works" in call("overview").stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["bills", "--biller", "nobody", "--household", "H1"], 4),
        (["pay", "W404", "--biller", "water-works", "--account", CARD], 4),
        (["reverse", "990100000001-1-1", "--reason", "r", "--approved-by", "a"], 4),
        (["assign", "990100000001-1-1", "W1"], 4),
        (["export", "--biller", "gas-works"], 4),
        (["import", "nothing.csv", "--biller", "water-works"], 2),
        (["pay", "W1", "--biller", "water-works", "--account", CARD, "--id", "no"], 2),
    ],
)
def test_what_is_wrong_is_told_in_one_line_with_an_exit_code(call, words, code):
    done = call(*words, code=code)
    if code != 2:
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_file_that_is_no_file_is_refused(call, tmp_path):
    path = tmp_path / "cut.csv"
    path.write_text(FILE[:-10])
    assert "trailer" in call("import", str(path), "--biller", "water-works", code=3).stderr
    assert "H,citycard-biller-1" in call("check", str(path), code=3).stderr
