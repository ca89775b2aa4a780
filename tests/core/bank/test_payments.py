from __future__ import annotations

import datetime as dt

import attrs
import pytest

from citycard.bank.instruction import BankAccount
from citycard.bank.payments import (
    Payment,
    PaymentKind,
    PaymentState,
    find_payment,
    note_payments,
    order_payment,
    payments,
)
from citycard.errors import BankDetailsInvalid, BankPaymentUnknown, PaymentConflict, PostingFailed
from citycard.ids import derived_id, new_id
from citycard.ledger.records import AccountSpec
from citycard.store import reading, writing

NOW = dt.datetime(2026, 11, 23, 9)
METRO = "partner/metro/payable"


def payment(**changes):
    facts = {
        "id": derived_id("p"), "kind": PaymentKind.PAYOUT, "amount_fen": 5_000, "source": METRO,
        "creditor": BankAccount(name="地铁集团", account="440010001", bic="BKCHCNBJ"),
        "text": "payout\x07of May",
    }  # fmt: skip
    return Payment(**facts | changes)


def order(treasury, one):
    with writing(treasury.engine) as conn:
        return order_payment(conn, treasury.ledger, one, event_time=NOW, business_date=NOW.date())


def test_ordering_moves_the_money_into_transit_once(treasury):
    first, again = order(treasury, payment()), order(treasury, payment())
    assert again == attrs.evolve(first, ordered_at=again.ordered_at)
    assert (treasury.balance(METRO), treasury.balance("transit/settlement")) == (95_000, -5_000)
    assert first.end_to_end == derived_id("p").hex
    assert first.text == "payout of May"
    assert treasury.audit() == []


@pytest.mark.parametrize(
    "changes",
    [{"amount_fen": 6_000}, {"creditor": BankAccount(name="X", account="1")}, {"kind": PaymentKind.REFUND}],
)
def test_one_id_stands_for_one_payment(treasury, changes):
    order(treasury, payment())
    with pytest.raises(PaymentConflict):
        order(treasury, payment(**changes))
    assert treasury.balance("transit/settlement") == -5_000


def test_what_the_source_has_not_got_is_not_ordered(treasury):
    with writing(treasury.engine) as conn:
        treasury.ledger.open_accounts(conn, [AccountSpec(address="poor", code=2002, guard="dr<=cr")])
    with pytest.raises(PostingFailed):
        order(treasury, payment(source="poor"))
    with reading(treasury.engine) as conn:
        assert payments(conn) == []


def test_whom_the_bank_could_not_read_is_not_ordered(treasury):
    with pytest.raises(BankDetailsInvalid, match="account"):
        order(treasury, payment(creditor=BankAccount(name="X", account="账户")))
    assert treasury.balance(METRO) == 100_000


def test_a_payment_whose_money_was_moved_by_its_orderer_is_only_written_down(treasury):
    one = payment(transfer=new_id())
    with writing(treasury.engine) as conn:
        assert [note_payments(conn, [one], at=treasury.clock.now()) for _ in range(2)] == [1, 0]
    assert treasury.balance(METRO) == 100_000


def test_a_payment_is_found_by_either_of_its_ids(treasury):
    one = order(treasury, payment(end_to_end="RUN-7"))
    with reading(treasury.engine) as conn:
        found = [find_payment(conn, name).id for name in (one.id, str(one.id), "RUN-7")]
        assert found == [one.id] * 3
        assert [each.id for each in payments(conn, PaymentState.ORDERED)] == [one.id]
        with pytest.raises(BankPaymentUnknown, match="RUN-8"):
            find_payment(conn, "RUN-8")
