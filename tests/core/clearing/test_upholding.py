"""A dispute is decided once, by a person or by rule, and the next run posts what was upheld."""

from datetime import datetime, timedelta
from threading import Thread

import attrs
import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from citycard.clearing.adjusting import adjustments_of_run
from citycard.clearing.casecodes import Verdict
from citycard.clearing.context import Share
from citycard.clearing.deciding import Decision, decide, take
from citycard.clearing.disputes import (
    Claim,
    DisputeState,
    add_evidence,
    dispute_of,
    find_disputes,
    open_dispute,
)
from citycard.clearing.exceptions import find_exceptions
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.statements import statement_of
from citycard.clearing.upholding import NO_EVIDENCE, UNDECIDED, Judgement, decide_dispute, decide_overdue
from citycard.errors import CaseStepConflict, CitycardError, DecisionRefused, DisputeRefused
from citycard.ids import new_id
from citycard.store import reading, writing

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE = "344000000001"
RIDE, BAD, OLD = f"{GATE}-1-1", f"{GATE}-1-2", f"{GATE}-1-3"
LOST = Judgement(outcome="upheld", bearer="issuer", reason="the log shows it")
NOTHING = Judgement(outcome="refused", reason="the log does not show it")


@pytest.fixture
def cleared(town):
    """A shared ride of 90 fen, one of 300 fen with a wrong TAC, one of 250 fen from too long ago."""
    (card,) = town.issue(1)
    town.load(card, 10_000)
    town.shares[2] = (Share(partner="metro", weight=2), Share(partner="bus", weight=1))
    town.tap(card, 90, AT, service=2)
    town.tap(card, 300, AT, tac=b"\1\2\3\4")
    town.tap(card, 250, AT - timedelta(days=60))
    receive(town, [town.batch()])
    clear(town)
    return town


def opened(town, about, amount_fen, partner="metro"):
    claim = Claim(
        party="partner" if partner else "holder",
        partner=partner,
        about=about,
        amount_fen=amount_fen,
        reason="?",
    )
    return open_dispute(town, new_id(), claim, actor="x")


def judged(town, dispute, judgement, actor="li", step=None):
    return decide_dispute(town, dispute.id, judgement, actor=actor, step=step or new_id())


def balances(town, *addresses):
    with reading(town.engine) as conn:
        assert town.ledger.audit(conn) == []
        return [town.ledger.balance_fen(conn, one) for one in addresses]


def adjusted(town, partner=""):
    report = clear(town)
    with reading(town.engine) as conn:
        found = adjustments_of_run(conn, report.number, partner)
    return [(one.code.value, one.debit, one.credit, one.amount_fen) for one in found]


PURSE = "card/31044400000000000001/purse"
OWED = "card/31044400000000000001/refund"
METRO, BUS, LOSS = "partner/metro/payable", "partner/bus/payable", "loss/clearing"


@pytest.mark.parametrize(
    ("about", "judgement", "moved"),
    [
        (BAD, LOST, ("A04", LOSS, METRO, 250)),
        (OLD, attrs.evolve(LOST, bearer="card"), ("A03", PURSE, METRO, 250)),
        (OLD, attrs.evolve(LOST, bearer="partner", payer="bus"), ("A05", BUS, METRO, 250)),
        (OLD, attrs.evolve(LOST, outcome="part", amount_fen=100), ("A04", LOSS, METRO, 100)),
        ("run/1", LOST, ("A04", LOSS, METRO, 250)),
    ],
)
def test_what_a_partner_is_owed_is_paid_by_the_next_run(cleared, about, judgement, moved):
    found = judged(cleared, opened(cleared, about, 250), judgement)
    assert found.state.value == judgement.outcome.value
    assert adjusted(cleared, "metro") == [moved]
    assert statement_of(cleared, "metro").carried_fen == moved[3]
    assert not clear(cleared).changed


