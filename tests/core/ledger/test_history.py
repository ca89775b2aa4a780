"""An account's history, read back by the chain or in the order of posting: the same either way."""

import itertools
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import event

from citycard.clock import FixedClock
from citycard.errors import AccountMissing
from citycard.ledger import Kind, Ledger, capture
from citycard.ledger.history import _reads_in_order, number_at
from citycard.ledger.records import account_id
from citycard.store import reading, writing

START = datetime(2018, 9, 1, 0, 30, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


@pytest.fixture
def timed(ledger, store):
    return Ledger(store, FixedClock(START))


@pytest.fixture
def post(timed):
    def post(*transfers, minute=0):
        timed.clock.moment = START + minute * MINUTE
        with writing(timed.engine) as conn:
            return timed.post_all(conn, transfers)

    return post


@pytest.fixture
def busy(timed, move):
    """Post for an hour: much between bank and shop, and every ten minutes one to or from purse 1."""
    with writing(timed.engine) as conn:
        for minute in range(60):
            timed.clock.moment = START + minute * MINUTE
            timed.post_all(conn, [move(1000 + minute * 10 + one, "bank", "shop", 1) for one in range(9)])
            if minute % 10 == 5:
                way = ("bank", "purse/1") if minute % 20 == 5 else ("purse/1", "bank")
                timed.post_all(conn, [move(10 + minute, *way, minute)])


def test_transfers_between_two_moments_come_oldest_first(timed, store, busy):
    windows = [(-1, 99), (0, 59), (4, 5), (5, 15), (30, 30), (40, 20), (54, 55), (70, 99)]
    with reading(store) as conn:
        for address, (since, until) in itertools.product(["bank", "shop", "purse/1", "purse/2"], windows):
            first, last = START + since * MINUTE, START + until * MINUTE
            everything = timed.transfers_of(conn, address, limit=10_000)[::-1]
            found = [*timed.transfers_between(conn, address, first, last)]
            assert found == [one for one in everything if first < one.posted_at <= last], (
                address,
                since,
                until,
            )


def test_an_account_held_at_a_past_moment_what_was_posted_until_then(timed, store, busy):
    with reading(store) as conn:
        for minute, fen in ((-1, 0), (4, 0), (5, 5), (14, 5), (15, -10), (44, -20), (45, 25), (99, -30)):
            posted = 9 * max(0, min(minute + 1, 60))
            held = {"purse/1": fen, "purse/2": 0, "shop": posted, "bank": posted + fen}
            at = START + minute * MINUTE
            assert {address: timed.balance_at(conn, address, at) for address in held} == held, minute


def test_what_is_held_is_not_posted_before_it_is_taken(timed, store, post, move):
    held = move(1, "bank", "shop", 9, kind=Kind.PENDING)
    post(held)
    when = {"event_time": held.event_time, "business_date": held.business_date}
    post(capture(held, id=UUID(int=2), amount_fen=4, **when), minute=1)
    with reading(store) as conn:
        assert [timed.balance_at(conn, "shop", START + minute * MINUTE) for minute in (0, 1)] == [0, 4]


def test_others_who_post_meanwhile_do_not_disturb_a_look_back(timed, store, post, move):
    post(move(1, "bank", "shop", 5), minute=1)
    posted = []

    def post_more(look, cursor, statement, *_):
        if look is conn and len(posted) < 2 and "dr_posted_fen" in statement:
            posted.append(move(10 + len(posted), "bank", "shop", 7))
            post(posted[-1], minute=2)

    event.listen(store, "after_cursor_execute", post_more)
    # On PostgreSQL every statement of a writer sees what others have committed until then.
    with reading(store) if store.dialect.name == "sqlite" else writing(store) as conn:
        assert timed.balance_at(conn, "shop", START + MINUTE) == 5
        assert timed.balance_at(conn, "shop", START) == 0
    assert len(posted) == 2


def test_the_history_of_an_account_that_nobody_opened(timed, store):
    with reading(store) as conn:
        assert timed.transfers_of(conn, "nowhere") == []
        assert [*timed.transfers_between(conn, "nowhere", START, START + MINUTE)] == []
        with pytest.raises(AccountMissing, match="nowhere"):
            timed.balance_at(conn, "nowhere", START)


def test_pages_join_without_a_gap_from_any_number(timed, store, busy):
    with reading(store) as conn:
        whole = timed.transfers_of(conn, "purse/1")
        assert [one.transfer.amount_fen for one in whole] == [55, 45, 35, 25, 15, 5]
        numbers = (None, 0, 1, *(one.posted_seq for one in whole), 300, 10_000)
        for limit, before in itertools.product([0, 1, 2, 5, 6, 7], numbers):
            below = [one for one in whole if before is None or one.posted_seq < before]
            page = timed.transfers_of(conn, "purse/1", limit=limit, before=before)
            assert page == below[:limit], (limit, before)


def test_a_page_is_read_by_one_query_however_long_it_is(timed, store, busy):
    asked = []
    with reading(store) as conn:
        timed.balance(conn, "shop")  # so that the transaction has begun
        event.listen(store, "after_cursor_execute", lambda *known: asked.append(known[2]))
        counts = []
        for limit in (1, 2, 5):
            asked.clear()
            assert len(timed.transfers_of(conn, "purse/1", limit=limit)) == limit
            counts.append(len(asked))
    assert counts == [2, 2, 2]  # its newest transfer, and the page


def test_the_last_number_until_a_moment(timed, store, busy):
    with reading(store) as conn:
        assert number_at(conn, START - MINUTE) == 0
        assert number_at(conn, START) == 9
        assert number_at(conn, START + 5 * MINUTE) == 6 * 9 + 1
        assert number_at(conn, START + 99 * MINUTE) == 60 * 9 + 6


def test_a_history_is_walked_back_only_where_that_is_cheaper(timed, store, busy):
    """One step back costs as much as reading twenty in order; purse 1 has six steps among 546 transfers."""
    with reading(store) as conn:
        for address, number, in_order in (
            ("shop", 0, True),
            ("bank", 0, True),
            ("purse/1", 0, False),
            ("purse/1", 546 - 120, False),
            ("purse/1", 546 - 119, True),
            ("purse/2", 546, False),
            ("purse/2", 0, False),
            ("nowhere", 0, False),
        ):
            assert _reads_in_order(conn, account_id(address), number) is in_order, (address, number)
