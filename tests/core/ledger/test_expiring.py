"""Holds end by themselves, at their time, whoever uses the ledger next."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import select

from citycard.clock import FixedClock
from citycard.ids import derived_id
from citycard.ledger import Kind, Ledger, release
from citycard.ledger.tables import ledger as ledger_row
from citycard.store import reading, writing

START = datetime(2018, 9, 1, 0, 30, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def clock():
    return FixedClock(START)


@pytest.fixture
def timed(ledger, store, clock):
    """Return the ledger on a clock that the test moves."""
    return Ledger(store, clock)


@pytest.fixture
def post(timed):
    def post(*transfers):
        with writing(timed.engine) as conn:
            return [str(outcome.result) for outcome in timed.post(conn, transfers)]

    return post


def held(timed, store, address="online/1"):
    with reading(store) as conn:
        return timed.balance(conn, address).debits_pending_fen


def test_a_hold_is_let_go_before_anything_else_is_judged(timed, store, clock, post, move):
    post(move(1, "bank", "online/1", 10))
    assert post(move(2, "online/1", "shop", 10, kind=Kind.PENDING, expires_at=START + HOUR)) == ["posted"]
    clock.moment += HOUR - timedelta(microseconds=1)
    assert post(move(3, "online/1", "shop", 1)) == ["debits_exceed_credits"]
    clock.moment += timedelta(microseconds=1)
    assert post(move(4, "online/1", "shop", 1)) == ["posted"]
    with reading(store) as conn:
        ended = timed.find(conn, [derived_id("expiry", UUID(int=2))])[derived_id("expiry", UUID(int=2))]
        assert (timed.hold(conn, UUID(int=2)).state, ended.posted_seq) == ("expired", 3)
        assert timed.audit(conn) == []
    # It lasted an hour, and so it ended an hour after it had begun in the city's local time.
    assert ended.transfer.event_time == datetime(2018, 9, 1, 9, 30)
    assert (ended.transfer.kind, ended.transfer.amount_fen) == ("expire", 10)


def test_holds_end_in_the_order_of_their_times(timed, store, clock, post, move):
    for number, hours in ((1, 3), (2, 1), (3, 2), (4, 9)):
        post(move(number, "bank", "shop", 1, kind=Kind.PENDING, expires_at=START + hours * HOUR))
    clock.moment += 5 * HOUR
    post(move(9, "bank", "shop", 1))
    with reading(store) as conn:
        newest = [one.transfer for one in timed.transfers_of(conn, "shop", limit=4)]
    assert [one.pending_id and one.pending_id.int for one in newest] == [None, 1, 3, 2]


def test_who_takes_the_id_of_an_end_does_not_keep_the_hold_from_ending(timed, store, clock, post, move):
    post(move(1, "bank", "online/1", 10))
    post(move(2, "online/1", "shop", 10, kind=Kind.PENDING, expires_at=START + HOUR))
    post(move(derived_id("expiry", UUID(int=2)).int, "bank", "shop", 1))
    clock.moment += HOUR
    assert post(move(3, "online/1", "shop", 10)) == ["posted"]
    with reading(store) as conn:
        assert timed.hold(conn, UUID(int=2)).state == "expired"
        assert timed.audit(conn) == []


def test_a_hold_that_ended_otherwise_is_looked_for_only_once(timed, store, clock, post, move):
    first = move(1, "bank", "shop", 5, kind=Kind.PENDING, expires_at=START + HOUR)
    second = move(2, "bank", "shop", 5, kind=Kind.PENDING, expires_at=START + 3 * HOUR)
    post(first, second)
    when = {"event_time": first.event_time, "business_date": first.business_date}
    post(release(first, id=UUID(int=3), **when))
    clock.moment += 2 * HOUR
    post(move(4, "bank", "shop", 1))
    with reading(store) as conn:
        assert conn.scalar(select(ledger_row.c.next_expiry)) == START + 3 * HOUR
    clock.moment += 2 * HOUR
    post(move(5, "bank", "shop", 1))
    with reading(store) as conn:
        assert conn.scalar(select(ledger_row.c.next_expiry)) is None
        assert timed.hold(conn, second.id).state == "expired"


def test_nobody_but_the_ledger_ends_a_hold_by_its_time(post, move):
    from citycard.errors import TransferInvalid

    end = move(2, "bank", "shop", 5, kind=Kind.EXPIRE, pending_id=UUID(int=1))
    with pytest.raises(TransferInvalid, match="holds expire by themselves"):
        post(move(1, "bank", "shop", 5), end)
