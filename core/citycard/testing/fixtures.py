"""Fixtures for tests of citycard and of its plugins; pytest finds them by itself.

``postgresql_server`` and ``postgresql_url`` give a real PostgreSQL; ``store_url`` runs a test once on each
database; ``store`` is the same with the core's tables in place. Tests that need PostgreSQL carry the
marker ``postgresql``: leave them out with ``pytest -m "not postgresql"``. ``softhsm`` gives key tokens.

``spark_cluster`` gives the URL of a real Spark master with two workers.
``payment_sandbox`` gives a payment provider in its own process.
``pcscd`` gives a real PC/SC service of the run's own, with virtual readers for software cards.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from citycard.testing.pcscd import PcscService
    from citycard.testing.postgresql import PostgresqlDatabases
    from citycard.testing.sandbox import PaymentSandbox
    from citycard.testing.softhsm import SoftHsm

__all__ = [
    "migrated_postgresql",
    "migrated_sqlite",
    "payment_sandbox",
    "pcscd",
    "postgresql_server",
    "postgresql_url",
    "pytest_configure",
    "softhsm",
    "spark_cluster",
    "store",
    "store_url",
]

_DATABASES = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)]


def pytest_configure(config: pytest.Config) -> None:
    """Make the markers known."""
    config.addinivalue_line("markers", "postgresql: needs a PostgreSQL server on this machine")


@pytest.fixture(scope="session")
def pcscd() -> Iterator[PcscService]:
    """Start a private pcscd with two virtual readers of two slots each; skip where it cannot run."""
    from citycard.errors import PcscDriverMissing, ReaderLibraryMissing
    from citycard.pcsc.library import scard
    from citycard.testing.pcscd import PcscService

    try:
        scard()
        service = PcscService()
    except (PcscDriverMissing, ReaderLibraryMissing) as missing:
        pytest.skip(str(missing))
    with service, service.in_environment():
        yield service


@pytest.fixture(scope="session")
def payment_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PaymentSandbox]:
    """Start a payment provider in its own process, which the whole run shares."""
    from citycard.testing.sandbox import PaymentSandbox

    with PaymentSandbox(tmp_path_factory.mktemp("sandbox")) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlDatabases]:
    """Start one PostgreSQL server for the whole run, on a Unix socket in a temporary folder.

    It waits for no disk: what tests write need not outlive the machine. Where one is shared
    (``citycard.testing.shared``), it is that.
    """
    from citycard.errors import PostgresqlMissing
    from citycard.testing.postgresql import PostgresqlDatabases, PostgresqlServer
    from citycard.testing.shared import shared_folder

    if (folder := shared_folder()) is not None:
        yield PostgresqlDatabases(folder)
        return
    try:
        server = PostgresqlServer(syncs=False)
    except PostgresqlMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    with server:
        yield server


@pytest.fixture(scope="session")
def postgresql_url(postgresql_server: PostgresqlDatabases) -> str:
    """Give the URL of a database that the whole run shares."""
    return postgresql_server.create_database()


@pytest.fixture(params=_DATABASES)
def store_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the URL of an empty database of the test's own: once SQLite in a file, once PostgreSQL."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'city.db'}"
        return
    server: PostgresqlDatabases = request.getfixturevalue("postgresql_server")
    url = server.create_database()
    yield url
    server.drop_database(url)


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a SQLite file with the core's tables, to be copied."""
    from citycard.testing.shared import MIGRATED, migrate, shared_folder

    if (folder := shared_folder()) is not None:
        return folder / MIGRATED
    file = tmp_path_factory.mktemp("migrated") / "city.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def migrated_postgresql(postgresql_server: PostgresqlDatabases) -> str:
    """Give the name of a PostgreSQL database with the core's tables, to be copied."""
    from citycard.testing.shared import MIGRATED, migrate, shared_folder

    if shared_folder() is not None:
        return MIGRATED
    url = postgresql_server.create_database()
    migrate(url)
    return postgresql_server.database_of(url)


@pytest.fixture(params=_DATABASES)
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """Give an open store of the test's own with the core's tables: once SQLite, once PostgreSQL."""
    from citycard.store import open_store

    if request.param == "sqlite":
        file = tmp_path / "city.db"
        shutil.copyfile(request.getfixturevalue("migrated_sqlite"), file)
        engine = open_store(f"sqlite:///{file}")
        yield engine
        engine.dispose()
        return
    server: PostgresqlDatabases = request.getfixturevalue("postgresql_server")
    url = server.create_database(template=request.getfixturevalue("migrated_postgresql"))
    engine = open_store(url)
    yield engine
    engine.dispose()
    server.drop_database(url)


@pytest.fixture(scope="session")
def softhsm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SoftHsm]:
    """Give a SoftHSM without tokens for the whole run: each test makes its own, under its own label."""
    from citycard.errors import SoftHsmMissing
    from citycard.testing.softhsm import SoftHsm, find_module

    try:
        find_module()
    except SoftHsmMissing as missing:
        pytest.fail(str(missing), pytrace=False)
    with pytest.MonkeyPatch.context() as patch:
        hsm = SoftHsm(tmp_path_factory.mktemp("softhsm"))
        patch.setenv("SOFTHSM2_CONF", str(hsm.configuration))
        hsm.write()
        yield hsm


@pytest.fixture(scope="session")
def spark_cluster() -> Iterator[str]:
    """Start one Spark cluster for the whole run, a master and two workers; give its ``spark://`` URL."""
    from citycard.errors import JavaMissing, SparkPackageMissing
    from citycard.testing.spark import SparkCluster

    try:
        cluster = SparkCluster()
    except (JavaMissing, SparkPackageMissing) as missing:
        pytest.fail(str(missing), pytrace=False)
    with cluster:
        yield cluster.url
