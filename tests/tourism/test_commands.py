"""``citycard tourism``: what an operator does with files and reports."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from citycard.ids import new_id
from citycard_tourism import commands


@pytest.fixture
def run(leisure):
    def call(command, *words):
        folder = str(leisure.city.folder)
        return CliRunner().invoke(command, [*map(str, words), "--city", folder])

    return call


def test_setup_makes_the_schemes_once(run):
    assert [json.loads(run(commands.setup, "--json").output) for _ in range(2)] == [
        {"added": 1},
        {"added": 0},
    ]
    assert run(commands.setup).output == "0 points schemes are new\n"


def test_slots_are_shown_and_set(run, leisure):
    later = leisure.at("19:30", days=20)
    # The command's city has the machine's clock, which the town's has not.
    shown = json.loads(run(commands.slots, "film", "--day", f"{later:%Y-%m-%d}", "--json").output)
    assert [(one["starts"], one["capacity"], one["taken"]) for one in shown] == [(later.isoformat(), 3, 0)]
    assert "PLACES" in run(commands.slots, "film", "--day", "2026-03-02").output
    assert "belong together" in run(commands.slots, "film", "--capacity", "3").output
    gone = run(commands.slots, "film", "--starts", "2020-03-02T19:30", "--capacity", "3")
    assert (gone.exit_code != 0, "it is over" in str(gone.exception)) == (True, True)
    assert "no show 'moon'" in str(run(commands.slots, "moon").exception)


def test_visits_come_as_table_csv_and_json(run, leisure):
    card = leisure.town.card()
    leisure.town.load(card, 50_000)
    leisure.counter("city-museum").sell_pass(new_id(), card.reader, leisure.settings.plan("museums"))
    leisure.gate("city-museum").enter(card.reader, leisure.at("09:00"))
    leisure.clear()
    days = ("--since", "2026-03-01", "--until", "2026-03-31")
    assert run(commands.visits, *days, "--csv").output.splitlines() == [
        "venue,right,name,visits,people",
        "city-museum,pass,museums,1,1",
    ]
    assert json.loads(run(commands.visits, *days, "--json").output)[0]["visits"] == 1
    assert "city-museum" in run(commands.visits, *days).output
    assert json.loads(run(commands.visits, *days, "--venue", "bookshop", "--json").output) == []
    assert "no venue" in str(run(commands.visits, *days, "--venue", "moon").exception)
    turned = ("--since", "2026-03-31", "--until", "2026-03-01")
    assert "the last is 2026-03-01: expected" in str(run(commands.visits, *turned).exception)


def test_a_file_of_returns_is_taken_and_bad_lines_are_told(run, leisure, tmp_path):
    card, desk = leisure.town.card(), leisure.library()
    desk.register(card.reader)
    desk.lend(new_id(), card.reader, ["B1", "B2"])
    file = tmp_path / "night.csv"
    file.write_text("item,day\nB1,2026-03-02\nB9,2026-03-02\nB2,tomorrow\n", encoding="utf-8")
    done = run(commands.returns, file, "--library", "city-library", "--json")
    answer = json.loads(done.output)
    assert (done.exit_code, answer["taken"], [one["line"] for one in answer["bad"]]) == (1, 1, [3, 4])
    again = run(commands.returns, file, "--library", "city-library")
    assert (again.exit_code, "0 books are back" in again.output) == (1, True)
    file.write_text("item,day\nB2,2026-03-02\n", encoding="utf-8")
    assert run(commands.returns, file, "--library", "city-library").exit_code == 0
    assert "no library" in str(run(commands.returns, file, "--library", "bookshop").exception)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "column day, item is missing"),
        (b"item\nB1\n", "column day is missing"),
        (b"item,day\n\xff,1\n", "not in UTF-8"),
        (b"item,day\n" + b"x" * (9 * 1024 * 1024), "larger than"),
    ],
    ids=["empty", "column", "bytes", "large"],
)
def test_a_file_that_is_none_is_refused_whole(run, tmp_path, content, told):
    file = tmp_path / "night.csv"
    file.write_bytes(content)
    refused = run(commands.returns, file, "--library", "city-library").exception
    assert (told in str(refused), refused.exit_code) == (True, 3)


def test_a_city_without_it_says_so(leisure, run):
    leisure.city.plugins.disable("tourism", by="tests")
    refused = run(commands.setup).exception
    assert ("tourism does not run" in str(refused), refused.exit_code) == (True, 5)
