"""Speak to PostgreSQL in two exchanges for each posting, however many statements that takes.

A driver that waits for the answer to each statement spends most of a small posting waiting. In a pipeline the
statements are sent together, and the server works them off in their order: the ledger's row is taken before
anything else is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Dialect

from citycard.ledger.tables import balance, request, transfer
from citycard.store.copying import array_text, copy_rows, driver_of, error_of

__all__ = ["keep", "look_up"]

#: From here on COPY, which no pipeline knows, is faster than an array for each column.
_WORTH_A_COPY = 500

_TAKE = "SELECT posted_seq, posted_at, next_expiry FROM ledger FOR UPDATE"
_KNOWN = "SELECT id, digest, result FROM request WHERE id = ANY(%s::uuid[])"
_BALANCES = (
    "SELECT account_id, guard, dr_posted_fen, cr_posted_fen, dr_pending_fen, cr_pending_fen, currency, "
    "last_seq, transfers FROM balance WHERE account_id = ANY(%s::uuid[])"
)
_MOVE = (
    "UPDATE balance SET dr_posted_fen = new.dr, cr_posted_fen = new.cr, dr_pending_fen = new.drp, "
    "cr_pending_fen = new.crp, last_seq = new.last, transfers = new.transfers "
    "FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], "
    "%s::bigint[]) AS new(key, dr, cr, drp, crp, last, transfers) WHERE balance.account_id = new.key"
)
# Their values are all of one kind; none of them is written by name.
_SUMS = ("account_id", *["last_seq"] * 6)
_ADVANCE = "UPDATE ledger SET posted_seq = %s, posted_at = %s"


def look_up(conn: Connection, ids: Sequence[UUID], keys: Sequence[UUID]) -> tuple[Any, list[Any], list[Any]]:
    """Take the ledger's row, and give it (or None), what was answered to ids, and balances of accounts."""
    with _pipeline(conn) as ask:
        head = ask(_TAKE, ())
        known = ask(_KNOWN, (array_text(conn.dialect, request.c.id, ids),))
        balances = ask(_BALANCES, (array_text(conn.dialect, balance.c.account_id, keys),))
        return head.fetchone(), known.fetchall(), balances.fetchall()


def keep(
    conn: Connection,
    requests: tuple[Sequence[str], Sequence[Sequence[Any]]],
    transfers: tuple[Sequence[str], Sequence[Sequence[Any]]],
    balances: Sequence[Sequence[Any]],
    advance: tuple[Any, ...],
) -> None:
    """Write answers and transfers, both with the names of their columns, and what they come to."""
    written = ((request, *requests), (transfer, *transfers))
    many = len(requests[1]) >= _WORTH_A_COPY
    if many:
        for table, names, rows in written:
            if rows:
                copy_rows(conn, table, table.name, names, rows)
    with _pipeline(conn) as ask:
        for table, names, rows in written if not many else ():
            if rows:
                ask(_insertion(table, names), _arrays(conn.dialect, table, names, rows))
        if balances:
            ask(_MOVE, _arrays(conn.dialect, balance, _SUMS, balances))
            ask(_ADVANCE, advance)


def _insertion(table: Any, names: Sequence[str]) -> str:
    arrays = ", ".join(f"%s::{_ARRAYS.get(name, 'bigint')}[]" for name in names)
    rows = f"SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own columns
    return f"INSERT INTO {table.name} ({', '.join(names)}) {rows}"


_ARRAYS = {
    **dict.fromkeys(("id", "dr_account", "cr_account", "group_id", "pending_id", "reverses"), "uuid"),
    **dict.fromkeys(("kind", "ref", "result"), "varchar"),
    **dict.fromkeys(("posted_at", "expires_at", "first_seen"), "timestamptz"),
    "digest": "bytea",
    "code": "integer",
    "event_time": "timestamp",
    "business_date": "date",
}


def _arrays(
    dialect: Dialect, table: Any, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[str, ...]:
    columns = zip(names, _columns(names, rows), strict=True)
    return tuple(array_text(dialect, table.c[name], column) for name, column in columns)


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    return zip(*rows, strict=True) if rows else ((),) * len(names)


@contextmanager
def _pipeline(conn: Connection) -> Iterator[Any]:
    """Give what sends a statement and returns the cursor on which its answer can be waited for."""
    import psycopg

    driver = driver_of(conn)
    said = ""

    def ask(statement: str, values: Sequence[Any]) -> Any:
        nonlocal said
        said = statement
        return driver.cursor().execute(statement, values)

    try:
        with driver.pipeline():
            yield ask
    except psycopg.Error as error:
        raise error_of(conn, said, error) from error
