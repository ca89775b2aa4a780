"""A debit that people decided is paid once, whatever comes of it later."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from citycard.clearing.casecodes import Party
from citycard.clearing.codes import Code, State
from citycard.clearing.deciding import Decision, decide
from citycard.clearing.disputes import Claim, open_dispute
from citycard.clearing.intake import receive
from citycard.clearing.run import clear
from citycard.clearing.upholding import Judgement, decide_dispute
from citycard.errors import DecisionRefused, DisputeRefused
from citycard.ids import new_id
from citycard.store import reading
from citycard.terminal.record import RecordFlag

AT = datetime.fromisoformat("2018-09-01T07:00")
GATE, SECOND = "344000000001", "344000000002"
PAID = Decision(how="accepted", bearer="card", reason="the gate's log", evidence="log 7")
REJECTED = Decision(how="rejected", reason="the gate's log", evidence="log 7")


def tapped(town, card, minutes, terminal=GATE, *, amount_fen=200, **changes):
    return town.tap(card, amount_fen, AT + timedelta(minutes=minutes), terminal, **changes)


def grey(town, card, minutes=0):
    return tapped(town, card, minutes, tac=bytes(4), flags=RecordFlag.UNPROVEN)


def cleared(town, *terminals):
    for terminal in terminals:
        receive(town, [town.batch(terminal)])
    return {total.code: total.records for total in clear(town).totals}


def again(town, raw, terminal=GATE):
    town.terminals[terminal].records.append(raw)


def made(town, decision, record=f"{GATE}-1-1"):
    return decide(town, record, decision, actor="li", step=new_id())


def paid_fen(town):
    with reading(town.engine) as conn:
        owed_fen = town.ledger.balance_fen(conn, "partner/metro/payable")
        return owed_fen - town.ledger.balance_fen(conn, "transit/settlement")


@pytest.mark.parametrize(("decision", "paid"), [(PAID, 1), (REJECTED, 0)])
def test_a_copy_of_what_people_decided_is_a_duplicate(town, card, decision, paid):
    raw = grey(town, card)
    assert cleared(town, GATE) == {"G01": 1}
    made(town, decision)
    again(town, raw)
    assert cleared(town, GATE) == {"D04": 1}
    tapped(town, card, 5, SECOND)
    assert cleared(town, SECOND) == {"C01": 1}
    assert town.purse_fen(card) == 10_000 - 200 * paid - 200


def test_a_proven_record_of_a_debit_that_was_paid_is_not_paid_again(town, card):
    before = card.counter, card.balance_fen
    grey(town, card)
    cleared(town, GATE)
    made(town, PAID)
    card.counter, card.balance_fen = before
    tapped(town, card, 0)
    assert cleared(town, GATE) == {"D02": 1}
    assert town.purse_fen(card) == 9_800


def test_what_was_suspended_for_its_key_and_paid_is_not_paid_when_the_key_is_known(town, card):
    raw = tapped(town, card, -60 * 24 * 60)
    assert cleared(town, GATE) == {"R04": 1}
    made(town, PAID)
    again(town, raw)
    town.terms = type(town.terms)(**{**_fields(town.terms), "oldest_days": 90})
    assert cleared(town, GATE) == {"D04": 1}
    assert town.purse_fen(card) == 9_800


def _fields(terms):
    return {name: getattr(terms, name) for name in terms.__slots__ if not name.startswith("__")}


def test_the_holder_can_dispute_a_debit_that_a_later_run_decided(town, card):
    grey(town, card)
    cleared(town, GATE)
    tapped(town, card, 5, SECOND)
    assert cleared(town, SECOND) == {"G05": 1, "OK": 1}
    claim = Claim(party=Party.HOLDER, about=f"{GATE}-1-1", amount_fen=200, reason="never rode")
    dispute = open_dispute(town, new_id(), claim, actor="li")
    wish = Judgement(outcome="upheld", bearer="issuer", reason="the gate was out of order")
    assert decide_dispute(town, dispute.id, wish, actor="li", step=new_id()).state == "upheld"


def test_a_debit_that_did_not_happen_is_not_paid_by_the_card(town, card):
    before = card.counter, card.balance_fen
    grey(town, card)
    cleared(town, GATE)
    card.counter, card.balance_fen = before
    tapped(town, card, 5, SECOND)
    assert cleared(town, SECOND) == {"G04": 1, "OK": 1}
    with pytest.raises(DecisionRefused, match="under G04 nothing shows that the card paid"):
        made(town, PAID)
    made(town, REJECTED)


def test_of_a_copy_nothing_is_owed(town, card):
    raw = tapped(town, card, 0)
    cleared(town, GATE)
    again(town, raw)
    assert cleared(town, GATE) == {"D04": 1}
    assert Code.D04.state is State.DUPLICATE
    claim = Claim(party=Party.PARTNER, partner="metro", about=f"{GATE}-2-1", amount_fen=200, reason="unpaid")
    with pytest.raises(DisputeRefused):
        open_dispute(town, new_id(), claim, actor="li")
