import json

import pytest
from click.testing import CliRunner
from schooltown import HEADER, SCHOOL

from citycard.errors import CitycardError, PeriodInvalid
from citycard_campus.commands import (
    decide,
    end,
    enrol,
    grant_meals,
    reopen,
    roll,
    settle,
    statement,
    timetable,
)
from citycard_campus.permissions import COMMANDS

TIMETABLE = (
    "school,class,weekday,begins,ends,room,title,from,until\n"
    f"{SCHOOL},7-3,1,08:30,09:15,12,Mathematics,2026-03-01,2026-07-10\n"
)


@pytest.fixture
def run(place):
    """Call a command in the town, and give its exit code with what it said."""

    def call(command, *words):
        done = CliRunner().invoke(
            command,
            [*map(str, words), "--city", str(place.town.city.folder)],
            standalone_mode=False,
            catch_exceptions=False,
        )
        return done.return_value or 0, done.output

    return call


def test_a_roll_comes_in_and_goes_out_as_the_same_file(place, run, tmp_path):
    card = place.town.card()
    file = tmp_path / "roll.csv"
    file.write_text(
        f"\ufeff{HEADER}{SCHOOL},S1,pupil,李雷,7-3,{card.asn},,2027-07-15,15.00\n", encoding="utf-8"
    )
    code, said = run(enrol, file, "--json")
    assert (code, json.loads(said)) == (0, {"enrolled": 1, "changed": 0, "unchanged": 0, "bad": []})
    _, written = run(roll, "--school", SCHOOL)
    assert written.splitlines() == file.read_text(encoding="utf-8-sig").splitlines()
    assert json.loads(run(roll, "--json")[1])[0]["number"] == 1
    file.write_text(f"{HEADER}{SCHOOL},S2,pupil,X,7-3,1,,2027-07-15,\n")
    code, said = run(enrol, file)
    assert code == 1
    assert "0 enrolled" in said
    assert "roll.csv, line 2: card is '1': expected 20 digits" in said
    file.write_bytes(b"school\xff")
    with pytest.raises(CitycardError, match=r"byte 6 is no UTF-8") as refused:
        run(enrol, file)
    assert refused.value.exit_code == 3


def test_an_office_works_through_a_month_by_commands(place, run, tmp_path, monkeypatch):
    # The town's clock stands in March, whatever the day is on which this is run.
    monkeypatch.setattr("citycard_campus.commands.opened", lambda _: place.town.city)
    place.fund(10_000)
    card = place.pupil(meal="15.00")
    file = tmp_path / "timetable.csv"
    file.write_text(TIMETABLE)
    assert run(timetable, file) == (0, "1 added, 0 changed, 0 known before\n")
    assert json.loads(run(timetable, file, "--json")[1])["known"] == 1
    assert run(grant_meals, SCHOOL, "--batch", "2026-03") == (0, "1 granted, 15.00 yuan; 0 before\n")
    again = json.loads(run(grant_meals, SCHOOL, "--batch", "2026-03", "--json")[1])
    assert (again["granted"], again["repeated"]) == (0, 1)
    desk, canteen = place.desk(), place.canteen()
    place.town.load(card, 1000)
    desk.write(card.reader, place.town.now)
    canteen.sell(card.reader, place.at("12:00"))
    place.town.clear(desk.till, canteen.till)
    assert json.loads(run(settle, "--json")[1]) == {"settled": [], "waiting": []}
    assert run(settle) == (0, "")
    made = json.loads(run(statement, SCHOOL, "--json")[1])
    assert (made["pots"]["settled_fen"], made["left_fen"], made["days"][0]["meals"]) == (1000, 500, 1)
    words = run(statement, SCHOOL, "--from", "2026-03-01", "--until", "2026-03-31")[1]
    assert "10.00" in words
    assert "canteen-3" in words
    assert "5.00" in run(reopen, card.asn)[1]
    assert json.loads(run(reopen, card.asn, "--json")[1])["flagged"] is False
    assert run(end, 1, "--why", "moved") == (0, "enrolment 1 ended on 2026-03-02: moved\n")
    assert json.loads(run(end, 1, "--json")[1])["why"] == "moved"


def test_what_is_not_there_is_said_with_exit_code_4(run):
    for command, words in (
        (end, ["99"]),
        (reopen, ["1" * 20]),
        (statement, ["school-7"]),
        (decide, ["990100000001-1-1", "--pay"]),
        (grant_meals, ["school-7", "--batch", "x"]),
        (roll, ["--school", "school-7"]),
    ):
        with pytest.raises(CitycardError) as refused:
            run(command, *words)
        assert refused.value.exit_code == 4, command.name


def test_days_that_end_before_they_begin_are_wrong_input(run):
    with pytest.raises(PeriodInvalid, match="the first day is 2026-03-02 and the last is 2026-03-01"):
        run(statement, SCHOOL, "--from", "2026-03-02", "--until", "2026-03-01")


def test_every_command_is_declared_with_the_name_it_has():
    import citycard_campus.commands as module

    for command in COMMANDS:
        assert getattr(module, command.target.partition(":")[2]).name == command.path[1]
