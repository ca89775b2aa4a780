"""Accounts and transactions: opened once, killed half-way, sent by many at the same time."""

import itertools
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from textwrap import dedent

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citycard.clock import FixedClock
from citycard.errors import AccountConflict, AccountMissing, PostingFailed
from citycard.ledger import AccountSpec, Ledger
from citycard.store import reading, writing


def test_accounts_are_opened_once(ledger, store):
    bank = AccountSpec(address="bank", code=1001)
    with writing(store) as conn:
        assert ledger.open_accounts(conn, [bank, bank]) == 0
        assert ledger.open_accounts(conn, [AccountSpec(address="new", code=2001), bank]) == 1
        assert ledger.balance_fen(conn, "new") == 0


@pytest.mark.parametrize(
    ("field", "value"), [("code", 1101), ("guard", "dr<=cr"), ("side", "C"), ("owner", "metro")]
)
def test_an_account_cannot_be_opened_as_something_else(ledger, store, field, value):
    with writing(store) as conn:
        ledger.open_accounts(conn, [AccountSpec(address="owned", code=1001, owner="bus")])
        with pytest.raises(AccountConflict, match=f"account 'owned' is open with {field} "):
            ledger.open_accounts(conn, [AccountSpec(**{"address": "owned", "code": 1001} | {field: value})])


def test_one_call_cannot_open_an_account_in_two_ways(ledger, store):
    two = [AccountSpec(address="new", code=2001), AccountSpec(address="new", code=2002)]
    with pytest.raises(AccountConflict, match="code"), writing(store) as conn:
        ledger.open_accounts(conn, two)


def test_two_who_open_one_account_at_the_same_time_in_two_ways_do_not_both_get_it(ledger, store):
    def open_as(code):
        with writing(store) as conn:
            return ledger.open_accounts(conn, [AccountSpec(address="new", code=code)])

    with ThreadPoolExecutor(1) as other:
        with writing(store) as conn:
            assert ledger.open_accounts(conn, [AccountSpec(address="new", code=2001)]) == 1
            late = other.submit(open_as, 1101)
            with pytest.raises(TimeoutError):
                late.result(timeout=0.5)  # it waits until this transaction ends
        with pytest.raises(AccountConflict, match="account 'new' is open with code '2001'"):
            late.result()


def test_an_account_that_nobody_opened_is_named(ledger, store):
    with reading(store) as conn, pytest.raises(AccountMissing, match="no account 'nowhere'"):
        ledger.balance_fen(conn, "nowhere")


def test_post_all_says_what_was_not_posted(ledger, store, move):
    with (
        writing(store) as conn,
        pytest.raises(PostingFailed, match=r"1 of 2 transfers.*debit_account_missing"),
    ):
        ledger.post_all(conn, [move(1, "bank", "purse/1", 5), move(2, "nowhere", "shop", 5)])


def test_posting_times_come_from_the_clock(store, move):
    moment = datetime.fromisoformat("2018-09-02T03:00:00+00:00")
    timed = Ledger(store, clock=FixedClock(moment))
    with writing(store) as conn:
        timed.open_accounts(conn, [AccountSpec(address=one, code=2001) for one in ("a", "b")])
        timed.post(conn, [move(1, "a", "b", 5)])
        (found,) = timed.transfers_of(conn, "a")
    assert (found.posted_at, found.posted_seq, found.transfer) == (moment, 1, move(1, "a", "b", 5))


@pytest.mark.parametrize("table", ["transfer", "request", "account"])
@pytest.mark.parametrize("change", ["UPDATE {} SET id = id", "DELETE FROM {}"])
def test_what_is_written_can_neither_be_changed_nor_deleted(ledger, store, post, move, table, change):
    post(move(1, "bank", "purse/1", 100))
    with pytest.raises(DBAPIError, match=f"{table} is append-only"), writing(store) as conn:
        conn.execute(text(change.format(table)))


def test_the_database_itself_keeps_the_guards(ledger, store, post, move):
    post(move(1, "bank", "online/1", 100))
    with pytest.raises(DBAPIError, match="debits_within_credits"), writing(store) as conn:
        conn.execute(text("UPDATE balance SET dr_posted_fen = 101 WHERE guard = 'dr<=cr'"))


def test_calls_at_the_same_time_take_turns(ledger, store, post, move):
    post(move(1, "bank", "online/1", 10))

    def pay(number):
        with writing(store) as conn:
            return [str(one.result) for one in ledger.post(conn, [move(100 + number, "online/1", "shop", 1)])]

    with ThreadPoolExecutor(4) as pool:
        results = list(itertools.chain(*pool.map(pay, range(24))))
    assert sorted(results) == ["debits_exceed_credits"] * 14 + ["posted"] * 10
    with reading(store) as conn:
        assert ledger.audit(conn) == []
        assert ledger.balance_fen(conn, "online/1") == 0


def test_the_same_transfer_sent_twice_at_the_same_time_is_posted_once(ledger, store, move):
    def pay(_):
        with writing(store) as conn:
            return str(ledger.post(conn, [move(1, "bank", "shop", 7)])[0].result)

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(pay, range(8))) == ["exists"] * 7 + ["posted"]
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "shop") == 7


def test_a_process_that_is_killed_before_the_commit_leaves_nothing(ledger, store, post, move):
    post(move(1, "bank", "purse/1", 100))
    program = dedent("""
        import sys, time
        from datetime import date, datetime
        from uuid import UUID
        from citycard.store import open_store
        from citycard.ledger import Ledger, Transfer
        engine = open_store(sys.argv[1])
        with engine.begin() as conn:
            moves = [
                Transfer(id=UUID(int=number), debit_address="bank", credit_address="purse/2", amount_fen=1,
                         code=10, event_time=datetime(2018, 9, 1), business_date=date(2018, 9, 1))
                for number in range(100, 3000)
            ]
            print(sum(one.posted for one in Ledger(engine).post(conn, moves)), flush=True)
            time.sleep(60)
    """)
    url = store.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", program, url], stdout=subprocess.PIPE) as child:
        assert child.stdout.readline() == b"2900\n"
        os.kill(child.pid, signal.SIGKILL)
    with writing(store) as conn:
        assert ledger.balance_fen(conn, "purse/2") == 0
        assert ledger.audit(conn) == []
        assert ledger.post(conn, [move(100, "bank", "purse/2", 1)])[0].result == "posted"
