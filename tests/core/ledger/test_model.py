"""Any sequence of calls, against a model written independently: every answer and every row the same."""

import os
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

PHASES = (Phase.explicit, Phase.reuse, Phase.generate, Phase.shrink)
# Together over 20,000 steps on both databases; mutants of the ledger are given fewer.
STEPS = int(os.environ.get("CITYCARD_TEST_LEDGER_STEPS", "0"))
TABLES = ("account_seal", "limit_use", "hold", "transfer", "request", "balance", "account", "ledger")


def run(open_engine, steps, record_property):
    """Try ledgers, each with up to a hundred steps, until there were so many steps."""
    assert steps > 0
    machine = type("LedgerMachine", (LedgerMachine,), {"open_engine": staticmethod(open_engine)})
    while machine.steps < steps:
        some = settings(
            max_examples=min(25, max(1, (steps - machine.steps) // 80)),
            phases=PHASES,
            stateful_step_count=100,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        )
        run_state_machine_as_test(machine, settings=some)
    record_property("ledger_steps", machine.steps)


@pytest.fixture
def on_sqlite(migrated_sqlite, tmp_path):
    """Give a fresh ledger in the same file each time; nothing is synchronised, for nobody dies here."""
    engine = open_store(f"sqlite:///{tmp_path / 'city.db'}")
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA synchronous = OFF"))

    def open_engine():
        for file in tmp_path.glob("city.db*"):
            file.unlink()
        shutil.copyfile(migrated_sqlite, tmp_path / "city.db")
        return engine, engine.dispose

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


@pytest.mark.parametrize("steps", [STEPS or 14_500, pytest.param(300_000, marks=pytest.mark.deep)])
def test_any_sequence_of_calls_agrees_with_the_model(on_sqlite, record_property, steps):
    run(on_sqlite, steps, record_property)


@pytest.mark.postgresql
@pytest.mark.parametrize("steps", [STEPS or 5_500, pytest.param(100_000, marks=pytest.mark.deep)])
def test_any_sequence_of_calls_agrees_with_the_model_on_postgresql(on_postgresql, record_property, steps):
    run(on_postgresql, steps, record_property)
