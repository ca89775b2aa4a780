"""The commands: a file of units in, fees and openings out, and one clear line for what is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from citycard_community.units import COLUMNS


@pytest.fixture
def run(estate):
    """Call ``citycard`` in the town's folder, as a person does."""
    program = Path(sys.executable).with_name("citycard")

    def call(*words):
        done = subprocess.run(
            [program, *words, "--city", estate.city.folder],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    return call


@pytest.fixture
def file(tmp_path):
    def write(*lines):
        path = tmp_path / "units.csv"
        path.write_text("\n".join([",".join(COLUMNS), *lines]) + "\n")
        return path

    return write


def test_a_file_of_units_is_taken_over_once(estate, run, file):
    owner = estate.town.card()
    units = file(f"sunrise,1,101,89.5,{owner.asn}", f"sunrise,2,202,60,{owner.asn}")
    code, out, _ = run("community", "units", units, "--json")
    assert (code, json.loads(out)) == (0, {"lines": 2, "changed": 2})
    assert run("community", "units", units)[1] == "2 units read, 0 new or changed\n"
    assert run("plugin", "run", "community.bill")[0] == 0
    code, out, _ = run("community", "fees", "sunrise", "--json")
    assert (code, json.loads(out)["owed_fen"]) == (0, 22_375 + 15_000)
    assert "sunrise 1-101" in run("community", "fees", "sunrise")[1]


def test_a_wrong_line_is_told_and_nothing_is_taken_over(estate, run, file):
    owner = estate.town.card()
    code, out, err = run(
        "community", "units", file(f"sunrise,1,101,89.5,{owner.asn}", "sunrise,1,102,many,1")
    )
    assert (code, out) == (3, "")
    assert "units.csv line 3: area_m2 is 'many'" in err
    assert len(err.strip().splitlines()) == 1
    code, _, err = run(
        "community", "units", file(f"sunrise,1,101,89.5,{owner.asn}", f"sunrise,9,1,1,{owner.asn}")
    )
    assert code == 3
    assert "building is 9, expected one of the buildings [1, 2]" in err
    assert estate.owed(owner) == []


def test_openings_are_printed_by_door_and_day(estate, run):
    owner = estate.town.card()
    estate.home(owner)
    estate.kiosk().collect(owner.reader, estate.now)
    for door in ("gate", "east"):
        estate.opens(door, owner)
    estate.clear()
    until = str(estate.today)
    code, out, _ = run("community", "openings", "sunrise", "--until", until, "--json")
    assert (code, {(one["door"], one["card"], one["kind"]) for one in json.loads(out)}) == (
        0,
        {("gate", owner.asn, "owner"), ("east", owner.asn, "owner")},
    )
    assert (
        run("community", "openings", "sunrise", "--door", "east", "--until", until)[1].count(owner.asn) == 1
    )
    assert run("community", "openings", "sunrise", "--door", "north")[0] == 2
    code, _, err = run("community", "openings", "sunrise", "--since", "2026-03-05", "--until", "2026-03-01")
    assert code == 3
    assert err.startswith(
        "citycard: the first day is 2026-03-05 and the last is 2026-03-01: expected a first"
    )
    assert run("community", "openings", "moon")[0] == 4
    assert run("community", "fees", "moon")[0] == 4


def test_a_city_without_communities_says_so(estate, run):
    estate.city.plugins.disable("community", by="a test")
    code, _, err = run("community", "fees", "sunrise")
    assert code == 5
    assert "community does not run in the city" in err
