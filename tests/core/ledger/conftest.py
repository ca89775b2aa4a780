"""A ledger on each database, and a way to write transfers shortly."""

from datetime import date, datetime
from uuid import UUID

import pytest

from citycard.ledger import AccountSpec, Ledger, Transfer
from citycard.store import writing

DAY = date(2018, 9, 1)
AT = datetime(2018, 9, 1, 8, 30)


@pytest.fixture
def ledger(store):
    """Return a ledger with a bank, two purses, a purse that must not go below zero, and a shop."""
    ledger = Ledger(store)
    with writing(store) as conn:
        ledger.open_accounts(
            conn,
            [
                AccountSpec(address="bank", code=1001),
                AccountSpec(address="purse/1", code=2001),
                AccountSpec(address="purse/2", code=2001),
                AccountSpec(address="online/1", code=2002, guard="dr<=cr"),
                AccountSpec(address="fund", code=1102, guard="cr<=dr"),
                AccountSpec(address="shop", code=2101),
            ],
        )
    return ledger


@pytest.fixture
def move():
    """Return a maker of transfers: number of the id, debit, credit, fen."""

    def make(number, debit, credit, amount_fen, **more):
        values = {"code": 20, "event_time": AT, "business_date": DAY} | more
        return Transfer(
            id=UUID(int=number),
            debit_address=debit,
            credit_address=credit,
            amount_fen=amount_fen,
            **values,
        )

    return make


@pytest.fixture
def post(ledger):
    """Return a function that posts in a transaction of its own and gives the results as text."""

    def post(*transfers):
        with writing(ledger.engine) as conn:
            return [str(outcome.result) for outcome in ledger.post(conn, transfers)]

    return post
