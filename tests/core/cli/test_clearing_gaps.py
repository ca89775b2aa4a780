"""``citycard clearing gaps`` over the town that the tests of clearing play."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import select

from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.tables import gap
from citycard.cli import clearing_gaps
from citycard.errors import GapUnknown
from citycard.store import reading

AT = datetime.fromisoformat("2018-09-01T07:00")


@pytest.fixture
def lost(town):
    """Two cards with a record each that never came; give the cards, and the first one's record."""
    cards = town.issue(1, 2)
    raws = []
    for card in cards:
        town.load(card, 10_000)
        town.tap(card, 200, AT)
        raws.append(town.tap(card, 300, AT + timedelta(minutes=5), keep=False))
        town.tap(card, 100, AT + timedelta(minutes=9))
    receive(town, [town.batch()])
    clear(town)
    return [card.asn for card in cards], raws[0]


@pytest.fixture
def call(town, monkeypatch):
    monkeypatch.setattr(clearing_gaps, "opened", lambda _folder: town)

    def calling(*arguments):
        done = CliRunner().invoke(clearing_gaps.gaps, arguments, standalone_mode=False)
        if done.exception is not None:
            raise done.exception
        return done

    return calling


def test_open_gaps_are_listed_with_what_they_may_have_cost(call, lost):
    asns, _ = lost
    assert [line.split() for line in call("list").stdout.splitlines()][1:] == [
        ["card", asn, "1", "1", "3.00", "1"] for asn in asns
    ]
    (one,) = json.loads(call("list", asns[1], "--json").stdout)
    assert (one["owner"], one["first"], one["last"], one["estimate_fen"]) == (asns[1], 1, 1, 300)
    assert len(call("list", "--limit", "1").stdout.splitlines()) == 2


def test_what_comes_of_a_gap_that_was_given_up_is_work_for_people(call, lost, town):
    (asn, other), raw = lost
    told = call("write-off", asn, "--reason", "the bus burnt out", "--by", "li")
    assert told.stderr == f"1 gaps of card {asn} are given up: the bus burnt out\n"
    assert [one["owner"] for one in json.loads(call("list", "--json").stdout)] == [other]
    with reading(town.engine) as conn:
        kept = conn.execute(select(gap).where(gap.c.owner == asn)).one()
    assert (kept.written_off_by, kept.written_off_reason) == ("li", "the bus burnt out")
    assert kept.written_off_at == town.clock.now()
    receive(town, [town.batch(records=[raw])])
    assert [(total.code, total.amount_fen) for total in clear(town).totals] == [("C02", 300)]


def test_a_card_without_a_gap_is_named(call, lost):
    (asn, _), _raw = lost
    call("write-off", asn, "--reason", "lost", "--by", "li")
    with pytest.raises(GapUnknown, match=f"card {asn} has no open gap"):
        call("write-off", asn, "--reason", "lost", "--by", "li")
