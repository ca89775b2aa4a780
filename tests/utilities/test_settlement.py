"""What was settled: every movement of what a biller is owed is explained, also what is not of bills."""

from __future__ import annotations

from uuid import uuid4

import pytest

from citycard import registry
from citycard.city.accounts import payee
from citycard.city.refunds import give_refund, purchase_of
from citycard.clearing.casecodes import Bearer, Party, Verdict
from citycard.clearing.disputes import Claim, add_evidence, open_dispute
from citycard.clearing.upholding import Judgement, decide_dispute
from citycard.store import reading, writing
from citycard.wallet import Payments
from citycard.wallet.refunds import Destination
from citycard_utilities.bills import bills_of
from citycard_utilities.errors import SettlementMissing
from citycard_utilities.importing import take_file
from citycard_utilities.jobs import after_run
from citycard_utilities.kiosk import Slip, pay_slip
from citycard_utilities.matching import match_runs
from citycard_utilities.paying import pay_bill, receipt_of
from citycard_utilities.settlement import settlement_of

WATER = "water-works"


@pytest.fixture
def citizen(town, settings, bill_file, due):
    lines = [(f"W{n}", "H1", 1000 * n, due) for n in (1, 2, 3)]
    take_file(town.city, settings, WATER, bill_file(*lines), file="1.csv")
    card = town.card()
    town.load(card, 20_000)
    return card


@pytest.fixture
def kiosk(town):
    return town.till(town.terminal(town.partner("kiosk-street")))


def pay(town, kiosk, card, due, bill, fen):
    slip = Slip(biller=1, bill=bill, household="H1", amount_fen=fen, due=due)
    kiosk.serve(card.reader, town.now, pay_slip(slip))


def kinds(settled):
    return sorted((item.what, item.amount_fen) for item in settled.items)


def test_a_biller_that_was_never_paid_has_no_settlement(town, settings):
    with pytest.raises(SettlementMissing):
        settlement_of(town.city, settings, WATER)


def test_runs_are_matched_once_however_often_they_are_asked_for(town, settings, citizen, kiosk, due):
    pay(town, kiosk, citizen, due, "W1", 1000)
    town.clear(kiosk)
    assert match_runs(town.city, settings) == []
    town.clear()
    after_run(town.city, settings)
    with reading(town.city.engine) as conn:
        assert receipt_of(conn, f"{kiosk.number}-1-1").applied_fen == 1000


def test_what_else_the_biller_was_paid_stands_as_other_with_its_reference(
    town, settings, citizen, kiosk, due
):
    account = town.account(citizen, 9_000)
    other = uuid4()
    Payments(town.city.wallet).pay(other, account, payee(town.city, WATER), 250)
    pay(town, kiosk, citizen, due, "W1", 1000)
    town.clear(kiosk)
    settled = settlement_of(town.city, settings, WATER)
    assert (settled.differences, settled.day) == ((), town.now.date())
    assert kinds(settled) == [("card", 1000), ("other", 250)]
    assert [item.reference for item in settled.items if item.what == "other"] == [f"payment/{other}"]


def test_a_dispute_that_gives_the_holder_money_back_opens_the_bill_and_stands_in_the_settlement(
    town, settings, citizen, kiosk, due
):
    pay(town, kiosk, citizen, due, "W1", 1000)
    town.clear(kiosk)
    identity, record = uuid4(), f"{kiosk.number}-1-1"
    claim = Claim(party=Party.HOLDER, about=record, amount_fen=1000, reason="not my bill")
    open_dispute(town.city, identity, claim, actor="Li")
    add_evidence(town.city, identity, uuid4(), actor="Li", note="slip")
    judgement = Judgement(outcome=Verdict.UPHELD, bearer=Bearer.PARTNERS, reason="wrong slip")
    decide_dispute(town.city, identity, judgement, actor="Wang", step=uuid4())
    pay(town, kiosk, citizen, due, "W3", 3000)
    town.clear(kiosk)

    assert {one.bill for one in bills_of(town.city, settings, WATER, "H1", open_only=True).bills} == {
        "W1",
        "W2",
    }
    settled = settlement_of(town.city, settings, WATER)
    assert (settled.differences, kinds(settled)) == ((), [("back", -1000), ("card", 3000)])
    assert settled.paid_fen == 2000


def test_what_a_desk_gave_back_is_explained_by_its_receipt(town, settings, citizen, kiosk, due):
    pay(town, kiosk, citizen, due, "W1", 1000)
    town.clear(kiosk)
    give_refund(
        town.city,
        uuid4(),
        purchase_of(town.city, f"{kiosk.number}-1-1"),
        400,
        Destination.CASH,
        reason="r",
        approved_by="a",
        evidence="e",
        actor="Li",
    )
    after_run(town.city, settings)
    pay_bill(town.city, settings, uuid4(), town.account(citizen, 9_000), WATER, "W2")
    town.clear()
    settled = settlement_of(town.city, settings, WATER)
    assert (settled.differences, kinds(settled)) == ((), [("account", 2000), ("back", -400)])
    assert settled.day == town.now.date()
    first = settlement_of(town.city, settings, WATER, 1)
    assert (first.differences, first.sum_fen, first.closing_fen) == ((), 1000, 0)


def test_a_biller_without_a_bank_account_is_owed_on_and_the_next_settlement_opens_with_it(
    town, settings, citizen, kiosk, due
):
    with writing(town.city.engine) as conn:
        registry.change_partner(conn, WATER, {"account_no": "", "bank_bic": ""}, reason="moved", actor="Li")
    pay(town, kiosk, citizen, due, "W1", 1000)
    town.clear(kiosk)
    first = settlement_of(town.city, settings, WATER)
    assert (first.differences, first.paid_fen, first.closing_fen) == ((), 0, 1000)
    pay(town, kiosk, citizen, due, "W2", 2000)
    town.clear(kiosk)
    second = settlement_of(town.city, settings, WATER)
    assert (second.differences, second.opening_fen, second.closing_fen) == ((), 1000, 3000)
