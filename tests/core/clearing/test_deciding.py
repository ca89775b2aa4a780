"""A decision about an exception is taken once, and the next run pays what it says."""

from datetime import datetime, timedelta
from threading import Thread

import attrs
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citycard.bank.codes import CaseState
from citycard.clearing.adjusting import adjustments_of_run
from citycard.clearing.casecodes import AdjustmentCode, Bearer, Ruling
from citycard.clearing.codes import Code
from citycard.clearing.context import Share
from citycard.clearing.deciding import Decision, decide, take
from citycard.clearing.disputes import Claim, open_dispute
from citycard.clearing.exceptions import exception_of, find_exceptions, history
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.statements import statement_of
from citycard.errors import CaseClosed, CaseStepConflict, CaseTaken, DecisionRefused, DisputeRefused
from citycard.ids import new_id
from citycard.registry import OtherCity, add_city
from citycard.store import reading, writing

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE = "344000000001"
PAID = Decision(how="accepted", bearer="card", reason="the gate's log has it", evidence="log 7")
LOST = attrs.evolve(PAID, bearer="issuer")


@pytest.fixture
def old(town):
    """A record that is suspended because its time is too long ago."""
    (card,) = town.issue(1)
    town.load(card, 30_000)
    town.tap(card, 300, AT - timedelta(days=60))
    receive(town, [town.batch()])
    clear(town)
    return f"{GATE}-1-1"


def balances(town, *addresses):
    with reading(town.engine) as conn:
        return [town.ledger.balance_fen(conn, one) for one in addresses]


def made(town, record, decision, actor="li", step=None):
    return decide(town, record, decision, actor=actor, step=step or new_id())


def test_what_was_paid_with_money_that_nobody_loaded_is_closed_and_paid_no_second_time(town):
    (card,) = town.issue(1)
    card.balance_fen = 5_000
    town.tap(card, 300, AT)
    town.tap(card, 300, AT + timedelta(minutes=5))
    receive(town, [town.batch()])
    clear(town)
    record = f"{GATE}-1-2"
    for wish in (PAID, Decision(how="rejected", reason="money that nobody loaded")):
        with pytest.raises(DecisionRefused, match="it is paid already"):
            made(town, record, wish)
    found = made(town, record, Decision(how="left", reason="the card was given to the police"))
    assert (found.code, found.state) == ("C04", CaseState.RESOLVED)
    assert [one.code for one in find_exceptions(town)] == ["C03"]
    assert not clear(town).changed


def test_what_is_accepted_is_paid_as_charged_by_the_card_in_the_next_run(town, old):
    purse = f"card/{town.cards.popitem()[0]}/purse"
    case = made(town, old, PAID)
    assert (case.state, case.decision.how, case.decision.amount_fen) == (
        CaseState.RESOLVED,
        Ruling.ACCEPTED,
        300,
    )
    assert balances(town, purse) == [30_000]
    report = clear(town)
    assert (report.changed, report.records, dict(report.notes)["A01"]) == (True, 0, 1)
    assert balances(town, purse, "partner/metro/payable") == [29_700, 0]
    assert [(one.partner, one.carried_fen, one.paid_fen) for one in report.partners] == [("metro", 300, 300)]
    assert statement_of(town, "metro").carried_fen == 300
    assert not clear(town).changed
    with reading(town.engine) as conn:
        (one,) = adjustments_of_run(conn, report.number, "metro")
        assert (one.code, one.about, one.run) == (AdjustmentCode.A01, old, report.number)
        assert town.ledger.find(conn, [one.id])[one.id].transfer.ref == f"adjustment/A01/{old}"
        assert town.ledger.audit(conn) == []


def test_what_the_issuer_bears_is_a_loss_of_the_city(town, old):
    made(town, old, LOST)
    assert dict(clear(town).notes)["A02"] == 1
    assert balances(town, "loss/clearing", "partner/metro/payable") == [300, 0]