def test_what_a_holder_is_owed_comes_from_the_partners_that_have_it(cleared):
    judged(cleared, opened(cleared, RIDE, 60, ""), attrs.evolve(LOST, bearer="partners"))
    assert adjusted(cleared) == [("A06", BUS, OWED, 20), ("A06", METRO, OWED, 40)]
    assert balances(cleared, OWED, METRO, BUS) == [60, -40, -20]
    assert [one.carried_fen for one in (statement_of(cleared, "metro"), statement_of(cleared, "bus"))] == [
        -40,
        -20,
    ]


def test_what_the_city_gives_a_holder_is_its_loss(cleared):
    judged(cleared, opened(cleared, RIDE, 60, ""), LOST)
    assert adjusted(cleared) == [("A07", LOSS, OWED, 60)]


def test_a_refused_dispute_moves_nothing(cleared):
    found = judged(cleared, opened(cleared, BAD, 300), NOTHING)
    assert (found.state, found.decision.amount_fen) == (DisputeState.REFUSED, 0)
    assert not clear(cleared).changed


@pytest.mark.parametrize(
    ("about", "partner", "judgement", "told"),
    [
        (BAD, "metro", attrs.evolve(LOST, bearer="card"), "nothing shows"),
        ("run/1", "metro", attrs.evolve(LOST, bearer="card"), "nothing shows"),
        (BAD, "metro", attrs.evolve(LOST, bearer="partners"), "say who pays"),
        (BAD, "metro", attrs.evolve(LOST, bearer=None), "say who pays"),
        (BAD, "metro", attrs.evolve(LOST, bearer="partner"), "name the other"),
        (BAD, "metro", attrs.evolve(LOST, bearer="partner", payer="metro"), "no other partner"),
        (BAD, "metro", attrs.evolve(LOST, bearer="partner", payer="zoo"), "no other partner"),
        (BAD, "metro", attrs.evolve(LOST, amount_fen=7), "in full it is 0.60 yuan"),
        (BAD, "metro", attrs.evolve(LOST, outcome="part", amount_fen=60), "0.01 to 0.59 yuan"),
        (BAD, "metro", attrs.evolve(LOST, reason=""), "say why"),
        (BAD, "metro", attrs.evolve(LOST, reason="r" * 290), "reason: 290 characters, expected 285 at most"),
        (BAD, "metro", attrs.evolve(NOTHING, bearer="issuer"), "nobody pays"),
        (RIDE, "", attrs.evolve(LOST, bearer="card"), "say who pays"),
    ],
)
def test_a_judgement_that_does_not_fit_is_refused(cleared, about, partner, judgement, told):
    found = opened(cleared, about, 60, partner)
    with pytest.raises(DisputeRefused, match=told):
        judged(cleared, found, judgement)


def test_a_dispute_is_decided_once_and_its_step_again_changes_nothing(cleared):
    found, step = opened(cleared, BAD, 300), new_id()
    first = judged(cleared, found, LOST, step=step)
    assert judged(cleared, found, LOST, step=step) == first
    with pytest.raises(CaseStepConflict):
        judged(cleared, found, NOTHING, step=step)
    with pytest.raises(DisputeRefused, match="decided already"):
        judged(cleared, found, LOST)
    with pytest.raises(DisputeRefused, match="decided already"):
        add_evidence(cleared, found.id, new_id(), actor="x", note="more")
    assert len(adjusted(cleared)) == 1


def test_a_record_is_not_paid_by_a_decision_and_by_a_dispute(cleared):
    dispute = opened(cleared, OLD, 250)
    decide(
        cleared,
        OLD,
        Decision(how="accepted", bearer="card", reason="x", evidence="y"),
        actor="li",
        step=new_id(),
    )
    with pytest.raises(
        DisputeRefused, match=f" 0.00 yuan can be owed at most; exception {OLD} got 2.50 yuan"
    ):
        judged(cleared, dispute, LOST)
    other = opened(cleared, BAD, 300)
    judged(cleared, other, LOST)
    with pytest.raises(DecisionRefused, match="paid already"):
        decide(
            cleared,
            BAD,
            Decision(how="accepted", bearer="issuer", reason="x", evidence="y"),
            actor="li",
            step=new_id(),
        )


