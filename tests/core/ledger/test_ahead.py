"""What is judged on a writer's own memory is what the ledger would have said, or it is not written at all."""

from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import TimeoutError as FutureTimeout
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text

from citycard.clock import FixedClock
from citycard.ledger import AccountSpec, Kind, Ledger, Limit
from citycard.ledger import ahead as module
from citycard.ledger.ahead import Ahead, simple
from citycard.ledger.sealing import seal_ledger
from citycard.ledger.writer import LedgerWriter
from citycard.store import open_store, reading, writing

# A SQLite file is asked without any exchange, so that nobody has to remember what is in it.
pytestmark = [pytest.mark.postgresql, pytest.mark.usefixtures("store")]
pytestmark += [pytest.mark.parametrize("store", ["postgresql"], indirect=True)]
#: Cut off whoever else is connected.
OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)
NOW = datetime(2018, 9, 1, 0, 30, tzinfo=UTC)


@pytest.fixture
def ledger(ledger, post, move):
    """Return the ledger, which is not empty; its clock stands."""
    ledger.clock = FixedClock(NOW)
    assert post(move(1, "bank", "online/1", 100)) == ["posted"]
    return ledger


@pytest.fixture
def ahead(ledger):
    ahead = Ahead(ledger.engine)
    yield ahead
    ahead.rest()


def write(ahead, *judged):
    """Send all before the first is answered, and say of each whether it was written."""
    sent = [ahead.send(one) for one in judged]
    return [one and ahead.written() for one in sent]


@pytest.fixture
def send(ahead):
    """Return a function that judges and writes, and gives the results, or None when nothing was written."""

    def send(*transfers, now=NOW):
        judged = ahead.judge(transfers, now)
        written = judged is not None and write(ahead, judged) == [True]
        return [str(outcome.result) for outcome in judged.outcomes] if written else None

    return send


@pytest.fixture
def fen(ledger):
    def fen(address):
        with reading(ledger.engine) as conn:
            assert ledger.audit(conn) == []
            return ledger.balance_fen(conn, address)

    return fen


def test_guards_are_kept_from_one_call_to_the_next(send, move, fen):
    assert send(move(2, "online/1", "shop", 60)) == ["posted"]
    second = send(move(3, "online/1", "shop", 60), move(4, "online/1", "shop", 40))
    assert second == ["debits_exceed_credits", "posted"]
    assert (fen("online/1"), fen("shop")) == (0, 100)


def test_what_is_held_on_the_side_of_credits_counts_when_an_account_is_read(send, post, move):
    assert post(move(2, "fund", "bank", 100)) == ["posted"]
    assert post(move(3, "purse/1", "fund", 60, kind=Kind.PENDING)) == ["posted"]
    assert send(move(4, "purse/1", "fund", 41)) == ["credits_exceed_debits"]
    assert send(move(5, "purse/1", "fund", 40)) == ["posted"]


def test_an_account_is_read_with_its_currency(ledger, send, move):
    with writing(ledger.engine) as conn:
        specs = [AccountSpec(address=name, code=2001, currency="HKD") for name in ("octopus/1", "octopus/2")]
        ledger.open_accounts(conn, specs)
    assert send(move(2, "bank", "octopus/1", 5)) == ["currencies_differ"]
    assert send(move(3, "octopus/1", "octopus/2", 5)) == ["posted"]


def test_the_second_is_judged_after_the_first_before_that_is_written(ahead, move, fen):
    first = ahead.judge([move(2, "online/1", "shop", 60)], NOW)
    second = ahead.judge([move(3, "online/1", "shop", 60), move(4, "bank", "purse/1", 5)], NOW)
    assert write(ahead, first, second) == [True, True]
    assert [str(one.result) for one in second.outcomes] == ["debits_exceed_credits", "posted"]
    assert (fen("shop"), fen("purse/1")) == (60, 5)


def test_nothing_is_written_when_the_one_before_was_not(ahead, move, fen):
    ahead.judge([move(2, "online/1", "shop", 60)], NOW)
    second = ahead.judge([move(3, "online/1", "shop", 60)], NOW)
    assert write(ahead, second) == [False]
    assert fen("shop") == 0