def test_it_is_shared_among_those_who_would_have_got_it(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.shares[2] = (Share(partner="metro", weight=2), Share(partner="bus", weight=1))
    town.tap(card, 100, AT - timedelta(days=60), service=2)
    receive(town, [town.batch()])
    clear(town)
    made(town, f"{GATE}-1-1", PAID)
    assert [(one.partner, one.paid_fen) for one in clear(town).partners] == [("bus", 33), ("metro", 67)]


def test_a_share_without_a_name_is_that_of_the_terminals_partner(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.shares[2] = (Share(weight=3), Share(partner="bus", weight=1))
    town.tap(card, 100, AT - timedelta(days=60), service=2)
    receive(town, [town.batch()])
    clear(town)
    made(town, f"{GATE}-1-1", PAID)
    assert [(one.partner, one.paid_fen) for one in clear(town).partners] == [("bus", 25), ("metro", 75)]


@pytest.mark.parametrize("how", ["rejected", "left"])
def test_what_is_rejected_or_left_to_the_partner_moves_nothing(town, old, how):
    case = made(town, old, Decision(how=how, reason="no ground for it"))
    assert (case.decision.how.value, case.decision.amount_fen) == (how, 0)
    assert not clear(town).changed


def test_a_decision_is_taken_once_and_its_step_again_changes_nothing(town, old):
    step = new_id()
    first = made(town, old, PAID, step=step)
    assert made(town, old, PAID, step=step) == first
    with pytest.raises(CaseClosed, match="accepted"):
        made(town, old, PAID)
    with pytest.raises(CaseClosed):
        take(town, old, actor="wang", step=new_id())
    with pytest.raises(CaseStepConflict):
        made(town, old, LOST, step=step)
    clear(town)
    assert balances(town, "partner/metro/payable") == [0]


def test_two_who_decide_at_once_pay_once(town, old):
    raised = []

    def decided():
        try:
            made(town, old, PAID)
        except CaseClosed as closed:
            raised.append(closed)

    threads = [Thread(target=decided) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(raised) == 3
    assert [one.paid_fen for one in clear(town).partners] == [300]


def test_only_who_took_an_exception_decides_it(town, old):
    take(town, old, actor="wang", step=new_id())
    with pytest.raises(CaseTaken, match="wang"):
        made(town, old, PAID)
    with pytest.raises(CaseTaken, match=r"has been with wang since [-0-9]{10} [:0-9]{5}: .*--from-other"):
        take(town, old, actor="li", step=new_id())
    assert take(town, old, actor="wang", step=new_id()).taken_by == "wang"
    take(town, old, actor="li", step=new_id(), from_other=True)
    with reading(town.engine) as conn:
        assert [(one.actor, one.detail) for one in history(conn, old)] == [
            ("wang", ""),
            ("wang", ""),
            ("li", "from wang"),
        ]
    assert made(town, old, PAID).taken_by == "li"


def test_a_second_person_need_not_take_what_the_first_one_proposed(town, old):
    town.terms = attrs.evolve(town.terms, second_person_fen=299)
    take(town, old, actor="li", step=new_id())
    with pytest.raises(CaseTaken):
        made(town, old, PAID, "wang")
    assert made(town, old, PAID, "li").proposed_by == "li"
    with pytest.raises(CaseTaken):
        take(town, old, actor="wang", step=new_id())
    assert made(town, old, PAID, "wang").decision.proposed_by == "li"


def test_more_than_the_limit_needs_a_second_person_who_says_the_same(town, old):
    town.terms = attrs.evolve(town.terms, second_person_fen=299)
    step = new_id()
    case = made(town, old, PAID, step=step)
    assert (case.state, case.proposed_by, case.decision) == (CaseState.TAKEN, "li", None)
    assert made(town, old, PAID, step=step).decision is None
    assert made(town, old, PAID).decision is None  # the same person once more is no second one
    other = made(town, old, LOST, "wang")  # another wish is a proposal of its own
    assert (other.proposed_by, other.proposal) == ("wang", LOST.words)
    assert not clear(town).changed
    said = attrs.evolve(LOST, reason=f" {LOST.reason}\n", evidence=f"{LOST.evidence} ")
    done = made(town, old, said, "li").decision
    assert (done.reason, done.evidence) == (LOST.reason, LOST.evidence)
    assert (done.actor, done.proposed_by, done.bearer) == ("li", "wang", Bearer.ISSUER.value)
    assert [one.paid_fen for one in clear(town).partners] == [300]


def test_a_second_person_never_confirms_other_evidence_however_long_the_reason_is(town, old):
    town.terms = attrs.evolve(town.terms, second_person_fen=299)
    long = attrs.evolve(PAID, reason="r" * (282 - len(" · log 7")))
    assert made(town, old, long).proposal == long.words
    assert made(town, old, attrs.evolve(long, evidence="log 8"), "wang").decision is None
    assert made(town, old, attrs.evolve(long, evidence="log 8"), "li").decision.evidence == "log 8"


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"reason": " "}, "say why"),
        ({"evidence": ""}, "ground"),
        ({"bearer": None}, "who pays"),
        ({"how": "rejected"}, "only that"),
        ({"bearer": "partners"}, "the card or the issuer"),
        ({"evidence": "e" * 201}, "evidence: 201 characters, expected 200 at most"),
        ({"reason": "r" * 285, "evidence": "e"}, "reason and evidence: 289 characters, expected 282 at most"),
    ],
)
def test_a_decision_says_why_on_what_ground_and_who_pays(town, old, change, told):
    with pytest.raises(DecisionRefused, match=told):
        made(town, old, attrs.evolve(PAID, **change))


