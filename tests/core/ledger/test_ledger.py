"""The ledger does what its page says: any sequence of calls, against a model written independently."""

import importlib.util
import itertools
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import dedent
from uuid import UUID

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from citycard.clock import FixedClock
from citycard.errors import AccountConflict, AccountMissing, PostingFailed
from citycard.ledger import AccountSpec, Ledger, Transfer
from citycard.ledger.tables import account, balance, hold, ledger, limit_use, request, transfer
from citycard.store import metadata, open_store, reading, writing

_spec = importlib.util.spec_from_file_location("ledger_model", Path(__file__).with_name("ledger_model.py"))
ledger_model = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(ledger_model)

GUARDS = {"a": "none", "b": "none", "c": "dr<=cr", "d": "cr<=dr", "e": "dr<=cr"}
SIDES = {"a": 1001, "b": 2001, "c": 2002, "d": 1102, "e": 2002}
TABLES = [ledger, account, balance, transfer, request, hold, limit_use]

transfers = st.builds(
    lambda number, addresses, fen, code, minute, group, ref: Transfer(
        id=UUID(int=number),
        debit_address=addresses[0],
        credit_address=addresses[1],
        amount_fen=fen,
        code=code,
        event_time=datetime(2018, 9, 1, 8, minute),
        business_date=date(2018, 9, 1 + minute % 2),
        group=None if group is None else UUID(int=group),
        ref=ref,
    ),
    st.integers(1, 30),
    st.sampled_from(list(itertools.permutations([*GUARDS, "nowhere"], 2))),
    st.integers(1, 5),
    st.sampled_from([10, 20]),
    st.integers(0, 1),
    st.sampled_from([None, None, None, 1, 2, 3]),
    st.sampled_from(["", "run/1"]),
)
batches = st.lists(transfers, min_size=1, max_size=8)


class LedgerMachine(RuleBasedStateMachine):
    """Post, post again, fail half-way, open again; compare everything after every step."""

    engine_factory = None

    @initialize()
    def open_ledger(self):
        self.engine, self.close = type(self).engine_factory()
        with writing(self.engine) as conn:
            metadata.create_all(conn, tables=TABLES)
        self.ledger = Ledger(self.engine)
        self.model = ledger_model.Ledger(GUARDS)
        self.batches = []
        self._open_accounts()

    def _open_accounts(self):
        specs = [AccountSpec(address=one, code=SIDES[one], guard=guard) for one, guard in GUARDS.items()]
        with writing(self.engine) as conn:
            return self.ledger.open_accounts(conn, specs)

    def _post(self, batch):
        with writing(self.engine) as conn:
            outcomes = self.ledger.post(conn, batch)
        assert [outcome.id for outcome in outcomes] == [one.id for one in batch]
        answers = [(str(outcome.result), outcome.repeated) for outcome in outcomes]
        assert self.model.post(batch) == answers

    @rule(batch=batches)
    def post(self, batch):
        self.batches.append(batch)
        self._post(batch)

    @rule(pick=st.randoms(use_true_random=False))
    def post_an_earlier_batch_again(self, pick):
        if self.batches:
            self._post(pick.choice(self.batches))

    @rule(batch=batches)
    def a_transaction_that_is_rolled_back_leaves_nothing(self, batch):
        with self.engine.connect() as conn:
            self.ledger.post(conn, batch)
            conn.rollback()

    @rule()
    def accounts_are_opened_again(self):
        assert self._open_accounts() == 0

    @invariant()
    def everything_is_as_in_the_model(self):
        if not hasattr(self, "ledger"):
            return
        with reading(self.engine) as conn:
            for address in GUARDS:
                held = self.ledger.balance(conn, address)
                assert [held.debits_fen, held.credits_fen] == self.model.balance(address)
            trial = self.ledger.trial_balance(conn)
            assert trial.debits_fen == trial.credits_fen == sum(d for d, _ in self.model.sums.values())
            posted = self.ledger.find(conn, [UUID(int=number) for number in range(31)])
            assert sorted(posted, key=lambda one: posted[one].posted_seq) == self.model.posted
            assert self.ledger.audit(conn) == []

    def teardown(self):
        if hasattr(self, "engine"):
            self.engine.dispose()
            self.close()


def test_any_sequence_of_calls_agrees_with_the_model():
    def sqlite():
        folder = TemporaryDirectory()
        return open_store(f"sqlite:///{folder.name}/city.db"), folder.cleanup

    LedgerMachine.engine_factory = staticmethod(sqlite)
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=40,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


@pytest.mark.postgresql
def test_any_sequence_of_calls_agrees_with_the_model_on_postgresql(postgresql_url):
    numbers = itertools.count()
    admin = open_store(postgresql_url)

    def postgresql():
        schema = f"ledger_{next(numbers)}"
        with writing(admin) as conn:
            conn.execute(text(f"CREATE SCHEMA {schema}"))
        return open_store(f"{postgresql_url}&options=-csearch_path%3D{schema}"), lambda: None

    LedgerMachine.engine_factory = staticmethod(postgresql)
    run_state_machine_as_test(
        LedgerMachine,
        settings=settings(
            max_examples=8,
            stateful_step_count=8,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    admin.dispose()


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
