"""A run that was closed is told, once, and only when it was committed."""

from __future__ import annotations

from datetime import datetime

import attrs
import pytest

from citycard.clearing.events import RUN_CLOSED, RunClosed
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.store import reading, undelivered

MORNING = datetime.fromisoformat("2018-09-01T07:00")


@pytest.fixture
def tapped(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, 200, MORNING)
    receive(town, [town.batch()])
    return town


def told(town):
    with reading(town.engine) as conn:
        return [(each.topic, each.body) for each in undelivered(conn)]


def test_a_run_that_was_closed_is_told_once(tapped):
    report = clear(tapped)
    clear(tapped)

    paid_fen = sum(one.paid_fen for one in report.partners)
    body = RunClosed(run=1, records=1, settled_fen=paid_fen)
    assert told(tapped) == [(RUN_CLOSED, attrs.asdict(body))]
    assert 0 < paid_fen <= 200


def test_a_run_that_is_not_committed_is_not_told(tapped, monkeypatch):
    def broken(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr("citycard.clearing.closing.publish", broken)
    with pytest.raises(KeyboardInterrupt):
        clear(tapped)

    assert told(tapped) == []
