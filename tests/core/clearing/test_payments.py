from __future__ import annotations

from datetime import datetime, timedelta

from citycard.bank.instructing import bank_files
from citycard.bank.payments import PaymentState, payments
from citycard.clearing import closing
from citycard.clearing.intake import receive
from citycard.clearing.payments import adopt_payments, payment_path
from citycard.clearing.postings import transfer_ids
from citycard.clearing.run import clear
from citycard.clearing.statements import statements_of
from citycard.store import reading

AT = datetime.fromisoformat("2018-09-01T07:00")
BUS = "344000000003"


def played(town, minutes=0):
    (card,) = town.issue(minutes + 1)
    town.load(card, 10_000)
    town.tap(card, 400, AT + timedelta(minutes=minutes))
    town.tap(card, 200, AT + timedelta(minutes=minutes + 1), BUS)
    receive(town, [town.batch(), town.batch(BUS)])
    return clear(town)


def test_what_a_run_pays_is_ordered_in_its_own_instruction(town):
    report = played(town)
    with reading(town.engine) as conn:
        ordered = {one.end_to_end: one for one in payments(conn)}
        (file,) = bank_files(conn)
    paid = {one.end_to_end: one for one in statements_of(town)}
    assert {key: one.amount_fen for key, one in ordered.items()} == {
        key: one.net_fen for key, one in paid.items()
    }
    for key, one in ordered.items():
        assert one.state is PaymentState.INSTRUCTED
        assert one.transfer == transfer_ids(report.number, paid[key].partner)["settlement"]
        assert one.source == f"partner/{paid[key].partner}/payable"
    assert (file.path, file.payments) == (payment_path(report.number), 2)
    assert (town.folder / file.path).exists()


def test_the_bank_is_to_pay_on_a_day_on_which_it_works(town):
    played(town)
    with reading(town.engine) as conn:
        (file,) = bank_files(conn)
    # The run was opened on a Saturday, the 1st of September 2018.
    assert file.execution_date.isoformat() == "2018-09-03"


def test_runs_from_before_payments_were_kept_are_taken_over_once(town, monkeypatch):
    with monkeypatch.context() as older:
        older.setattr(closing, "order_run_payments", lambda *_: None)
        first, second = played(town), played(town, 5)
    assert [adopt_payments(town) for _ in range(2)] == [2, 0]
    with reading(town.engine) as conn:
        assert sorted(file.path for file in bank_files(conn)) == [
            payment_path(first.number),
            payment_path(second.number),
        ]
        assert len(payments(conn)) == 4
