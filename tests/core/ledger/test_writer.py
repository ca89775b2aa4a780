"""Many callers, one writer: everybody is answered for what they sent, and what was answered is there."""

import asyncio
import concurrent.futures
import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import pytest

from citycard.errors import AccountConflict, LedgerBusy, OutcomeUnknown
from citycard.ledger import AccountSpec, Ledger, Limit, Result
from citycard.ledger.writer import LedgerWriter
from citycard.store import open_store, reading, writing


@pytest.fixture
def writer(ledger):
    with LedgerWriter(ledger) as writer:
        yield writer


def results(outcomes):
    return [outcome.result for outcome in outcomes]


def test_a_caller_is_answered_when_its_transfers_are_committed(writer, ledger, store, move):
    fill, spend = move(1, "bank", "online/1", 5), move(2, "online/1", "shop", 6)
    assert results(writer.submit([fill, spend])) == [Result.POSTED, Result.DEBITS_EXCEED_CREDITS]
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "online/1") == 5


def test_missing_accounts_are_opened_in_the_same_transaction(writer, move):
    opened = [AccountSpec(address="new", code=2101)]
    assert results(writer.submit([move(1, "bank", "new", 5)], opened)) == [Result.POSTED]


def test_threads_and_coroutines_are_served_together(writer, ledger, store, move):
    def thread(number):
        return results(writer.submit([move(number, "bank", "shop", 1)]))

    async def coroutines():
        return await asyncio.gather(
            *(writer.asubmit([move(1000 + number, "bank", "shop", 1)]) for number in range(100))
        )

    with ThreadPoolExecutor(16) as pool:
        threads = pool.map(thread, range(1, 101))
        answers = asyncio.run(coroutines())
        assert [*threads, *map(results, answers)] == [[Result.POSTED]] * 200
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "shop") == 200
        assert ledger.audit(conn) == []


def test_callers_who_come_together_share_transactions(writer, ledger, store, move):
    async def many():
        await asyncio.gather(*(writer.asubmit([move(n, "bank", "shop", 1)]) for n in range(1, 65)))

    asyncio.run(many())
    with reading(store) as conn:
        moments = {one.posted_at for one in ledger.transfers_of(conn, "shop")}
    assert len(moments) < 64


def test_two_calls_that_name_the_same_group_are_judged_apart(writer, move):
    group = UUID(int=77)
    first, late = move(1, "bank", "shop", 5, group=group), move(2, "bank", "shop", 5, group=group)

    async def both():
        return await asyncio.gather(writer.asubmit([first]), writer.asubmit([first, late]))

    answers = [results(one) for one in asyncio.run(both())]
    assert answers == [[Result.POSTED], [Result.EXISTS, Result.GROUP_FAILED]]


def test_one_callers_mistake_is_no_other_callers_trouble(writer, move):
    async def both():
        wrong = [AccountSpec(address="shop", code=1001)]
        return await asyncio.gather(
            writer.asubmit([move(1, "bank", "shop", 1)], wrong),
            writer.asubmit([move(2, "bank", "shop", 1)]),
            return_exceptions=True,
        )

    mistaken, other = asyncio.run(both())
    assert isinstance(mistaken, AccountConflict)
    assert results(other) == [Result.POSTED]


def test_who_is_not_begun_in_time_is_told_that_nothing_was_done(ledger, move):
    first, second, third = (move(number, "bank", "shop", 1) for number in (1, 2, 3))
    with LedgerWriter(ledger, most=1) as writer, ThreadPoolExecutor(2) as pool:
        with writing(ledger.engine) as conn:
            ledger.post(conn, [move(9, "bank", "shop", 1)])
            begun = pool.submit(writer.submit, [first], wait_s=0.6)
            time.sleep(0.1)
            # While the first is written, the next one may be judged already.
            maybe_begun = pool.submit(writer.submit, [second], wait_s=0.4)
            time.sleep(0.1)
            with pytest.raises(LedgerBusy, match="nothing was done"):
                writer.submit([third], wait_s=0.1)
            with pytest.raises(OutcomeUnknown, match="same ids again"):
                begun.result()
            assert isinstance(maybe_begun.exception(), OutcomeUnknown | LedgerBusy)
        assert results(writer.submit([first])) == [Result.EXISTS]
        assert results(writer.submit([second]))[0] in {Result.EXISTS, Result.POSTED}
        assert results(writer.submit([third])) == [Result.POSTED]


