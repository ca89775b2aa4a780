"""``citycard terminal`` in a real city: the configuration in force, and its MAC for one terminal."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from citycard import registry
from citycard.city import City
from citycard.cli.main import _run
from citycard.store import writing
from citycard.terminal.lists import ListStore

CITY = '[city]\nname = "Quiet town"\ncode = "9901"\n[plugins]\nallow = []\n'
TERMINAL = "990100000001"


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
    return tmp_path / "town"


def test_the_configuration_is_numbered(town, capsys):
    assert [_run(["terminal", "config", "--json"]) for _ in range(2)] == [0, 0]

    first, second = capsys.readouterr().out.replace("}\n{", "}\x1f{").split("\x1f")
    assert json.loads(first) == json.loads(second)
    assert json.loads(first)["number"] == 1
    assert "mac" not in json.loads(first)


def test_a_terminal_gets_it_signed_with_its_own_key(town, capsys):
    assert _run(["terminal", "config", "--terminal", TERMINAL, "--json"]) == 0

    answer = json.loads(capsys.readouterr().out)
    city = City.open(town)
    found = city.configuration()
    assert (answer["number"], answer["digest"]) == (found.number, found.digest)
    assert city.sam(TERMINAL).sign_batch(found.signed_bytes).hex().upper() == answer["mac"]
    city.close()


def test_people_get_lines(town, capsys):
    assert _run(["terminal", "config", "--terminal", TERMINAL]) == 0

    out = capsys.readouterr().out
    assert "blacklist" in out
    assert "mac" in out


def test_a_terminal_nobody_opened_is_refused(town, capsys):
    assert _run(["terminal", "config", "--terminal", "000000000000"]) == 3

    assert "000000000000" in capsys.readouterr().err


def test_lists_are_written_for_terminals_whole_or_as_changes(town, tmp_path, capsys):
    out = tmp_path / "list.ccl"
    assert _run(["terminal", "lists", "--full", "--out", str(out), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    city = City.open(town)
    store = ListStore(tmp_path / "held", city.configuration().content["signing_key"], "9901")
    city.close()

    assert (answer["number"], answer["since"], answer["bytes"]) == (0, None, out.stat().st_size)
    assert store.apply(out.read_bytes()) == 0
    assert _run(["terminal", "lists", "--since", "0", "--out", str(out)]) == 3
    assert _run(["terminal", "lists", "--out", str(out)]) == 2
    assert "the newest list is 0" in capsys.readouterr().err


def test_a_terminal_is_registered_once_and_listed(town, capsys):
    def answer(*words: str):
        assert _run(["terminal", *words, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    new = ("add", "990100000002", "--partner", "bus", "--place", "7", "--place-name", "Harbour Road")
    first, again = answer(*new, "--opened-on", "2018-09-01"), answer("add", "990100000002")

    assert (first["added"], again["added"]) == (True, False)
    assert again["opened_on"] == "2018-09-01"
    assert [one["number"] for one in answer("list", "--partner", "bus")] == [TERMINAL, "990100000002"]
    assert answer("list")[1] == {key: value for key, value in first.items() if key != "added"}


def test_a_terminal_that_cannot_be_registered_says_what_is_missing(town, capsys):
    for words, code, told in (
        (["990100000002"], 2, "give its --partner"),
        (["990100000002", "--partner", "nobody"], 3, "citycard partner add"),
        (["990100000002", "--partner", "bus", "--place", "9"], 3, "--place-name"),
        (["990100000002", "--partner", "bus", "--place-name", "Here"], 2, "--place"),
        (["12", "--partner", "bus"], 3, "12 decimal digits"),
        ([TERMINAL, "--place", "7", "--place-name", "Harbour Road"], 5, "is registered with place"),
    ):
        assert (words, _run(["terminal", "add", *words])) == (words, code)
        assert told in capsys.readouterr().err


def test_a_terminal_nobody_registered_names_the_command_that_does_it(town, capsys):
    assert _run(["terminal", "config", "--terminal", "990100000009"]) == 3

    assert "citycard terminal add" in capsys.readouterr().err
