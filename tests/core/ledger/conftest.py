"""A ledger on each database, and a way to write transfers shortly."""

import shutil
from datetime import UTC, date, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from citycard.clock import SystemClock
from citycard.keys import CORE_PURPOSES, Vault
from citycard.keys.versions import KeyVersions
from citycard.ledger import AccountSpec, Kind, Ledger, Limit, Transfer, ahead, capture, release, reversal, tip
from citycard.ledger.sealing import seal_ledger
from citycard.ledger.verifying import verify_ledger
from citycard.store import open_store, writing

DAY = date(2018, 9, 1)
AT = datetime(2018, 9, 1, 8, 30)


@pytest.fixture(autouse=True)
def statement_as_it_is_written_now(monkeypatch):
    """The statement that is written at import is written again, so that a change of the code is noticed."""
    monkeypatch.setattr(ahead, "KEEP_AT_TIP", tip._statement())


@pytest.fixture
def ledger(store):
    """Return a ledger with a bank, two purses, a purse that must not go below zero, and a shop."""
    return opened(store)


def opened(store):
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


def moved(number, debit, credit, amount_fen, **more):
    values = {"code": 20, "event_time": AT, "business_date": DAY} | more
    return Transfer(
        id=UUID(int=number),
        debit_address=debit,
        credit_address=credit,
        amount_fen=amount_fen,
        **values,
    )


@pytest.fixture
def move():
    """Return a maker of transfers: number of the id, debit, credit, fen."""
    return moved


@pytest.fixture
def post(ledger):
    """Return a function that posts in a transaction of its own and gives the results as text."""
    return partial(posted, ledger)


def posted(ledger, *transfers):
    with writing(ledger.engine) as conn:
        return [str(outcome.result) for outcome in ledger.post(conn, transfers)]


@pytest.fixture
def vault():
    """Return a vault with the core's purposes."""
    return made_vault()


def made_vault():
    versions = KeyVersions()
    versions.ensure(CORE_PURPOSES)
    return Vault(bytes(range(16)), versions)


@pytest.fixture
def seal(store, vault):
    """Return a function that seals what waits, with spans of at most five transfers."""
    return lambda: sealed(store, vault)


def sealed(store, vault):
    return seal_ledger(store, vault.seal_signer(), SystemClock(), span=5)


@pytest.fixture
def verify(store, vault):
    """Return a function that verifies the ledger and gives what was found."""
    return lambda *heads: verify_ledger(store, vault.seal_keys(), heads=heads).findings


@pytest.fixture
def busy(ledger, vault):
    """Return a ledger in which everything happened that can, under several seals."""
    return filled(ledger, vault)


@pytest.fixture(scope="session")
def busy_sqlite(migrated_sqlite, tmp_path_factory):
    """Give a SQLite file with such a ledger, to be copied."""
    file = tmp_path_factory.mktemp("busy") / "city.db"
    shutil.copyfile(migrated_sqlite, file)
    _fill(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def busy_postgresql(postgresql_server, migrated_postgresql):
    """Give the name of a PostgreSQL database with such a ledger, to be copied."""
    url = postgresql_server.create_database(template=migrated_postgresql)
    _fill(url)
    return postgresql_server.database_of(url)


def _fill(url):
    engine = open_store(url)
    filled(opened(engine), made_vault())
    engine.dispose()


def filled(ledger, vault):
    post, move, seal = partial(posted, ledger), moved, partial(sealed, ledger.engine, vault)
    with writing(ledger.engine) as conn:
        ledger.open_accounts(
            conn,
            [
                AccountSpec(address="points/given", code=1104, currency="PTS"),
                AccountSpec(address="points/1", code=2301, currency="PTS", owner="1"),
                AccountSpec(address="idle", code=2002, guard="dr<=cr"),
            ],
        )
    soon = datetime.now(UTC) + timedelta(hours=1)
    limits = (Limit(key="online/1/day", max_fen=1000, max_count=9),)
    holds = [
        move(10 + n, "online/1", "shop", 20 + n, kind=Kind.PENDING, limits=limits, expires_at=soon)
        for n in range(4)
    ]
    end = {"event_time": AT, "business_date": DAY}
    load, group = move(1, "bank", "online/1", 500), UUID(int=77)
    post(load, move(2, "bank", "purse/1", 300), move(3, "purse/1", "shop", 70), move(4, "nowhere", "shop", 1))
    seal()
    post(*holds, move(5, "points/given", "points/1", 9), move(6, "online/1", "shop", 5000))
    post(capture(holds[0], id=UUID(int=20), amount_fen=15, **end), release(holds[1], id=UUID(int=21), **end))
    post(reversal(load, id=UUID(int=22), amount_fen=40, code=90, **end))
    post(move(23, "purse/1", "purse/2", 4, group=group), move(24, "purse/2", "shop", 3, group=group))
    post(
        move(25, "fund", "bank", 30),
        move(26, "bank", "fund", 8),
        move(27, "bank", "fund", 6, ref='\u57ce "1"'),
    )
    seal()
    post(move(28, "purse/1", "shop", 1))
    post(move(29, "nowhere", "shop", 1))
    seal()
    return ledger
