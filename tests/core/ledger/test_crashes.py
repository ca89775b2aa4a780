"""Killed at any moment, and asked again: what was answered is there, and all else can be sent once more."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from citycard.store import open_store
from citycard.store.migrate import upgrade
from citycard.testing.postgresql import PostgresqlServer


def started(program, *arguments):
    """Start a file beside this one in a process without threads."""
    return subprocess.Popen(
        [sys.executable, str(Path(__file__).with_name(program)), *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )


def run_alone(program, *arguments):
    """Run a file to its end and give what it printed."""
    with started(program, *arguments) as child:
        said, _ = child.communicate()
    assert child.returncode == 0
    return json.loads(said)


def test_whoever_is_killed_at_any_call_to_the_database_takes_nothing_along(store, tmp_path, record_property):
    url = store.url.render_as_string(hide_password=False)
    if store.dialect.name == "sqlite":
        shutil.copyfile(store.url.database, f"{store.url.database}.empty")
    found = run_alone("crash_child.py", str(tmp_path / "caller"), url)
    calm = found["calm"]
    calls = calm.pop("calls")
    assert (calm["violations"], calm["card"], calm["proven"], calm["open loads"]) == (
        [],
        1800,
        [500, 600, 700],
        0,
    )
    assert calls == len(found["attempts"]) >= 100
    # At each commit something is left that was not there before, and again when the caller heard of it.
    assert found["left"] >= 30
    for attempt in found["attempts"]:
        assert attempt["died"], attempt
        left, again = attempt["found"]["before"], attempt["found"]["after"]
        assert (left["violations"], left["lost"]) == ([], []), attempt
        assert (again, attempt["found"]["changed"]) == (calm, []), attempt
    record_property("ledger_kills", calls)
    acknowledged = sum(one["found"]["before"]["acknowledged"] for one in found["attempts"])
    record_property("ledger_acknowledged", acknowledged)


def check(found):
    """All that was acknowledged is there, as it was answered, and sent once more it is answered the same."""
    assert (found["lost"], found["changed"], found["violations"], found["errors"]) == ([], [], [], [])
    assert found["again"] == {"different": [], "violations": []}
    assert found["acknowledged"] > 0


KILLS = {"sqlite": 100, "postgresql": 200}


@pytest.mark.parametrize("times", [1, pytest.param(20, marks=pytest.mark.deep)])
def test_processes_that_are_killed_while_many_post_lose_nothing(store, tmp_path, record_property, times):
    url = store.url.render_as_string(hide_password=False)
    kills = KILLS[store.dialect.name] * times
    found = run_alone("traffic_child.py", "kill", str(tmp_path / "traffic"), url, str(kills))
    assert found["dirty"] == []
    check(found)
    record_property("ledger_kills", kills)
    record_property("ledger_acknowledged", found["acknowledged"])


@pytest.mark.postgresql
@pytest.mark.parametrize("what", ["load", "pay"])
@pytest.mark.parametrize("times", [5, pytest.param(100, marks=pytest.mark.deep)])
def test_a_database_server_that_is_killed_while_many_post_loses_nothing(
    tmp_path, record_property, times, what
):
    """Several writers post everything, or one alone pays and sends ahead of the answers."""
    folder = tmp_path / "traffic"
    with PostgresqlServer() as server:
        url = server.create_database()
        engine = open_store(url)
        upgrade(engine)
        engine.dispose()
        with started("traffic_child.py", what, str(folder), url) as child:
            assert child.stdout.readline() == "begun\n"
            for _ in range(times):
                wait_for_more(folder, 20_000)
                server.kill()
                server.start()
            wait_for_more(folder, 20_000)
            child.communicate()
        found = run_alone("traffic_child.py", "verify", str(folder), url)
    check(found)
    record_property("ledger_kills", times)
    record_property("ledger_acknowledged", found["acknowledged"])


def wait_for_more(folder, size, most_s=30.0):
    """Wait until callers have written down so much more of what they sent and were told."""

    def written():
        return sum(file.stat().st_size for file in folder.glob("*.told"))

    until, deadline = written() + size, time.monotonic() + most_s
    while written() < until:
        assert time.monotonic() < deadline, "nobody posts any more"
        time.sleep(0.01)