def test_a_card_never_pays_what_nothing_shows_that_it_paid(town):
    (card,) = town.issue(1)
    town.load(card, 5000)
    town.tap(card, 100, AT, tac=b"\1\2\3\4")
    receive(town, [town.batch()])
    clear(town)
    with pytest.raises(DecisionRefused, match="under T01"):
        made(town, f"{GATE}-1-1", PAID)
    assert made(town, f"{GATE}-1-1", LOST).decision.bearer == "issuer"


@pytest.mark.parametrize("table", ["clearing_decision", "clearing_adjustment", "clearing_case_step"])
def test_what_was_decided_stays_as_it_was(town, old, table):
    made(town, old, PAID)
    with pytest.raises(DBAPIError, match="append-only"), writing(town.engine) as conn:
        conn.execute(text(f"DELETE FROM {table}"))
    with reading(town.engine) as conn:
        assert exception_of(town, conn, old).decision.reason == "the gate's log has it"


def test_a_card_of_another_city_is_its_issuers_matter(town):
    theirs = "0101344100FFFFFF"
    with writing(town.engine) as conn:
        add_city(conn, OtherCity(code="3441", name="Next", issuers=(theirs,), valid_from=AT.date()))
    guest = attrs.evolve(town.issue(1)[0], asn="31044410000000000001", balance_fen=1000)
    town.tap(guest, 200, AT, issuer=theirs)
    town.tap(guest, 200, AT + timedelta(days=3), issuer=theirs)
    receive(town, [town.batch()])
    clear(town)
    waiting, late = f"{GATE}-1-1", f"{GATE}-1-2"
    assert [one.id for one in find_exceptions(town)] == [late]
    assert [one.id for one in find_exceptions(town, code=Code.X01)] == [waiting]
    with pytest.raises(DecisionRefused, match="issued the card"):
        made(town, waiting, LOST)
    claim = Claim(party="partner", partner="metro", about=waiting, amount_fen=200, reason="?")
    with pytest.raises(DisputeRefused, match="issued the card"):
        open_dispute(town, new_id(), claim, actor="x")
    with pytest.raises(DecisionRefused, match="another city's"):
        made(town, late, PAID)
    assert made(town, late, LOST).decision.amount_fen == 200
