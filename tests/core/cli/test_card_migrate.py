"""``citycard card migrate`` on card files: an old card becomes a new one, and is refused afterwards."""

from __future__ import annotations

import json
from datetime import date

import pytest

from citycard import registry
from citycard.cli.cardfile import chip_file, write_card_file
from citycard.cli.main import _run
from citycard.store import writing

pytestmark = pytest.mark.usefixtures("bazaar")

TERMINAL = "990100000001"
ASN = "01019901000000000001"


@pytest.fixture
def town(found_city, card_town, tmp_path, monkeypatch):
    city = found_city(tmp_path / "town", card_town)
    today = city.now_local().date()
    with writing(city.engine) as conn:
        registry.add_partners(conn, [registry.Partner(id="desk", name="Service desk")])
        terminal = registry.Terminal(number=TERMINAL, partner="desk", opened_on=date(2018, 9, 1))
        registry.add_terminals(conn, [terminal])
    for name, asn in (("new", ASN), ("other", ASN[:-1] + "2")):
        chip = city.issuing.chip(asn, "standard", today)
        with writing(city.engine) as conn:
            registry.add_cards(conn, [city.issuing.card(asn, "standard", today)])
        write_card_file(tmp_path / f"{name}.card", chip_file(chip, "t-union"))
    city.close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    monkeypatch.chdir(tmp_path)
    words = ["--serial", "00012345", "--balance", "52.30", "--dedicated", "7", "--kind", "2"]
    assert _run(["card", "make-old", "old.card", *words]) == 0
    return tmp_path


def migrate(*more, new="new.card"):
    return _run(["card", "migrate", "--old", "old.card", "--new", new, "--terminal", TERMINAL, *more])


def test_an_old_card_becomes_a_new_one_and_says_so(town, capsys):
    assert migrate() == 0
    assert f"old card 9901000100012345: 52.30 yuan moved to card {ASN}" in capsys.readouterr().out
    assert _run(["card", "old", ASN]) == 0
    told = capsys.readouterr().out
    assert [word for word in ("intended", "locked", "emptied", "loaded", "done") if word in told] == [
        "intended",
        "locked",
        "emptied",
        "loaded",
        "done",
    ]


def test_the_answers_are_json_when_asked(town, capsys):
    capsys.readouterr()
    assert migrate("--json") == 0
    done = json.loads(capsys.readouterr().out)
    assert (done["old_card"], done["new_asn"], done["state"]) == ("9901000100012345", ASN, "done")
    assert (done["amount_fen"], done["dedicated"]) == (5230, 7)
    assert _run(["card", "old", "9901000100012345", "--json"]) == 0
    known = json.loads(capsys.readouterr().out)
    assert len(known["steps"]) == 5
    assert _run(["card", "make-old", "b.card", "--serial", "00000002", "--plan", "changsha", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["old_card"] == "5001000000000002"


def test_a_second_time_is_refused_and_going_on_does_nothing(town, capsys):
    assert migrate() == 0
    assert migrate() == 5
    assert f"it was replaced by card {ASN}" in capsys.readouterr().err
    assert migrate(new="other.card") == 5
    assert migrate("--resume") == 0
    assert _run(["card", "migrate", "--new", "new.card", "--resume"]) == 0
    assert _run(["card", "migrate", "--new", "other.card", "--resume"]) == 4
    assert _run(["card", "migrate", "--new", "new.card"]) == 2


def test_money_that_is_paid_over_for_old_cards_is_noted_once(town, capsys):
    for said in ("took over 1000.00 yuan;", "payment bank-7 of 1000.00 yuan was already noted on 20"):
        assert _run(["card", "take-over", "1000.00", "--ref", "bank-7"]) == 0
        told = capsys.readouterr().out.splitlines()[-1]
        assert told.startswith(said)
        assert "the float of old cards is 1000.00 yuan" in told
    assert _run(["card", "take-over", "1000.01", "--ref", "bank-7"]) != 0
    assert migrate() == 0
    capsys.readouterr()
    assert _run(["card", "take-over", "0.50", "--ref", "bank-8", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "amount_fen": 50,
        "float_fen": 100_000 - 5230 + 50,
        "already_at": None,
    }


def test_the_history_of_the_new_card_says_who_moved_the_old_one_to_it(town, capsys):
    assert migrate("--by", "anna") == 0
    capsys.readouterr()
    assert _run(["card", "history", ASN, "--json"]) == 0
    steps = json.loads(capsys.readouterr().out)
    assert [one["by"] for one in steps if one["what"] == "migrated"] == ["anna"]


def test_wrong_calls_say_what_is_wrong_in_one_line(town, capsys):
    capsys.readouterr()
    for code, words in (
        (4, ["card", "migrate", "--old", "a", "--new", "b", "--terminal", TERMINAL, "--plan", "atlantis"]),
        (4, ["card", "old", "9901000100099999"]),
        (5, ["card", "make-old", "old.card", "--serial", "00012345"]),
        (2, ["card", "make-old", "x.card", "--serial", "zz"]),
        (2, ["card", "make-old", "nowhere/x.card", "--serial", "00012345"]),
        (2, ["card", "migrate", "--old", "gone.card", "--new", "new.card"]),
        (2, ["card", "migrate", "--old", "./gone", "--new", "new.card"]),
        (2, ["card", "migrate"]),
    ):
        assert _run(words) == code
        assert capsys.readouterr().err.count("\n") == 1
