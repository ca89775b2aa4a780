"""``citycard clearing disputes`` over the town that the tests of clearing play."""

from __future__ import annotations

import json
import shlex
from datetime import datetime, timedelta

import attrs
import click
import pytest
from click.testing import CliRunner

from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.cli import clearing_disputes

AT = datetime.fromisoformat("2018-09-01T07:00")
RECORD = "344000000001-1-1"


@pytest.fixture
def call(town, monkeypatch):
    """Call a command over the town, where the metro was paid 12.34 for a ride."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.tap(card, 1234, AT)
    receive(town, [town.batch()])
    clear(town)
    monkeypatch.setattr(clearing_disputes, "opened", lambda _folder: town)

    def calling(*arguments):
        done = CliRunner().invoke(
            clearing_disputes.disputes, [str(one) for one in arguments], standalone_mode=False
        )
        if done.exception is not None:
            raise done.exception
        return done

    return calling


def test_a_holders_dispute_is_opened_proven_decided_and_shown(call, town, tmp_path):
    wish = ("open", RECORD, "--holder", "--amount", "10", "--reason", "charged twice", "--by", "li")
    one = json.loads(call(*wish, "--json").stdout)
    assert (one["state"], one["party"], one["amount_fen"], one["overdue"]) == ("open", "holder", 1000, False)
    ticket = tmp_path / "ticket.jpg"
    ticket.write_bytes(b"a photograph")
    for _ in range(2):
        call("evidence", one["id"], ticket, "--note", "paid in cash as well", "--by", "li")
    assert call("list").stdout.splitlines()[1].split()[1:4] == ["holder", RECORD, "10.00"]
    told = call(
        "decide",
        one["id"],
        "--how",
        "part",
        "--amount",
        "8",
        "--from",
        "partners",
        "--reason",
        "half",
        "--by",
        "wu",
    )
    assert told.stderr == f"dispute {one['id']} is part, 8.00 yuan by partners: half\n"
    clear(town)
    shown = call("show", one["id"]).stdout
    assert "A06  partner/metro/payable -> card/31044400000000000001/refund 8.00 by run 2" in shown
    found = json.loads(call("show", one["id"], "--json").stdout)
    assert [piece["name"] for piece in found["evidence"]] == ["ticket.jpg", ""]
    assert (found["decision"]["outcome"], found["adjustments"][0]["code"]) == ("part", "A06")
    assert json.loads(call("list", "--json").stdout) == []
    assert len(json.loads(call("list", "--state", "all", "--json").stdout)) == 1


def test_a_proposal_says_what_the_other_person_has_to_repeat(call, town):
    town.terms = attrs.evolve(town.terms, second_person_fen=100)
    claim = ("--holder", "--amount", "10", "--reason", "charged twice", "--json")
    one = json.loads(call("open", RECORD, *claim).stdout)["id"]
    wish = ("--how", "part", "--amount", "8", "--from", "partners", "--reason", " half of it")
    told = call("decide", one, *wish, "--by", "li").stderr
    assert told == (
        f"dispute {one}: proposed by li, another person decides it with the same:"
        " --how part --amount 8 --from partners --reason 'half of it'\n"
    )
    said = shlex.split(told.partition("same: ")[2])
    assert call("decide", one, *said, "--by", "wu").stderr.endswith("8.00 yuan by partners: half of it\n")


def test_days_that_are_over_are_decided_by_rule(call, town):
    one = json.loads(
        call(
            "open", "run/1", "--partner", "metro", "--amount", "5", "--reason", "too little", "--json"
        ).stdout
    )
    town.clock.moment += timedelta(days=40)
    assert call("list").stdout.splitlines()[1].split()[-1] == "overdue"
    (done,) = json.loads(call("overdue", "--json").stdout)
    assert (done["id"], done["state"], done["decision"]["rule"]) == (one["id"], "refused", "no-evidence")


def test_who_disputes_has_to_be_said(call):
    with pytest.raises(click.UsageError, match="who disputes"):
        call("open", RECORD, "--amount", "1", "--reason", "x")
