"""``citycard clearing exceptions`` over the town that the tests of clearing play."""

from __future__ import annotations

import json
import shlex
from datetime import datetime

import attrs
import pytest
from click.testing import CliRunner

from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.cli import clearing_exceptions
from citycard.errors import CaseTaken, DecisionRefused

AT = datetime.fromisoformat("2018-09-01T07:00")
RECORD = "344000000001-1-1"


@pytest.fixture
def call(town, monkeypatch):
    """Call a command over the town, which has one record with a wrong TAC."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.tap(card, 1234, AT, tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    clear(town)
    monkeypatch.setattr(clearing_exceptions, "opened", lambda _folder: town)

    def calling(*arguments):
        done = CliRunner().invoke(clearing_exceptions.exceptions, arguments, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done

    return calling


def test_the_work_list_tells_what_waits_and_for_how_long(call):
    lines = call("list").stdout.splitlines()
    assert lines[0].split()[:4] == ["exception", "code", "yuan", "days"]
    assert lines[1].split()[:5] == [RECORD, "T01", "12.34", "0", "metro"]
    assert len(call("list", "--partner", "bus").stdout.splitlines()) == 1
    (one,) = json.loads(call("list", "--at-least", "12.34", "--json").stdout)
    assert (one["state"], one["ended"], one["title"]) == ("open", "rejected", "the card's TAC is wrong")


def test_an_exception_is_taken_decided_and_shown_with_its_money(call, town):
    assert call("take", RECORD, "--by", "li").stderr == f"exception {RECORD} is taken by li\n"
    wish = ("--how", "accepted", "--from", "issuer", "--reason", "reader broken", "--evidence", "letter 3")
    assert call("decide", RECORD, *wish, "--by", "li").stderr.endswith("is accepted: reader broken\n")
    shown = call("show", RECORD).stdout
    assert "A02  loss/clearing -> partner/metro/payable 12.34 by the next run" in shown
    clear(town)
    told = json.loads(call("show", RECORD, "--json").stdout)
    assert [one["what"] for one in told["steps"]] == ["taken", "decided"]
    assert [(one["code"], one["run"]) for one in told["adjustments"]] == [("A02", 2)]
    assert told["decision"]["evidence"] == "letter 3"


def test_what_somebody_has_is_taken_only_from_them_by_word(call):
    call("take", RECORD, "--by", "Li Na")
    wish = ("--how", "rejected", "--reason", "no ground", "--by", "Wang")
    for refused in (("take", RECORD, "--by", "Wang"), ("decide", RECORD, *wish)):
        with pytest.raises(CaseTaken, match="has been with Li Na since ") as told:
            call(*refused)
        assert told.value.exit_code == 5
    assert call("take", RECORD, "--from-other", "--by", "Wang").stderr.endswith("is taken by Wang\n")
    assert call("decide", RECORD, *wish).stderr.endswith("is rejected: no ground\n")


def test_a_proposal_says_what_the_other_person_has_to_repeat(call, town):
    town.terms = attrs.evolve(town.terms, second_person_fen=100)
    wish = ("--how", "accepted", "--from", "issuer", "--reason", "the reader broke ", "--evidence", "log 3")
    told = call("decide", RECORD, *wish, "--by", "li").stderr
    assert told == (
        f"exception {RECORD}: proposed by li, another person decides it with the same:"
        " --how accepted --from issuer --reason 'the reader broke' --evidence 'log 3'\n"
    )
    assert "proposal     accepted by issuer: the reader broke · log 3" in call("show", RECORD).stdout
    said = shlex.split(told.partition("same: ")[2])
    assert call("decide", RECORD, *said, "--by", "wu").stderr.endswith("is accepted: the reader broke\n")


def test_all_states_are_listed_with_what_is_decided(call):
    call("decide", RECORD, "--how", "rejected", "--reason", "no ground")
    listed = {
        state: [one["id"] for one in json.loads(call("list", *state.split(), "--json").stdout)]
        for state in ("", "--state open", "--state resolved", "--state all")
    }
    assert list(listed.values()) == [[], [], [RECORD], [RECORD]]


def test_a_decision_that_does_not_fit_is_refused(call):
    with pytest.raises(DecisionRefused):
        call("decide", RECORD, "--how", "accepted", "--from", "card", "--reason", "x", "--evidence", "y")
