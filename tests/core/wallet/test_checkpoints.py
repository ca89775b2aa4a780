"""Checkpoints are kept once, change no answer, and are found out when they are wrong."""

from datetime import UTC, date, datetime, timedelta

import attrs
import pytest

from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Kind, Ledger, Transfer
from citycard.store import reading, writing
from citycard.wallet.checkpoints import audit_float, keep_checkpoint
from citycard.wallet.float import float_at, last_checkpoint
from citycard.wallet.load import Load, LoadState, Proof
from citycard.wallet.tables import load

START = datetime(2018, 9, 1, tzinfo=UTC)


@pytest.fixture
def ledger(store):
    ledger = Ledger(store, FixedClock(START))
    with writing(store) as conn:
        ledger.open_accounts(
            conn,
            [
                AccountSpec(address="trust/bank", code=1001),
                AccountSpec(address="card/1/purse", code=2001),
                AccountSpec(address="points/issued", code=8001, side="D", currency="PTS"),
                AccountSpec(address="points/1", code=8002, currency="PTS"),
            ],
        )
    return ledger


def post(ledger, amount_fen, debit="trust/bank", credit="card/1/purse", **more):
    made = Transfer(
        id=new_id(),
        debit_address=debit,
        credit_address=credit,
        amount_fen=amount_fen,
        code=10,
        event_time=datetime(2018, 9, 1),
        business_date=date(2018, 9, 1),
        **more,
    )
    with writing(ledger.engine) as conn:
        ledger.post_all(conn, [made])
    return made


def keep(ledger):
    with writing(ledger.engine) as conn:
        return keep_checkpoint(conn, float_at(conn, ledger.clock.moment))


def test_a_checkpoint_is_kept_once_and_only_where_something_was_posted(ledger):
    assert keep(ledger) is False
    post(ledger, 100)
    assert [keep(ledger), keep(ledger)] == [True, False]
    ledger.clock.moment += timedelta(hours=1)
    assert keep(ledger) is False
    with reading(ledger.engine) as conn:
        assert last_checkpoint(conn, 99) == 1


def test_a_report_of_an_earlier_state_may_still_be_kept(ledger):
    post(ledger, 100)
    with reading(ledger.engine) as conn:
        report = float_at(conn, START)
    ledger.clock.moment += timedelta(hours=1)
    post(ledger, 50)
    with writing(ledger.engine) as conn:
        assert keep_checkpoint(conn, report) is True
    with reading(ledger.engine) as conn:
        assert float_at(conn, ledger.clock.moment).balance_fen(2001) == 150
        assert audit_float(conn) == []


def test_holds_and_points_are_no_money_of_the_float(ledger):
    post(ledger, 100, kind=Kind.PENDING)
    post(ledger, 7, debit="points/issued", credit="points/1")
    post(ledger, 30)
    keep(ledger)
    with reading(ledger.engine) as conn:
        report = float_at(conn, START)
        assert {line.code: line.balance_fen for line in report.lines} == {1001: 30, 2001: 30}
        assert audit_float(conn) == []


def test_a_load_that_is_proven_and_not_posted_is_found(ledger):
    one = Load(
        id=new_id(),
        asn="01042910000000000017",
        online_atc=0,
        key_version=1,
        amount_fen=500,
        balance_before_fen=0,
        terminal="990100000001",
        agent="",
        at=datetime(2018, 9, 1),
        mac1="",
        state=LoadState.PROVEN,
        proof=Proof.TAC,
    )
    with writing(ledger.engine) as conn:
        row = attrs.asdict(one)
        conn.execute(load.insert(), row | {"state": "proven", "proof": "tac"})
    with reading(ledger.engine) as conn:
        assert [found.invariant for found in audit_float(conn)] == ["F3"]
