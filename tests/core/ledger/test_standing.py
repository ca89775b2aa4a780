from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from citycard.ledger import Kind, capture, release
from citycard.ledger.chart import Guard
from citycard.ledger.standing import Standing, Standings

KEY = UUID(int=1)
NOW = datetime(2018, 9, 1, tzinfo=UTC)


@pytest.mark.parametrize(("fen", "refused"), [(40, False), (41, True)])
def test_what_is_pending_counts_in_a_guard(fen, refused):
    assert Standing(KEY, Guard.NONE).refuses_debit(fen) is False
    held = Standing(KEY, Guard.DEBITS_WITHIN_CREDITS, 50, 100, 10, 0)
    assert held.refuses_debit(fen) is refused
    fund = Standing(KEY, Guard.CREDITS_WITHIN_DEBITS, 100, 50, 0, 10)
    assert fund.refuses_credit(fen) is refused


def test_nobody_takes_a_hold_whose_time_is_over_although_it_was_not_let_go_yet(move):
    held = move(1, "bank", "shop", 5, kind=Kind.PENDING, expires_at=NOW)
    when = {"event_time": held.event_time, "business_date": held.business_date}
    for now, result in ((NOW - timedelta(seconds=1), "posted"), (NOW, "hold_expired")):
        accounts = {"bank": Standing(KEY, Guard.NONE), "shop": Standing(UUID(int=2), Guard.NONE)}
        standings = Standings(accounts=accounts, now=now)
        standings.apply(held, 1)
        assert standings.check(capture(held, id=UUID(int=2), **when)) == result
        assert standings.check(release(held, id=UUID(int=2), **when)) == result
