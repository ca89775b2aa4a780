"""Any sequence of calls, against a model written independently: every answer and every row the same."""

import itertools
import shutil
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test
from sqlalchemy import event, text

from citycard.store import open_store, writing

sys.path.insert(0, str(Path(__file__).parent))
from ledger_machine import LedgerMachine

PHASES = (Phase.explicit, Phase.reuse, Phase.generate)
TABLES = ("limit_use", "hold", "transfer", "request", "balance", "account", "ledger")


def run(open_engine, examples, record_property):
    """Try that many ledgers, each with up to a hundred steps, and count the steps."""
    machine = type("LedgerMachine", (LedgerMachine,), {"open_engine": staticmethod(open_engine)})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            phases=PHASES,
            stateful_step_count=100,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
    record_property("ledger_steps", machine.steps)


@pytest.fixture
def on_sqlite(migrated_sqlite, tmp_path):
    """Give a fresh ledger in a file each time; nothing is synchronised, for nobody dies here."""
    numbers = itertools.count()

    def open_engine():
        file = tmp_path / f"{next(numbers)}.db"
        shutil.copyfile(migrated_sqlite, file)
        engine = open_store(f"sqlite:///{file}")
        event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))

        def close():
            engine.dispose()
            file.unlink()

        return engine, close

    return open_engine


@pytest.fixture
def on_postgresql(postgresql_server, migrated_postgresql):
    """Give the same database emptied each time."""
    url = postgresql_server.create_database(template=migrated_postgresql)
    engine = open_store(f"{url}&options=-csynchronous_commit%3Doff")

    def open_engine():
        with writing(engine) as conn:
            conn.execute(text("SET LOCAL session_replication_role = replica"))
            for table in TABLES:
                conn.execute(text(f"DELETE FROM {table}"))
        return engine, lambda: None

    yield open_engine
    engine.dispose()
    postgresql_server.drop_database(url)


def test_any_sequence_of_calls_agrees_with_the_model(on_sqlite, record_property):
    run(on_sqlite, 30, record_property)


@pytest.mark.postgresql
def test_any_sequence_of_calls_agrees_with_the_model_on_postgresql(on_postgresql, record_property):
    run(on_postgresql, 10, record_property)
