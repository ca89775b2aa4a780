"""``citycard partner`` in a real city."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from citycard.cli.main import _run

CITY = """[city]
name = "Quiet town"
code = "9901"
[plugins]
allow = []
[[districts]]
id = "futian"
name = "Futian"
"""
SHOP = ("partner", "add", "shop", "--name", "Corner shop")


@pytest.fixture(autouse=True)
def town(found_city, tmp_path: Path, monkeypatch) -> Path:
    (tmp_path / "template.toml").write_text(CITY)
    found_city(tmp_path / "town", tmp_path / "template.toml").close()
    monkeypatch.setenv("CITYCARD_CITY", str(tmp_path / "town"))
    return tmp_path / "town"


def answer(capsys, *words: str):
    assert _run([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_a_partner_is_registered_once_and_shown(capsys):
    first = answer(capsys, *SHOP, "--district", "futian", "--kind", "shop", "--account", "622200001111")
    again = answer(capsys, "partner", "add", "shop")

    assert (first["added"], again["added"]) == (True, False)
    (listed,) = answer(capsys, "partner", "list", "--district", "futian")
    assert listed == {key: value for key, value in first.items() if key != "added"}
    assert answer(capsys, "partner", "show", "shop") == listed | {"terminals": [], "changes": []}
    assert (listed["kind"], listed["account_no"], listed["status"]) == ("shop", "622200001111", "active")


def test_the_account_of_a_partner_is_changed_for_a_reason_that_is_kept(capsys):
    before = answer(capsys, *SHOP)
    told = ("--reason", "letter of 3 May", "--by", "Li Na")
    after = answer(
        capsys, "partner", "change", "shop", "--account", "622200001111", "--status", "suspended", *told
    )

    wanted = {"account_no": "622200001111", "status": "suspended"}
    changes = after.pop("changes")
    assert before | wanted | {"terminals": []} == after | {"added": True}
    assert [(one["field"], one["before"], one["after"]) for one in changes] == [
        ("account_no", "", "622200001111"),
        ("status", "active", "suspended"),
    ]
    assert {(one["reason"], one["actor"]) for one in changes} == {("letter of 3 May", "Li Na")}
    # What it is already is no change.
    again = answer(capsys, "partner", "change", "shop", "--status", "suspended", *told)
    assert again == after | {"changes": changes}
    assert _run(["partner", "show", "shop"]) == 0
    assert "status: active -> suspended (Li Na: letter of 3 May)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("shop", "--account", "62-2"), 3, "account_no"),
        (("shop", "--district", "nowhere"), 3, "[[districts]] of city.toml"),
        (("nobody", "--account", "622200001111"), 3, "nobody"),
        (("shop",), 2, "say what is to change"),
    ],
)
def test_a_change_that_cannot_be_is_refused_and_changes_nothing(capsys, words, code, said):
    before = answer(capsys, *SHOP) | {"terminals": [], "changes": []}
    assert _run(["partner", "change", *words, "--reason", "asked"]) == code
    assert said in capsys.readouterr().err
    assert answer(capsys, "partner", "show", "shop") == {key: before[key] for key in before if key != "added"}


def test_a_partner_that_differs_is_refused(capsys):
    assert _run([*SHOP]) == 0
    assert _run(["partner", "add", "shop", "--name", "Other shop"]) == 5

    assert "is registered with name 'Corner shop'" in capsys.readouterr().err


def test_a_new_partner_needs_a_name_and_a_district_that_is_there(capsys):
    assert _run(["partner", "add", "shop"]) == 2
    assert "give its --name" in capsys.readouterr().err
    assert _run([*SHOP, "--district", "nowhere"]) == 3
    assert "[[districts]] of city.toml" in capsys.readouterr().err
    assert _run(["partner", "show", "shop"]) == 3
    assert "citycard partner add" in capsys.readouterr().err


def test_people_get_lines(capsys):
    assert [_run([*SHOP]), _run(["partner", "list"]), _run(["partner", "show", "shop"])] == [0, 0, 0]

    out = capsys.readouterr().out
    assert "partner shop is registered: Corner shop" in out
    assert "citycard terminal add registers one" in out
