"""Fixtures for tests of citycard and of its plugins; pytest finds them by itself.

``postgresql_server`` and ``postgresql_url`` give a real PostgreSQL; ``store_url`` runs a test once on each
database; ``store`` is the same with the core's tables in place. Tests that need PostgreSQL carry the
marker ``postgresql``: leave them out with ``pytest -m "not postgresql"``.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from citycard.testing.postgresql import PostgresqlServer

__all__ = ["postgresql_server", "postgresql_url", "pytest_configure", "store", "store_url"]


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", "postgresql: needs a PostgreSQL server on this machine")


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    """Start one PostgreSQL server for the whole run, on a Unix socket in a temporary folder."""
    from citycard.errors import PostgresqlMissing
    from citycard.testing.postgresql import PostgresqlServer

    try:
        server = PostgresqlServer()
    except PostgresqlMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    with server:
        yield server


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: PostgresqlServer) -> str:
    """Give the URL of a database that the whole run shares."""
    return postgresql_server.create_database()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database of the test's own: once SQLite in a file, once PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'city.db'}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture
def store(store_url: str) -> Iterator[Engine]:
    """Give an open store of the test's own with the core's tables, once on each database."""
    from citycard.store import open_store
    from citycard.store.migrate import upgrade

    engine = open_store(store_url)
    upgrade(engine)
    yield engine
    engine.dispose()