def test_more_than_the_limit_needs_a_second_person(cleared):
    cleared.terms = attrs.evolve(cleared.terms, second_person_fen=200)
    found = opened(cleared, BAD, 300)
    assert judged(cleared, found, LOST).proposed_by == "li"
    again = judged(cleared, found, LOST)
    assert (again.decision, again.proposal) == (None, LOST.words)
    said = attrs.evolve(LOST, reason=f"  {LOST.reason} ")
    done = judged(cleared, found, said, "wang").decision
    assert (done.actor, done.proposed_by) == ("wang", "li")
    assert len(adjusted(cleared)) == 1


def test_days_that_pass_are_decided_by_rule(cleared):
    cleared.terms = attrs.evolve(cleared.terms, second_person_fen=260)
    silent, proven, large = (opened(cleared, *one) for one in ((RIDE, 30), (OLD, 250), (BAD, 300)))
    for one in (proven, large):
        add_evidence(cleared, one.id, new_id(), actor="metro", note="see the log")
    assert decide_overdue(cleared, actor="rules") == []
    cleared.clock.moment += timedelta(days=10)
    (refused,) = decide_overdue(cleared, actor="rules")
    assert (refused.id, refused.decision.outcome, refused.decision.rule) == (
        silent.id,
        Verdict.REFUSED,
        NO_EVIDENCE,
    )
    cleared.clock.moment += timedelta(days=20)
    (upheld,) = decide_overdue(cleared, actor="rules")
    assert (upheld.id, upheld.decision.bearer, upheld.decision.rule) == (proven.id, "issuer", UNDECIDED)
    assert decide_overdue(cleared, actor="rules") == []
    with reading(cleared.engine) as conn:
        assert [one.id for one in find_disputes(conn)] == [large.id]
        assert dispute_of(conn, large.id).overdue(cleared.clock.now().date())
    assert adjusted(cleared) == [("A04", LOSS, METRO, 250)]


def test_a_rule_does_not_pay_what_was_given_back_meanwhile(cleared):
    found = opened(cleared, OLD, 250)
    add_evidence(cleared, found.id, new_id(), actor="metro", note="see the log")
    decide(
        cleared,
        OLD,
        Decision(how="accepted", bearer="card", reason="x", evidence="y"),
        actor="li",
        step=new_id(),
    )
    cleared.clock.moment += timedelta(days=30)
    (done,) = decide_overdue(cleared, actor="rules")
    assert (done.state, done.decision.rule) == (DisputeState.REFUSED, UNDECIDED)


def test_a_position_of_a_statement_is_never_paid_by_rule(cleared):
    silent, proven = (
        opened(cleared, "run/1/2018-09-01/T01", 300),
        opened(cleared, "run/1/2018-09-01/R04", 250),
    )
    add_evidence(cleared, proven.id, new_id(), actor="metro", note="see the log")
    cleared.clock.moment += timedelta(days=30)
    (refused,) = decide_overdue(cleared, actor="rules")
    assert (refused.id, refused.decision.rule) == (silent.id, NO_EVIDENCE)
    with reading(cleared.engine) as conn:
        assert dispute_of(conn, proven.id).overdue(cleared.clock.now().date())
    assert not clear(cleared).changed


def test_what_a_line_of_the_statement_has_got_its_records_get_no_more(cleared):
    decide(
        cleared,
        OLD,
        Decision(how="accepted", bearer="card", reason="x", evidence="y"),
        actor="li",
        step=new_id(),
    )
    with pytest.raises(DisputeRefused, match=f" 3.90 yuan can be owed at most; exception {OLD} got "):
        opened(cleared, "run/1", 391)
    judged(cleared, opened(cleared, "run/1", 350), LOST)
    for about in (BAD, "run/1/2018-09-01", "run/1/2018-09-01/T01"):
        with pytest.raises(
            DisputeRefused, match=r" [0-9.]+ yuan can be owed at most; dispute [-0-9a-f]{36} got 3.50 yuan"
        ):
            opened(cleared, about, 300)


def test_a_line_pays_no_more_than_its_records_left_of_it_meanwhile(cleared):
    line = opened(cleared, "run/1/2018-09-01/R04", 250)
    decide(
        cleared,
        OLD,
        Decision(how="accepted", bearer="card", reason="x", evidence="y"),
        actor="li",
        step=new_id(),
    )
    with pytest.raises(
        DisputeRefused, match=f" 0.00 yuan can be owed at most; exception {OLD} got 2.50 yuan"
    ):
        judged(cleared, line, LOST)


