"""The accounts behind a line of the float add up to it, at every moment and page by page."""

from datetime import UTC, date, datetime, timedelta

import pytest

from citycard.clock import FixedClock
from citycard.ids import new_id
from citycard.ledger import AccountSpec, Ledger, Transfer
from citycard.store import reading, writing
from citycard.wallet.float import float_at
from citycard.wallet.floataccounts import accounts_at

START = datetime(2018, 9, 1, tzinfo=UTC)
PURSES = [f"card/{number}/purse" for number in range(7)]


@pytest.fixture
def ledger(store):
    """Seven purses; each hour the next one is loaded with as many yuan, and pays half of it."""
    ledger = Ledger(store, FixedClock(START))
    specs = [AccountSpec(address=one, code=2001, owner=one.split("/")[1]) for one in PURSES]
    specs += [AccountSpec(address="trust/bank", code=1001), AccountSpec(address="shop", code=2101)]
    with writing(store) as conn:
        ledger.open_accounts(conn, specs)
    for hour, purse in enumerate(PURSES, 1):
        ledger.clock.moment = START + timedelta(hours=hour)
        ways = [("trust/bank", purse, 100 * hour), (purse, "shop", 50 * hour)]
        with writing(store) as conn:
            ledger.post_all(
                conn,
                [
                    Transfer(
                        id=new_id(),
                        debit_address=debit,
                        credit_address=credit,
                        amount_fen=fen,
                        code=10,
                        event_time=datetime(2018, 9, 1),
                        business_date=date(2018, 9, 1),
                    )
                    for debit, credit, fen in ways
                ],
            )
    return ledger


@pytest.mark.parametrize("hour", range(9))
def test_accounts_add_up_to_their_line_and_are_what_the_ledger_says(ledger, hour):
    at = START + timedelta(hours=hour)
    with reading(ledger.engine) as conn:
        report = float_at(conn, at)
        for code in (1001, 2001, 2101):
            found = accounts_at(conn, code, at)
            assert sum(one.balance_fen for one in found) == report.balance_fen(code)
            told = [ledger.balance_at(conn, one.address, at) for one in found]
            assert [one.balance_fen for one in found] == told


def test_pages_follow_one_another_by_address(ledger):
    at, after, found = START + timedelta(days=1), "", []
    with reading(ledger.engine) as conn:
        while page := accounts_at(conn, 2001, at, after=after, limit=3):
            found += page
            after = page[-1].address
    assert [(one.address, one.owner) for one in found] == [(one, one.split("/")[1]) for one in PURSES]


def test_an_account_that_was_opened_later_is_not_there(ledger):
    with reading(ledger.engine) as conn:
        assert accounts_at(conn, 2001, START - timedelta(hours=1)) == []
