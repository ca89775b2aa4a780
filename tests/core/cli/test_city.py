"""``citycard city``: made, upgraded, shown, and its events delivered."""

from __future__ import annotations

import json
import stat

import pytest

from citycard.city import City
from citycard.clearing.events import RUN_CLOSED
from citycard.cli.main import _run
from citycard.store import publish, writing

CITY = '[city]\nname = "Quiet town"\ncode = "9901"\n[plugins]\nallow = []\n'


@pytest.fixture
def template(tmp_path):
    path = tmp_path / "template.toml"
    path.write_text(CITY)
    return path


@pytest.fixture
def town(template, tmp_path, monkeypatch):
    assert _run(["city", "create", str(tmp_path / "town"), "--config", str(template)]) == 0
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path / "town"


def test_a_city_is_made_once(town, template, capsys):
    assert _run(["city", "create", str(town), "--config", str(template)]) == 5

    assert "already holds a city" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (CITY.replace('"9901"', '"99"'), "code is '99': expected four digits"),
        (CITY.replace("name", "nmae"), "nmae"),
        ("[city", "template.toml"),
    ],
)
def test_a_wrong_configuration_writes_nothing_and_a_right_one_is_taken_after_it(
    wrong, message, template, tmp_path, capsys
):
    words = ["city", "create", str(tmp_path / "new"), "--config", str(template)]
    template.write_text(wrong)

    assert _run(words) == 3
    err = capsys.readouterr().err
    assert (message in err, str(template) in err, (tmp_path / "new").exists()) == (True, True, False)

    template.write_text(CITY)
    assert _run(words) == 0


def test_git_keeps_out_of_a_new_city_and_not_out_of_a_folder_with_something_in_it(town, template, tmp_path):
    assert (town / ".gitignore").read_text() == "*\n"

    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "README").touch()
    assert _run(["city", "create", str(tmp_path / "mine"), "--config", str(template)]) == 0
    assert not (tmp_path / "mine" / ".gitignore").exists()


def test_a_new_city_folder_is_its_owners_alone(town):
    assert stat.S_IMODE(town.stat().st_mode) == 0o700


def test_a_city_can_be_upgraded_again_and_again(town, capsys):
    assert [_run(["city", "upgrade"]) for _ in range(2)] == [0, 0]
    capsys.readouterr()
    assert _run(["city", "upgrade", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"folder": str(town), "plugins": []}


def test_a_new_city_tells_who_it_is_in_json(template, tmp_path, capsys):
    assert _run(["city", "create", str(tmp_path / "new"), "--config", str(template), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    expected = {"name": "Quiet town", "code": "9901", "issuer": "01019901FFFFFFFF"}
    assert told == {"folder": str(tmp_path / "new"), **expected}


def test_a_city_is_shown(town, capsys):
    capsys.readouterr()
    assert _run(["city", "show", "--json"]) == 0

    shown = json.loads(capsys.readouterr().out)
    assert (shown["name"], shown["plugins"], shown["counts"]["cards"]) == ("Quiet town", [], 0)


def test_events_that_wait_are_delivered_once(town, capsys):
    city = City.open(town)
    with writing(city.engine) as conn:
        publish(conn, RUN_CLOSED, [{"run": run, "records": 1, "settled_fen": 2} for run in range(3)])
    city.close()
    capsys.readouterr()

    answers = []
    for limit in ("2", "2", "2"):
        assert _run(["city", "deliver", "--limit", limit, "--json"]) == 0
        answers.append(json.loads(capsys.readouterr().out)["delivered"])

    assert answers == [2, 1, 0]
