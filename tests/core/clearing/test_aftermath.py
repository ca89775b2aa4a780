"""A record is followed from its run to the bank's line, and to what people decided about it afterwards."""

import datetime as dt
import importlib.util
import sys
from pathlib import Path

import pytest

from citycard.bank.cases import find_cases
from citycard.bank.context import BankTerms
from citycard.bank.receiving import receive as take_statement
from citycard.bank.resolving import How, Resolution, resolve
from citycard.clearing.deciding import Decision, decide
from citycard.clearing.disputes import Claim, open_dispute
from citycard.clearing.explanation import explain
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.upholding import Judgement, decide_dispute
from citycard.cli.clearing_story import story
from citycard.ids import new_id
from citycard.store import reading

_SPEC = importlib.util.spec_from_file_location(
    "camtwriter", Path(__file__).parents[1] / "bank" / "camtwriter.py"
)
camtwriter = importlib.util.module_from_spec(_SPEC)
sys.modules.setdefault("camtwriter", camtwriter)
_SPEC.loader.exec_module(camtwriter)

AT = dt.datetime(2018, 9, 1, 7)
PAID_ON = dt.date(2018, 9, 3)
GATE = "344000000001"
RIDE, OLD = f"{GATE}-1-1", f"{GATE}-1-2"


@pytest.fixture
def cleared(town):
    """A ride of 300 fen, and one of 250 fen that is suspended."""
    town.bank_terms = BankTerms(debtor=town.terms.debtor)
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.tap(card, 300, AT)
    town.tap(card, 250, AT - dt.timedelta(days=60))
    receive(town, [town.batch()])
    clear(town)
    return town


@pytest.fixture
def hear(cleared):
    """Let the bank tell of a day; without a booking, that nothing was booked."""
    bank = camtwriter.Bank(cleared.terms.debtor.account, 10_000)

    def heard(*fens, day=PAID_ON):
        (line,) = explain(cleared, RIDE).bank
        lines = [
            camtwriter.Booked(signed=fen, day=day, end_to_end=line.end_to_end, account=line.account_no)
            for fen in fens
        ]
        take_statement(cleared, bank.day(day, *lines))
        (line,) = explain(cleared, RIDE).bank
        return line.state, line.code, [(one.booked_on, one.amount_fen, one.code) for one in line.entries]

    return heard


def test_a_share_is_followed_to_the_line_of_the_bank_that_paid_it(cleared, hear):
    found = explain(cleared, RIDE)
    (position,) = found.positions
    assert (position.run, position.partner, position.records) == (1, "metro", 1)
    assert (position.gross_fen, position.fee_fen, position.net_fen, position.paid_fen) == (300, 2, 298, 298)
    assert (found.bank[0].state, found.bank[0].code, found.bank[0].entries) == ("instructed", "", ())
    assert hear(-298) == ("settled", "OK", [(PAID_ON, 298, "OK")])
    titles = [title for title, _ in story(explain(cleared, RIDE))]
    assert titles == [
        "record", "file", "bytes", "card", "debit", "proofs", "run", "share", "posting", "posting", "posting",
        "posting", "position", "bank", "booked",
    ]  # fmt: skip


def test_a_payment_that_came_back_is_s02(hear):
    hear(-298)
    later = PAID_ON + dt.timedelta(days=1)
    assert hear(298, day=later) == ("returned", "S02", [(PAID_ON, 298, "OK"), (later, 298, "S02")])


def test_a_payment_that_the_bank_does_not_show_is_m01_and_one_that_it_never_executed_s01(cleared, hear):
    assert hear(day=dt.date(2018, 9, 12)) == ("instructed", "M01", [])
    with reading(cleared.engine) as conn:
        (case,) = find_cases(conn)
    wish = Resolution(how=How.NOT_PAID, reason="the bank lost the file")
    resolve(cleared, case.id, wish, actor="li", step=new_id())
    (line,) = explain(cleared, RIDE).bank
    assert (line.state, line.code) == ("returned", "S01")


def test_another_amount_at_the_bank_is_m03(hear):
    assert hear(-297)[1:] == ("M03", [(PAID_ON, 297, "M03")])


def test_an_exception_that_was_accepted_is_followed_to_its_payment(cleared):
    wish = Decision(how="accepted", bearer="card", reason="the clock was wrong", evidence="log 4")
    decide(cleared, OLD, wish, actor="li", step=new_id())
    waiting = explain(cleared, OLD)
    assert (waiting.decision.actor, waiting.adjustments[0].run, waiting.positions) == ("li", None, ())
    clear(cleared)
    found = explain(cleared, OLD)
    assert [(one.run, one.partner, one.carried_fen, one.paid_fen) for one in found.positions] == [
        (2, "metro", 250, 250)
    ]
    assert [one.amount_fen for one in found.bank] == [250]
    told = dict(story(found))
    assert told["adjusted"].startswith(
        "A01 card/31044400000000000001/purse -> partner/metro/payable 2.50 in run 2"
    )
    assert "accepted by li" in told["decided"]


def test_a_dispute_is_told_with_what_it_moved(cleared):
    claim = Claim(party="holder", about=RIDE, amount_fen=300, reason="never rode")
    made = open_dispute(cleared, new_id(), claim, actor="clerk")
    wish = Judgement(outcome="part", amount_fen=100, bearer="partners", reason="half of it")
    decide_dispute(cleared, made.id, wish, actor="li", step=new_id())
    clear(cleared)
    found = explain(cleared, RIDE)
    assert [(one.state, one.decision.amount_fen) for one in found.disputes] == [("part", 100)]
    assert [(one.code.value, one.run) for one in found.adjustments] == [("A06", 2)]
    assert [one.run for one in found.positions] == [1, 2]
    assert "part, half of it" in dict(story(found))["dispute"]
