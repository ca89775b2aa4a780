"""``citycard interconnect``: two cities by command alone."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from citycard.city import City
from citycard.cli.main import cli

TEMPLATE = """\
[city]
name = "{name}"
code = "{code}"

[plugins]
allow = []
"""


@pytest.fixture
def cities(tmp_path):
    """The folders of East and West, and a file with the key of each."""
    for name, code in (("East", "9901"), ("West", "9902")):
        template = tmp_path / f"{code}.toml"
        template.write_text(TEMPLATE.format(name=name, code=code))
        City.create(tmp_path / name, template).close()
        assert run("key", "--out", tmp_path / f"{name}.pem", city=tmp_path / name).exit_code == 0
    return tmp_path


def run(*words, city):
    # An exit code is what a command returns, as citycard itself leaves with it.
    return CliRunner().invoke(cli, ["interconnect", *map(str, words), "--city", str(city)])


def told(*words, city):
    answer = run(*words, "--json", city=city)
    assert answer.exception is None, answer.output
    return json.loads(answer.stdout)


def test_a_city_is_added_with_notice_and_removed_with_notice(cities):
    east = cities / "East"
    added = told("add", "9902", "--name", "West", "--key", cities / "West.pem", city=east)
    assert (added["takes_part"], len(added["keys"])) == (False, 1)
    # Without a day it stays the day of the first call.
    assert told("add", "9902", "--name", "West", city=east) == added
    account = ("change", "9902", "--account", "6200990200000002", "--bic", "CITYCNBJXXX")
    assert run(*account, city=east).exit_code == 2  # nobody said why
    changed = told(*account, "--reason", "their letter", "--by", "li", city=east)
    assert changed["city"] == added["city"] | {"account_no": "6200990200000002", "bank_bic": "CITYCNBJXXX"}
    assert [(one["field"], one["after"], one["reason"], one["actor"]) for one in changed["changes"]] == [
        ("account_no", "6200990200000002", "their letter", "li"),
        ("bank_bic", "CITYCNBJXXX", "their letter", "li"),
    ]
    removed = told("remove", "9902", "--until", "2099-01-01", city=east)
    assert removed["city"]["valid_to"] == "2099-01-01"
    agreed = told("fee", "9902", "here", "--from", "2026-01-01", "--bp", "60", "--fen", "1", city=east)
    assert [(fee["bp"], fee["fixed_fen"], fee["service"]) for fee in agreed["fees"]] == [(60, 1, -1)]
    assert told("list", city=east) == [agreed]
    assert "West" in run("list", city=east).stdout


def test_a_file_that_is_cut_is_quarantined_and_kept_in_the_book(cities):
    east = cities / "East"
    told("add", "9902", "--name", "West", "--key", cities / "West.pem", city=east)
    assert told("send", city=east) == []
    (cities / "cut.ccx").write_bytes(b"{")
    answer = told("receive", cities / "cut.ccx", city=east)
    assert (answer["quarantined"], answer["files"][0]["code"]) == (1, "F07")
    status = told("status", city=east)
    assert [len(status[name]) for name in ("files", "missing", "accounts")] == [1, 0, 0]
    assert "F07" in run("status", city=east).output


def test_nothing_is_owed_before_anything_was_answered(cities):
    east = cities / "East"
    told("add", "9902", "--name", "West", "--from", "2026-01-01", city=east)
    assert told("positions", city=east) == []
    empty = {"city": "9902", "windows": [], "net_fen": 0, "open_fen": 0}
    assert told("statement", "9902", city=east) == empty
    assert told("settle", "--through", "2026-01-31", "--by", "clerk", city=east) == []
    for words in (("positions",), ("statement", "9902"), ("settle", "--through", "2026-01-31")):
        assert run(*words, city=east).exit_code == 0
