"""Killed at any step, and run again: the same codes, the same money, the same digest, the same bank file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS = "344000000001", "344000000003"


@pytest.fixture
def prepared(town):
    """A town with two halves of a day to come."""
    card, other = town.issue(1, 2)
    for one in (card, other):
        town.load(one, 10_000)
    inbox = town.folder / "inbox"
    inbox.mkdir()
    for part in range(2):
        for minute in range(3):
            town.tap(card, 200 + minute, AT + timedelta(hours=part, minutes=minute))
            town.tap(other, 300, AT + timedelta(hours=part, minutes=minute), BUS)
        town.tap(other, 300, AT + timedelta(hours=part, minutes=9), BUS, tac=b"\1\2\3\4")
        for terminal in (GATE, BUS):
            name, data = town.batch(terminal)
            (inbox / f"{part}-{name}").write_bytes(data)
    town.engine.dispose()
    return town.folder


def killed(folder, times=0):
    """Let the work be killed; say how it ends without that, and with it."""
    child = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("crash_child.py")), str(folder), str(times)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    found = json.loads(child.stdout)
    calm = found["calm"]
    assert (calm["run"], calm["violations"], dict(calm["ledger"])["control/window"]) == (2, 0, 0)
    assert calm["codes"] == [["C01", 1, 300], ["OK", 11, 2706], ["T01", 2, 600]]
    assert {"run-000001.pain.001.001.09.xml", "run-000002.pain.001.001.09.xml"} == set(calm["bank"])
    for attempt in found["attempts"]:
        assert {**calm, "steps": 0} == {**attempt["again"], "steps": 0}, attempt["end"]
    return calm, [attempt["died"] for attempt in found["attempts"]]


def test_whoever_kills_receiving_or_clearing_at_any_step_changes_nothing(prepared):
    calm, died = killed(prepared)
    assert calm["steps"] >= 16
    assert died == [True] * calm["steps"]


@pytest.mark.parametrize("times", [8, pytest.param(100, marks=pytest.mark.deep)])
def test_whoever_kills_receiving_or_clearing_at_a_random_moment_changes_nothing(prepared, times):
    _, died = killed(prepared, times)
    assert len(died) == times
    assert sum(died) > times // 2