def before_writing(engine, deed):
    """Let somebody do something after the next transaction, which reads, and before the one after it."""
    begun = []

    def begins(*_):
        begun.append(None)
        if len(begun) == 2:
            deed()

    event.listen(engine, "checkout", begins)


def test_the_rules_leave_what_somebody_decides_meanwhile_and_go_on(cleared):
    silent, proven = opened(cleared, RIDE, 30), opened(cleared, OLD, 250)
    add_evidence(cleared, proven.id, new_id(), actor="metro", note="see the log")
    cleared.clock.moment += timedelta(days=30)
    before_writing(cleared.engine, lambda: judged(cleared, silent, NOTHING))
    assert [one.id for one in decide_overdue(cleared, actor="rules")] == [proven.id]


def test_two_processes_that_apply_the_rules_at_once_decide_each_dispute_once(cleared):
    found = [opened(cleared, RIDE, 30), opened(cleared, OLD, 250)]
    cleared.clock.moment += timedelta(days=30)
    others = []
    before_writing(cleared.engine, lambda: others.extend(decide_overdue(cleared, actor="another")))
    assert decide_overdue(cleared, actor="rules") == []
    assert {one.id for one in others} == {one.id for one in found}


def test_whoever_opens_decides_or_lists_holds_one_connection_at_a_time(cleared):
    held, most = set(), []

    def taken(_dbapi, record, _proxy):
        held.add(record)
        most.append(len(held))

    event.listen(cleared.engine, "checkout", taken)
    event.listen(cleared.engine, "checkin", lambda _dbapi, record: held.discard(record))
    dispute, line = opened(cleared, BAD, 300), opened(cleared, "run/1/2018-09-01/R04", 250)
    judged(cleared, dispute, LOST)
    judged(cleared, line, LOST)
    wish = Decision(how="rejected", reason="x", evidence="y")
    take(cleared, OLD, actor="li", step=new_id())
    decide(cleared, OLD, wish, actor="li", step=new_id())
    find_exceptions(cleared)
    assert max(most) == 1


@pytest.mark.parametrize("table", ["clearing_dispute", "clearing_dispute_decision"])
def test_what_was_decided_stays_as_it_was(cleared, table):
    judged(cleared, opened(cleared, BAD, 300), LOST)
    with pytest.raises(DBAPIError, match="append-only"), writing(cleared.engine) as conn:
        conn.execute(text(f"DELETE FROM {table}"))


@pytest.mark.postgresql
def test_it_comes_to_the_same_in_postgresql_and_once_for_callers_at_once(
    town, tmp_path, postgresql_server, migrated_postgresql
):
    url = postgresql_server.create_database(template=migrated_postgresql)
    other = type(town)(tmp_path / "other", url).found()
    (card,) = other.issue(1)
    other.load(card, 10_000)
    other.tap(card, 300, AT)
    other.tap(card, 250, AT - timedelta(days=60))
    receive(other, [other.batch()])
    clear(other)
    dispute = opened(other, RIDE, 200, "")
    add_evidence(other, dispute.id, new_id(), actor="x", note="see the log")
    wish = Decision(how="accepted", bearer="card", reason="x", evidence="y")
    tried = [
        *[lambda: judged(other, dispute, attrs.evolve(LOST, bearer="partners"))] * 3,
        *[lambda: decide(other, BAD, wish, actor="li", step=new_id())] * 3,
    ]
    refused = []

    def called(deed):
        try:
            deed()
        except CitycardError as error:
            refused.append(type(error))

    threads = [Thread(target=called, args=(deed,)) for deed in tried]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(one.__name__ for one in refused) == ["CaseClosed"] * 2 + ["DisputeDecided"] * 2
    assert sorted(adjusted(other)) == [("A01", PURSE, METRO, 250), ("A06", METRO, OWED, 200)]
    assert balances(other, METRO, OWED) == [0, 200]
    other.engine.dispose()
