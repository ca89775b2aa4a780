"""Suspended and rejected records are a work list, and nothing has to be opened for it."""

from datetime import datetime, timedelta

import pytest

from citycard.bank.codes import CaseState
from citycard.clearing.codes import Code, State
from citycard.clearing.deciding import Decision, decide, take
from citycard.clearing.exceptions import exception_of, find_exceptions, history
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.errors import RecordNoException, RecordUnknown
from citycard.ids import new_id
from citycard.store import reading

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, BUS = "344000000001", "344000000003"


@pytest.fixture
def judged(town):
    """One record in order, one with a wrong TAC; on the bus two days later, another one of 90 yuan."""
    (card, other) = town.issue(1, 2)
    town.load(card, 10_000)
    town.load(other, 10_000)
    town.tap(card, 200, AT)
    town.tap(card, 300, AT, tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    town.tap(other, 9000, AT + timedelta(days=2), BUS, tac=b"\1\2\3\4")
    receive(town, [town.batch(BUS, day=AT.date() + timedelta(days=2))])
    clear(town)
    return town


def ids(found):
    return [one.id for one in found]


def test_what_a_run_did_not_accept_is_work_the_oldest_first(judged):
    first, second = find_exceptions(judged)
    assert (first.id, first.code, first.ended, first.amount_fen, first.partner, first.run) == (
        f"{GATE}-1-2",
        "T01",
        State.REJECTED,
        300,
        "metro",
        1,
    )
    assert (first.state, first.taken_by, first.decision, first.title) == (
        CaseState.OPEN,
        "",
        None,
        "the card's TAC is wrong",
    )
    assert (second.id, second.partner, second.price_fen) == (f"{BUS}-1-1", "bus", None)


def test_the_list_is_narrowed_by_code_partner_amount_run_and_age(judged):
    assert ids(find_exceptions(judged, partner="bus")) == [f"{BUS}-1-1"]
    assert ids(find_exceptions(judged, at_least_fen=301)) == [f"{BUS}-1-1"]
    assert ids(find_exceptions(judged, code=Code.R04)) == []
    assert ids(find_exceptions(judged, code=Code.T01, limit=1)) == [f"{GATE}-1-2"]
    assert (find_exceptions(judged, run=2), len(find_exceptions(judged, run=1))) == ([], 2)
    judged.clock.moment += timedelta(days=5)  # Thursday the 6th; the 1st was a Saturday, the 3rd a Monday
    ages = [one.age(judged.terms.calendar, judged.clock.now().date()) for one in find_exceptions(judged)]
    assert ages == [4, 3]
    assert [len(find_exceptions(judged, older_than=days)) for days in (2, 3, 4)] == [2, 1, 0]


def test_what_is_taken_and_what_is_decided_are_told_apart(judged):
    take(judged, f"{GATE}-1-2", actor="li", step=new_id())
    assert ids(find_exceptions(judged, state=CaseState.TAKEN)) == [f"{GATE}-1-2"]
    assert ids(find_exceptions(judged, state=CaseState.OPEN)) == [f"{BUS}-1-1"]
    assert len(find_exceptions(judged)) == 2
    wish = Decision(how="rejected", reason="a forged card")
    decide(judged, f"{GATE}-1-2", wish, actor="li", step=new_id())
    assert ids(find_exceptions(judged)) == [f"{BUS}-1-1"]
    assert ids(find_exceptions(judged, state=CaseState.RESOLVED)) == [f"{GATE}-1-2"]
    with reading(judged.engine) as conn:
        assert [(one.what, one.actor) for one in history(conn, f"{GATE}-1-2")] == [
            ("taken", "li"),
            ("decided", "li"),
        ]


@pytest.mark.parametrize(
    ("record", "error"),
    [(f"{GATE}-1-1", RecordNoException), (f"{GATE}-1-9", RecordNoException), ("nonsense", RecordUnknown)],
)
def test_a_record_that_was_accepted_or_is_not_there_is_no_exception(judged, record, error):
    with reading(judged.engine) as conn, pytest.raises(error):
        exception_of(judged, conn, record)


def test_before_the_first_run_there_is_no_work(town):
    assert find_exceptions(town) == []