@pytest.mark.parametrize("before", [True, False])
def test_nothing_is_written_when_somebody_else_has_posted(ahead, send, post, move, fen, before):
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    if before:
        assert post(move(3, "online/1", "shop", 99)) == ["posted"]
    judged = ahead.judge([move(4, "online/1", "shop", 60)], NOW)
    if not before:
        assert post(move(3, "online/1", "shop", 99)) == ["posted"]
    assert write(ahead, judged) == [False]
    assert (ahead.stale, fen("online/1")) == (True, 0)
    ahead.forget()
    assert send(move(4, "online/1", "shop", 60)) == ["debits_exceed_credits"]


def test_nothing_comes_true_after_what_did_not_even_if_the_ledger_looks_the_same(
    ahead, send, post, move, fen
):
    """Somebody else posts just as much at the same moment: number and time are as expected."""
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    first = ahead.judge([move(3, "bank", "online/1", 50)], NOW)
    second = ahead.judge([move(4, "online/1", "shop", 149)], NOW)
    assert post(move(5, "online/1", "shop", 99)) == ["posted"]
    assert write(ahead, first, second) == [False, False]
    assert fen("online/1") == 0


def test_nothing_comes_true_after_a_statement_that_failed(ahead, send, post, move, fen):
    """A call of nothing but an id that was answered before leaves number and time as they are."""
    assert post(move(2, "online/1", "shop", 500)) == ["debits_exceed_credits"]
    assert send(move(3, "online/1", "shop", 1)) == ["posted"]
    again = ahead.judge([move(2, "online/1", "shop", 500)], NOW)
    second = ahead.judge([move(4, "online/1", "shop", 1)], NOW)
    assert write(ahead, again, second) == [False, False]
    assert fen("shop") == 1
    ahead.forget()
    assert send(move(4, "online/1", "shop", 1)) == ["posted"]


def test_what_was_sent_before_a_mistake_was_seen_is_written(ahead, send, move, fen):
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    judged = ahead.judge([move(3, "online/1", "shop", 1)], NOW)
    assert ahead.send(judged)
    ahead.stale = True
    assert ahead.written()
    assert fen("shop") == 2


def test_after_a_rest_it_goes_on_with_what_it_knows(ahead, send, move, fen):
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    ahead.rest()
    assert send(move(3, "online/1", "shop", 100)) == ["debits_exceed_credits"]
    assert send(move(4, "online/1", "shop", 99)) == ["posted"]
    assert fen("online/1") == 0


def test_of_what_was_on_its_way_when_the_database_went_away_nothing_is_said(ledger, ahead, send, post, move):
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    with writing(ledger.engine) as conn:
        ledger.post(conn, [move(3, "bank", "shop", 1)])
        judged = [ahead.judge([move(number, "bank", "shop", 1)], NOW) for number in (4, 5)]
        assert [ahead.send(one) for one in judged] == [True, True]
        conn.execute(text(OTHERS))
    assert [ahead.written(), ahead.written()] == [False, False]
    ahead.forget()
    assert send(move(4, "bank", "shop", 1)) is None  # the connection that asks is gone, too
    ahead.forget()
    assert send(move(4, "bank", "shop", 1), move(5, "bank", "shop", 1)) == ["posted", "posted"]


def test_accounts_that_are_read_later_are_no_older_than_the_rest(ahead, send, post, move):
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    assert post(move(3, "bank", "purse/2", 5)) == ["posted"]
    assert ahead.judge([move(4, "purse/2", "shop", 5)], NOW) is None
    assert ahead.stale


def test_an_id_that_was_answered_before_is_answered_by_the_ledger(ahead, send, move, fen):
    assert send(move(2, "online/1", "shop", 60)) == ["posted"]
    assert send(move(3, "bank", "shop", 5), move(2, "online/1", "shop", 60)) is None
    assert (ahead.stale, fen("shop")) == (True, 60)


def test_an_id_that_is_sent_twice_in_one_call_counts_once(send, move, fen):
    results = send(move(2, "bank", "shop", 5), move(2, "bank", "shop", 5), move(2, "bank", "shop", 6))
    assert results == ["posted", "exists", "exists_with_different_amount_fen"]
    assert fen("shop") == 5


def test_a_group_is_posted_whole_or_not_at_all(send, move, fen):
    group = UUID(int=9)
    failed = send(move(2, "bank", "shop", 5, group=group), move(3, "online/1", "shop", 500, group=group))
    assert failed == ["group_failed", "debits_exceed_credits"]
    assert fen("shop") == 0


def test_refusals_alone_are_remembered(send, post, move):
    assert send(move(2, "online/1", "shop", 500)) == ["debits_exceed_credits"]
    assert post(move(2, "online/1", "shop", 500)) == ["debits_exceed_credits"]


