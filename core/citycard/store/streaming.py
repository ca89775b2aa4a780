"""Send one statement again and again, each before the ones before it are answered.

The server begins the next as soon as it has done with the one before, and never waits for whoever asks. Each
is a transaction by itself, which is committed, durably, before its answer comes; one that fails undoes itself
alone. For PostgreSQL; two threads may use a stream, one that sends and one that waits for the answers.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from select import POLLIN, POLLOUT, poll
from socket import socketpair
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError, OperationalError

from citycard.store.copying import driver_of, error_of

__all__ = ["Stream"]

_NAME = "citycard_stream"
_MOST_WAKINGS = 4096


class Stream:
    """One statement on a connection that nobody else uses, and that commits each statement by itself.

    ``statement`` has its values as ``$1``, ``$2`` …, and one plan for all of them: what a planner could learn
    from an array's length is not worth planning each time.
    """

    def __init__(self, conn: Connection, statement: str) -> None:
        self._conn = conn
        self._statement = statement
        self._driver = driver_of(conn)
        self._libpq = self._driver.pgconn
        self._speaking = threading.Lock()
        #: So many statements were sent whose answers were not taken.
        self._open = 0
        self._broken = False
        try:
            conn.exec_driver_sql("SET plan_cache_mode = force_generic_plan")
            conn.exec_driver_sql(f"PREPARE {_NAME} AS {statement}")
            self._woken, self._waking = socketpair()
        except (DBAPIError, OSError) as error:
            conn.invalidate()
            conn.close()
            if isinstance(error, DBAPIError):
                raise
            # Whoever sends knows what to do without a connection, and this is none.
            raise OperationalError(statement, None, error) from error
        self._waking.setblocking(False)
        self._libpq.nonblocking = 1
        self._libpq.enter_pipeline_mode()

    def send(self, values: Sequence[bytes | None], formats: Sequence[int]) -> None:
        """Send the statement with values, each as text (format 0) or binary (1); its answer comes in turn.

        Raise SQLAlchemy's OperationalError when the connection is broken.
        """
        import psycopg

        try:
            with self._speaking:
                self._libpq.send_query_prepared(_NAME.encode(), values, formats)
                self._libpq.pipeline_sync()
                self._libpq.flush()
                self._open += 1
                # Who sends more than fits on its way reads what has come, and nothing tells who waits for it.
                if not self._libpq.is_busy():
                    self._wake()
        except psycopg.Error as error:
            self._broken = True
            self._wake()
            raise error_of(self._conn, self._statement, error) from error

    def answer(self) -> list[tuple[bytes | None, ...]]:
        """Wait for the next answer in the order of sending, and give its rows as text.

        Raise SQLAlchemy's errors: for a statement that failed, and for all that are open once the connection
        is broken. Whether those were done nobody knows.
        """
        import psycopg

        try:
            result = self._result()
        except psycopg.Error as error:
            self._broken = True
            raise error_of(self._conn, self._statement, error) from error
        if result.status != psycopg.pq.ExecStatus.TUPLES_OK:
            failed = psycopg.errors.error_from_result(result)
            raise error_of(self._conn, self._statement, failed)
        columns = range(result.nfields)
        return [tuple(result.get_value(row, one) for one in columns) for row in range(result.ntuples)]

    @property
    def broken(self) -> bool:
        """Say whether the connection broke: nothing more can be sent."""
        return self._broken or bool(self._driver.closed)

    def close(self) -> None:
        """Give the connection back; it is dropped when an answer is missing or it is broken."""
        import psycopg

        if self._conn.closed:
            return
        try:
            if self._open or self.broken:
                self._conn.invalidate()
            else:
                self._libpq.exit_pipeline_mode()
                self._libpq.nonblocking = 0
                self._conn.exec_driver_sql(f"DEALLOCATE {_NAME}")
                self._conn.exec_driver_sql("RESET plan_cache_mode")
        except (psycopg.Error, DBAPIError):
            self._conn.invalidate()
        finally:
            self._conn.close()
            self._woken.close()
            self._waking.close()

    def _result(self) -> Any:
        """Take the result of the next statement, and the end of its transaction behind it."""
        from psycopg.pq import ExecStatus

        found = None
        while (result := self._next()) is None or result.status != ExecStatus.PIPELINE_SYNC:
            found = result if found is None else found
        self._open -= 1
        return found

    def _next(self) -> Any:
        """Wait until a result, or None between two of them, is there."""
        wanted = poll()
        wanted.register(self._woken, POLLIN)
        while True:
            with self._speaking:
                unsent = self._libpq.flush()
                self._libpq.consume_input()
                if not self._libpq.is_busy():
                    return self._libpq.get_result()
            wanted.register(self._libpq.socket, POLLIN | POLLOUT if unsent else POLLIN)
            if any(which == self._woken.fileno() for which, _ in wanted.poll()):
                self._woken.recv(_MOST_WAKINGS)

    def _wake(self) -> None:
        """Let whoever waits for an answer look again; a socket that is full wakes without one more."""
        with suppress(BlockingIOError):
            self._waking.send(b"!")
