"""``citycard clearing`` over the town that the tests of clearing play."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from click.testing import CliRunner

from citycard.cli import clearing
from citycard.errors import EngineUnknown, RecordUnknown, StatementUnknown

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE = "344000000001"


@pytest.fixture
def call(town, monkeypatch):
    """Call a command over the town, in place of the city that the folder would hold."""
    monkeypatch.setattr(clearing, "opened", lambda _folder: town)

    def calling(*arguments):
        done = CliRunner().invoke(clearing.group, [str(one) for one in arguments], standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done

    return calling


@pytest.fixture
def inbox(town, tmp_path):
    (card,) = town.issue(1)
    town.load(card, 10_000)
    folder = tmp_path / "inbox"
    folder.mkdir()
    for _ in range(3):
        town.tap(card, 200, AT)
        name, data = town.batch()
        (folder / name).write_bytes(data)
    return folder


def test_a_folder_of_batches_is_received_and_cleared(call, inbox):
    received = json.loads(call("receive", inbox, "--json").stdout)
    assert tuple(
        received[name]
        for name in ("accepted", "duplicate", "quarantined", "records", "amount_fen", "missing")
    ) == (3, 0, 0, 3, 600, [])
    done = json.loads(call("run", "--json").stdout)
    assert tuple(done[name] for name in ("changed", "gross_fen", "fees_fen", "settled_fen")) == (
        True,
        600,
        3,
        597,
    )
    assert done["clearing"] == {"accepted": 3, "rejected": 0, "suspended": 0, "duplicate": 0}
    assert not json.loads(call("run", "--json").stdout)["changed"]


def test_a_quarantined_file_makes_the_command_leave_with_1_and_says_why(call, inbox):
    (inbox / "zz.ccb").write_bytes(b"no batch")
    done = call("receive", inbox)
    assert done.return_value == 1
    assert done.stdout.count("F07") == 1
    assert "3 of 4 files accepted" in done.stderr


def test_missing_batches_are_listed_with_f05(call, inbox):
    min(inbox.iterdir()).unlink()
    assert f"{GATE}       1  F05" in call("receive", inbox).stdout
    (missing,) = json.loads(call("status", "--json").stdout)["missing"]
    assert (missing["terminal"], missing["number"]) == (GATE, 1)


def test_words_are_printed_for_people(call, inbox):
    call("receive", inbox)
    assert "3 records wait" in call("status").stderr
    done = call("run")
    assert "run 1 closed" in done.stderr
    assert "metro" in done.stdout
    assert "nothing new" in call("run").stderr
    assert "5.97" in call("statement").stdout
    assert "accepted" in call("statement", "metro").stdout


def test_a_record_is_explained_in_words_and_as_json(call, town, inbox):
    call("receive", inbox)
    call("run")
    words = call("explain", f"{GATE}-2-1").stdout
    for part in (
        "sequence 2",
        "TAC holds",
        "1: accepted OK, in order",
        "metro 2.00",
        "control/window",
        "5.97",
    ):
        assert part in words
    (asn,) = town.cards
    plain = json.loads(call("explain", asn, 1, "--json").stdout)
    assert f"{GATE}-2-1" == plain["id"]


def test_what_is_not_there_is_an_error_with_its_own_exit_code(call, inbox):
    call("receive", inbox)
    call("run")
    with pytest.raises(RecordUnknown) as unknown:
        call("explain", f"{GATE}-9-9")
    assert unknown.value.exit_code == 3
    with pytest.raises(StatementUnknown):
        call("statement", "zoo")


@pytest.mark.parametrize(
    "arguments", [("receive",), ("explain", "31044400000000000001"), ("explain", f"{GATE}-1-1", "3")]
)
def test_a_call_that_makes_no_sense_is_a_usage_error(call, arguments):
    with pytest.raises(clearing.click.UsageError):
        call(*arguments)


def test_the_engine_that_judged_is_told_and_one_that_nobody_knows_is_a_wrong_call(call, town, inbox):
    call("receive", inbox)
    with pytest.raises(EngineUnknown, match="engine 'hadoop' is not known") as unknown:
        call("run", "--engine", "hadoop")
    assert unknown.value.exit_code == 2
    assert json.loads(call("status", "--json").stdout)["open_run"] is None
    assert "run 1 closed by local" in call("run", "--engine", "local").stderr
    town.clearing_engine = "hadoop"
    with pytest.raises(EngineUnknown):
        call("run")
    # A run that judged nothing tells what the last one was judged by.
    assert json.loads(call("run", "--engine", "pool:2", "--json").stdout)["engine"] == "local"


def test_progress_is_shown_on_stderr_where_it_is_asked_for(call, inbox):
    call("receive", inbox)
    done = call("run", "--progress", "--json")
    assert done.stderr == "judging buckets: 1 of 1\n"
    assert json.loads(done.stdout)["changed"]