def test_a_queue_that_is_full_says_so_at_once(ledger, move):
    with LedgerWriter(ledger, most=1, most_waiting=2) as writer, ThreadPoolExecutor(8) as pool:
        with writing(ledger.engine) as conn:
            ledger.post(conn, [move(9, "bank", "shop", 1)])
            # One waits for the ledger, perhaps one is judged, two wait in the queue, the rest is too much.
            sent = [pool.submit(writer.submit, [move(n, "bank", "shop", 1)]) for n in range(1, 9)]
            done = concurrent.futures.wait(sent, timeout=0.5).done
            assert {type(one.exception()) for one in done} == {LedgerBusy}
            assert len(done) in {4, 5, 6}
        assert [results(one.result()) for one in sent if one not in done] == [[Result.POSTED]] * (
            8 - len(done)
        )


def test_a_call_that_is_larger_than_the_queue_is_taken_when_nobody_waits(ledger, move):
    with LedgerWriter(ledger, most=1, most_waiting=2) as writer:
        many = [move(number, "bank", "shop", 1) for number in range(1, 6)]
        assert results(writer.submit(many)) == [Result.POSTED] * 5


def test_a_closed_writer_posts_what_waits_and_takes_no_more(ledger, store, move):
    writer = LedgerWriter(ledger)
    assert results(writer.submit([move(1, "bank", "shop", 1)])) == [Result.POSTED]
    writer.close()
    with pytest.raises(LedgerBusy):
        writer.submit([move(2, "bank", "shop", 1)])


def test_two_writers_on_one_database_agree(ledger, store, move):
    async def both():
        return await asyncio.gather(
            *(
                writer.asubmit([move(number, "bank", "shop", 1)])
                for number in range(1, 51)
                for writer in (one, other)
            )
        )

    with LedgerWriter(ledger) as one, LedgerWriter(ledger) as other:
        answers = [results(outcomes)[0] for outcomes in asyncio.run(both())]
    assert sorted(answers) == [Result.EXISTS] * 50 + [Result.POSTED] * 50
    with reading(store) as conn:
        assert ledger.balance_fen(conn, "shop") == 50


def test_who_posts_while_the_database_is_away_does_not_know_the_outcome(tmp_path, move):
    away = open_store(f"sqlite:///{tmp_path / 'nowhere' / 'city.db'}")
    with LedgerWriter(Ledger(away)) as writer:
        for number in range(5):
            with pytest.raises(OutcomeUnknown):
                writer.submit([move(number, "bank", "shop", 1)], wait_s=0.1)
    away.dispose()


def test_a_value_that_no_database_takes_is_its_callers_trouble_alone(writer, move):
    async def both():
        return await asyncio.gather(
            writer.asubmit([move(1, "bank", "shop", 1, limits=(Limit(key="day", max_fen=2**70),))]),
            writer.asubmit([move(2, "bank", "shop", 1, code=1, ref="x", event_time=object.__new__(Broken))]),
            writer.asubmit([move(3, "bank", "shop", 1)]),
            return_exceptions=True,
        )

    fine, broken, other = asyncio.run(both())
    assert (results(fine), results(other)) == ([Result.POSTED], [Result.POSTED])
    assert isinstance(broken, ValueError)
    assert results(writer.submit([move(4, "bank", "shop", 1)])) == [Result.POSTED]


class Broken:
    """A moment that cannot be written."""

    tzinfo = None

    def __str__(self):
        raise ValueError
