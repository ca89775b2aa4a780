"""Open the store: SQLite in a file, or PostgreSQL through psycopg."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, event, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from citycard.errors import StoreUrlInvalid

__all__ = ["open_store", "reading", "write_alone", "writing"]

_READING = "citycard_reading"
_BUSY_TIMEOUT_MS = 30_000
# A server that vanished without a word is given up after so long, and not when TCP loses patience.
_GONE_AFTER = {"tcp_user_timeout": 30_000, "keepalives_idle": 30, "keepalives_interval": 10}


def open_store(url: str, *, echo: bool = False) -> Engine:
    """Open the database at ``url`` and return its engine; nothing is created or migrated.

    ``sqlite:///city.db`` opens a file with write-ahead log, full synchronisation and foreign keys;
    ``postgresql://user@host/name`` opens PostgreSQL with psycopg 3. Raise StoreUrlInvalid for anything
    else. Transactions of ``engine.begin()`` may write; use ``reading`` for those that only read. The
    values bound in a statement, such as a holder's name or a MAC, show neither in its error nor in a log.
    """
    parsed = _parse(url)
    if parsed.get_backend_name() == "postgresql":
        parsed = parsed.set(drivername="postgresql+psycopg")
        return create_engine(
            parsed, echo=echo, pool_pre_ping=True, hide_parameters=True, connect_args=_GONE_AFTER
        )
    engine = create_engine(parsed, echo=echo, hide_parameters=True)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that only reads and never waits for a writer.

    It sees one consistent state of the store from its first statement on.
    """
    options: dict[str, Any] = {_READING: True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection in a transaction that may write; commit at the end, roll back on an error.

    On SQLite the one write lock is taken at once, so that a transaction never fails half-way because
    another one wrote in between.
    """
    with engine.begin() as connection:
        yield connection


def write_alone(conn: Connection, table: Table) -> None:
    """Let nobody else write into ``table`` until the transaction ends, whereas everybody may still read.

    For decisions about the table as a whole. SQLite has one writer anyway.
    """
    if conn.dialect.name == "postgresql":
        conn.execute(text(f"LOCK TABLE {table.name} IN SHARE ROW EXCLUSIVE MODE"))


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
        known = parsed.get_backend_name() in {"sqlite", "postgresql"}
    except ArgumentError:
        known = False
    if not known:
        # The URL may hold a password, so that only its first word is told.
        raise StoreUrlInvalid(scheme=url.partition(":")[0])
    return parsed


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: _begin_sqlite says how each one starts.
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in (
        f"busy_timeout = {_BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        # INSERT OR REPLACE deletes rows; only with this do the append-only triggers see it.
        "recursive_triggers = ON",
        "cache_size = -65536",
        "temp_store = MEMORY",
    ):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    only_reads = connection.get_execution_options().get(_READING, False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
