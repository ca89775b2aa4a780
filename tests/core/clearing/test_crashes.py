"""Killed at any step, and run again: the same codes, the same money, the same digest, the same bank file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS = "344000000001", "344000000003"


def test_whoever_kills_receiving_or_clearing_at_any_step_changes_nothing(town):
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
    child = subprocess.run(
        [sys.executable, str(Path(__file__).with_name("crash_child.py")), str(town.folder)],
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
    assert calm["steps"] >= 16
    assert calm["steps"] == len(found["attempts"])
    for attempt in found["attempts"]:
        assert attempt["died"], attempt
        again = attempt["again"]
        assert {**calm, "steps": 0} == {**again, "steps": 0}, attempt["die_at"]
