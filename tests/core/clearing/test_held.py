"""A debit that the card did not confirm waits until a later sight of the card tells, in whichever run."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from citycard.clearing.deciding import Decision, decide
from citycard.clearing.explanation import explain
from citycard.clearing.intake import receive
from citycard.clearing.queries import card_taps, code_totals
from citycard.clearing.run import clear
from citycard.clearing.statements import statement_of
from citycard.clearing.status import open_gaps, status
from citycard.errors import RecordNoException
from citycard.ids import new_id
from citycard.terminal.record import RecordFlag

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, SECOND, BUS = "344000000001", "344000000002", "344000000003"


def grey(town, card, amount_fen, minutes, terminal=GATE, *, happened=True):
    """Debit a card that gives no TAC; where it did not happen, the card stays as it was."""
    before = card.counter, card.balance_fen
    raw = town.tap(
        card,
        amount_fen,
        AT + timedelta(minutes=minutes),
        terminal,
        tac=bytes(4),
        flags=RecordFlag.UNPROVEN,
    )
    if not happened:
        card.counter, card.balance_fen = before
    return raw


def tap(town, card, amount_fen, minutes, terminal=SECOND):
    return town.tap(card, amount_fen, AT + timedelta(minutes=minutes), terminal)


def cleared(town, *terminals):
    """Hand in what the terminals have, clear it, and say how each code ended."""
    for terminal in terminals:
        receive(town, [town.batch(terminal)])
    report = clear(town)
    assert report.records == sum(total.records for total in report.totals)
    assert report.amount_fen == sum(total.amount_fen for total in report.totals)
    return {total.code: total.records for total in report.totals}


def paid_fen(town, partner="metro"):
    """Give the gross of a partner over all runs."""
    return sum(statement_of(town, partner, run).gross_fen for run in range(1, status(town).last_run + 1))


def test_it_happened_when_the_card_went_on_from_it(town, card):
    grey(town, card, 200, 0)
    tap(town, card, 300, 5)
    assert cleared(town, GATE, SECOND) == {"G05": 1, "OK": 1}
    assert town.purse_fen(card) == 9_500
    assert not open_gaps(town)


def test_it_did_not_happen_when_the_card_used_its_counter_for_something_else(town, card):
    grey(town, card, 200, 0, happened=False)
    tap(town, card, 300, 5)
    assert cleared(town, GATE, SECOND) == {"G04": 1, "OK": 1}
    assert town.purse_fen(card) == 9_700


@pytest.mark.parametrize(("happened", "code"), [(True, "G05"), (False, "G04")])
def test_a_later_run_takes_it_up_again_and_decides_it_once(town, card, happened, code):
    tap(town, card, 100, 0)
    grey(town, card, 200, 5, happened=happened)
    assert cleared(town, GATE, SECOND) == {"OK": 1, "G01": 1}
    assert status(town).held == (("G01", 1),)
    tap(town, card, 300, 10)
    assert cleared(town, SECOND) == {code: 1, "OK": 1}
    assert status(town).held == ()
    tap(town, card, 400, 15)
    assert cleared(town, SECOND) == {"OK": 1}
    assert town.purse_fen(card) == 9_200 - 200 * happened
    assert paid_fen(town) == 800 + 200 * happened
    assert not open_gaps(town)


def test_it_waits_through_runs_that_do_not_see_its_card(town, card):
    (other,) = town.issue(2)
    town.load(other, 10_000)
    grey(town, card, 200, 0)
    assert cleared(town, GATE) == {"G01": 1}
    tap(town, other, 300, 5)
    assert cleared(town, SECOND) == {"OK": 1}
    assert status(town).held == (("G01", 1),)
    tap(town, card, 300, 10)
    assert cleared(town, SECOND) == {"G05": 1, "OK": 1}


def test_a_load_between_does_not_hide_that_it_happened(town, card):
    grey(town, card, 200, 0)
    town.load(card, 5_000, AT + timedelta(minutes=2))
    tap(town, card, 300, 5)
    assert cleared(town, GATE, SECOND) == {"G05": 1, "OK": 1}


def test_several_in_a_row_happened_when_they_lead_to_the_next_sight(town, card):
    grey(town, card, 200, 0)
    grey(town, card, 250, 5, BUS)
    tap(town, card, 300, 10)
    assert cleared(town, GATE, SECOND, BUS) == {"G05": 2, "OK": 1}
    assert (paid_fen(town), paid_fen(town, "bus")) == (500, 250)


def test_of_two_under_one_counter_only_the_one_that_the_balance_shows_happened(town, card):
    grey(town, card, 200, 0, happened=False)
    grey(town, card, 250, 5, BUS)
    tap(town, card, 300, 10)
    assert cleared(town, GATE, SECOND, BUS) == {"G04": 1, "G05": 1, "OK": 1}
    assert paid_fen(town, "bus") == 250


def test_where_another_debit_is_missing_under_its_counter_it_did_not_happen(town, card):
    grey(town, card, 200, 0, happened=False)
    lost = tap(town, card, 250, 5, BUS)
    town.terminals[BUS].records.clear()
    tap(town, card, 300, 10)
    assert cleared(town, GATE, SECOND) == {"G04": 1, "C01": 1}
    town.terminals[BUS].records.append(lost)
    assert cleared(town, BUS) == {"L01": 1}
    assert town.purse_fen(card) == 9_450


def test_one_that_comes_late_closes_the_gap_that_it_left(town, card):
    late = grey(town, card, 200, 0)
    town.terminals[GATE].records.clear()
    tap(town, card, 300, 5)
    assert cleared(town, SECOND) == {"C01": 1}
    town.terminals[GATE].records.append(late)
    assert cleared(town, GATE) == {"G05": 1}
    assert not open_gaps(town)


def test_it_waits_while_other_counters_beside_it_are_missing(town, card):
    grey(town, card, 200, 0)
    missing = tap(town, card, 250, 5, BUS)
    town.terminals[BUS].records.clear()
    tap(town, card, 300, 10)
    assert cleared(town, GATE, SECOND) == {"G01": 1, "C01": 1}
    town.terminals[BUS].records.append(missing)
    assert cleared(town, BUS) == {"L01": 1, "G05": 1}
    assert not open_gaps(town)
    assert town.purse_fen(card) == 9_250


def test_the_same_record_again_is_a_duplicate_whether_it_waits_or_is_decided(town, card):
    raw = grey(town, card, 200, 0)
    assert cleared(town, GATE) == {"G01": 1}
    town.terminals[GATE].records.append(raw)
    assert cleared(town, GATE) == {"D04": 1}
    tap(town, card, 300, 5)
    assert cleared(town, SECOND) == {"G05": 1, "OK": 1}
    town.terminals[GATE].records.append(raw)
    assert cleared(town, GATE) == {"D04": 1}
    assert paid_fen(town) == 500


def test_its_outcome_is_a_new_one_that_names_the_run_that_held_it(town, card):
    grey(town, card, 200, 0)
    cleared(town, GATE)
    tap(town, card, 300, 5)
    receive(town, [town.batch(SECOND)])
    report = clear(town)
    assert (report.records, report.taken_up, report.taken_up_fen) == (2, 1, 200)
    outcome = explain(town, f"{GATE}-1-1").outcome
    assert (outcome.run, outcome.code, outcome.held_run) == (2, "G05", 1)
    assert outcome.parts == (("metro", 200),)
    assert [tap.code for tap in card_taps(town, card.asn)] == ["OK", "G05"]
    assert {one.code: one.records for one in code_totals(town)} == {"G05": 1, "OK": 1}
    assert [(one.code, one.amount_fen) for one in statement_of(town, "metro", 1).codes] == [("G01", 200)]
    codes = sorted((one.code, one.amount_fen) for one in statement_of(town, "metro", 2).codes)
    assert codes == [("G05", 200), ("OK", 300)]


@pytest.mark.parametrize("how", ["accepted", "rejected"])
def test_what_people_decided_is_taken_up_no_more_and_paid_once(town, card, how):
    grey(town, card, 200, 0)
    assert cleared(town, GATE) == {"G01": 1}
    bearer = "issuer" if how == "accepted" else None
    decision = Decision(how=how, bearer=bearer, reason="the gate's log", evidence="log 7")
    decide(town, f"{GATE}-1-1", decision, actor="li", step=new_id())
    assert status(town).held == ()
    tap(town, card, 300, 5)
    assert cleared(town, SECOND) == {"C01": 1}
    assert explain(town, f"{GATE}-1-1").outcome.code == "G01"
    assert sum(one.change_fen for one in statement_of(town, "metro", 2).adjustments) == (
        200 if how == "accepted" else 0
    )


def test_people_cannot_pay_again_what_a_run_has_decided(town, card):
    grey(town, card, 200, 0)
    cleared(town, GATE)
    tap(town, card, 300, 5)
    cleared(town, SECOND)
    decision = Decision(how="accepted", bearer="issuer", reason="the gate's log", evidence="log 7")
    with pytest.raises(RecordNoException):
        decide(town, f"{GATE}-1-1", decision, actor="li", step=new_id())


def test_a_run_goes_without_what_people_decide_while_it_judges(town, card):
    grey(town, card, 200, 0)
    cleared(town, GATE)
    tap(town, card, 300, 5)
    receive(town, [town.batch(SECOND)])
    decision = Decision(how="accepted", bearer="issuer", reason="the gate's log", evidence="log 7")
    told = []

    def judged(_done, _of):
        if not told:
            told.append(decide(town, f"{GATE}-1-1", decision, actor="li", step=new_id()))

    report = clear(town, progress=judged)
    assert {total.code: total.records for total in report.totals} == {"C01": 1}
    assert report.taken_up == 0
    assert town.purse_fen(card) == 9_700


def test_where_two_debits_explain_the_balance_nothing_is_decided(town, card):
    grey(town, card, 200, 0, happened=False)
    grey(town, card, 200, 1, BUS)
    tap(town, card, 300, 5)
    assert cleared(town, GATE, SECOND, BUS) == {"G01": 2, "C01": 1}
    tap(town, card, 300, 10)
    assert cleared(town, SECOND) == {"OK": 1}
    assert status(town).held == (("G01", 2),)


def test_a_load_that_nobody_told_of_releases_no_debit(town, card):
    grey(town, card, 200, 0)
    card.balance_fen += 5_000
    tap(town, card, 300, 5)
    assert cleared(town, GATE, SECOND) == {"G01": 1, "C01": 1}