def test_an_account_that_was_missing_is_found_as_soon_as_it_is_open(ledger, send, move):
    assert send(move(2, "bank", "new", 5)) == ["credit_account_missing"]
    with writing(ledger.engine) as conn:
        ledger.open_accounts(conn, [AccountSpec(address="new", code=2101)])
    assert send(move(3, "bank", "new", 5)) == ["posted"]


def test_a_line_that_a_seal_draws_is_kept(ledger, ahead, vault, send, move):
    """What is posted after the line has a later time, so that no seal misses it."""
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    judged = ahead.judge([move(3, "online/1", "shop", 1), move(4, "online/1", "shop", 500)], NOW)
    assert seal_ledger(ledger.engine, vault.seal_signer(), FixedClock(NOW + timedelta(seconds=1)))
    assert write(ahead, judged) == [False]


def test_a_posting_is_never_older_than_the_one_before(ledger, send, move):
    assert send(move(2, "bank", "shop", 1), now=NOW + timedelta(hours=1)) == ["posted"]
    assert send(move(3, "bank", "shop", 1), now=NOW) == ["posted"]
    with reading(ledger.engine) as conn:
        assert {one.posted_at for one in ledger.transfers_of(conn, "shop")} == {NOW + timedelta(hours=1)}


def test_a_hold_that_may_be_due_is_left_to_the_ledger(ahead, post, move):
    expires_at = NOW + timedelta(minutes=5)
    assert post(move(2, "online/1", "shop", 90, kind=Kind.PENDING, expires_at=expires_at)) == ["posted"]
    judged = ahead.judge([move(3, "online/1", "shop", 60)], NOW)
    assert [str(one.result) for one in judged.outcomes] == ["debits_exceed_credits"]
    assert ahead.judge([move(4, "online/1", "shop", 60)], expires_at) is None


def test_before_the_first_posting_the_ledger_is_asked(ledger, postgresql_server, migrated_postgresql, move):
    url = postgresql_server.create_database(template=migrated_postgresql)
    engine = open_store(url)
    ahead = Ahead(engine)
    assert ahead.judge([move(1, "bank", "shop", 1)], NOW) is None
    ahead.rest()
    engine.dispose()
    postgresql_server.drop_database(url)


def test_a_broken_connection_is_replaced(ledger, ahead, send, move):
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    with ledger.engine.connect() as conn:
        conn.execute(text(OTHERS))
    assert send(move(3, "online/1", "shop", 1)) is None
    ahead.forget()
    assert ahead.judge([move(4, "purse/1", "shop", 1)], NOW) is None
    ahead.forget()
    assert send(move(3, "online/1", "shop", 1)) == ["posted"]


def test_no_more_is_remembered_than_has_room(ahead, send, move, monkeypatch):
    monkeypatch.setattr(module, "_MOST", 1)
    assert send(move(2, "online/1", "shop", 1)) == ["posted"]
    assert ahead.must_forget()
    ahead.forget()
    assert not ahead.must_forget()
    assert send(move(3, "online/1", "shop", 99)) == ["posted"]


def test_a_value_that_cannot_be_judged_is_left_to_the_ledger(ahead, move):
    class Broken:
        tzinfo = None

        def __str__(self):
            raise ValueError

    assert ahead.judge([move(2, "bank", "shop", 1, event_time=Broken())], NOW) is None


def test_holds_limits_and_what_is_taken_back_are_not_simple(move):
    assert simple([move(1, "bank", "shop", 1), move(2, "bank", "shop", 1, group=UUID(int=3))])
    for more in ({"kind": Kind.PENDING}, {"limits": (Limit(key="day"),)}, {"reverses": UUID(int=1)}):
        assert not simple([move(1, "bank", "shop", 1), move(2, "bank", "shop", 1, **more)])


def test_connections_that_are_all_in_use_are_waited_for(store, ledger, move):
    crowded = create_engine(store.url, pool_size=1, max_overflow=0, pool_timeout=0.05)
    taken = crowded.connect()
    with LedgerWriter(Ledger(crowded)) as writer, ThreadPoolExecutor(1) as caller:
        waiting = caller.submit(writer.submit, [move(2, "online/1", "shop", 5)], wait_s=60)
        with pytest.raises(FutureTimeout):
            waiting.result(timeout=0.5)
        taken.close()
        assert [str(outcome.result) for outcome in waiting.result()] == ["posted"]
    crowded.dispose()
