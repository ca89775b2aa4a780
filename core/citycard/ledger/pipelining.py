"""Speak to PostgreSQL in two exchanges for each posting, however many statements that takes.

A driver that waits for the answer to each statement spends most of a small posting waiting. In a pipeline the
statements are sent together, and the server works them off in their order: the ledger's row is taken before
anything else is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, Dialect

from citycard.ledger.rows import REQUEST_COLUMNS, TRANSFER_COLUMNS
from citycard.ledger.tables import balance, request, transfer
from citycard.store.copying import array_text, copy_rows, driver_of, error_of

__all__ = ["Tip", "ask_at_tip", "keep", "keep_at_tip", "look_up", "values_at_tip"]

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


_ASK_AT_TIP = (
    "SELECT posted_seq, posted_at, next_expiry, place, guard, dr_posted_fen, cr_posted_fen, dr_pending_fen, "
    "cr_pending_fen, balance.currency, last_seq, transfers FROM ledger LEFT JOIN (balance "
    "JOIN unnest(%s::uuid[]) WITH ORDINALITY AS wanted(key, place) ON account_id = key) ON true"
)


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


@attrs.frozen
class Tip:
    """How the ledger ends: the number of its last transfer, and a moment after which the next is posted.

    Before ``next_expiry`` no open hold expires; that says nothing about how the ledger ends.
    """

    posted_seq: int
    posted_at: datetime | None
    next_expiry: datetime | None = attrs.field(eq=False)


def ask_at_tip(conn: Connection, keys: Sequence[UUID]) -> tuple[Tip | None, list[tuple[Any, ...]]]:
    """Give how the ledger ends, and the accounts at that moment that are open.

    Each begins with its place among ``keys``, from 1 on; guard and sums follow in the order of ``Standing``.
    """
    with _told(conn) as ask:
        rows = ask(_ASK_AT_TIP, (array_text(conn.dialect, balance.c.account_id, keys),)).fetchall()
    if not rows:
        return None, []
    return Tip(*rows[0][:3]), [row[3:] for row in rows if row[3] is not None]


def values_at_tip(
    dialect: Dialect,
    tip: Tip,
    afterwards: Tip,
    requests: Sequence[Sequence[Any]],
    transfers: Sequence[Sequence[Any]],
    balances: Sequence[Sequence[Any]],
) -> tuple[Any, ...]:
    """Write what ``keep_at_tip`` sends: both ends of the ledger, and rows in the order of their columns.

    All of them have the time of the first request; the transfers are ``single`` and take nothing back.
    """
    posted_at = requests[0][-1]
    answered = dict(zip(REQUEST_COLUMNS, _columns(REQUEST_COLUMNS, requests), strict=True))
    moved = dict(zip(TRANSFER_COLUMNS, _columns(TRANSFER_COLUMNS, transfers), strict=True))
    return (
        afterwards.posted_seq,
        afterwards.posted_at,
        tip.posted_seq,
        tip.posted_at,
        posted_at,
        *[array_text(dialect, request.c[name], answered[name]) for name in _ANSWERS],
        posted_at,
        *[array_text(dialect, transfer.c[name], moved[name]) for name in _MOVES],
        *_arrays(dialect, balance, _SUMS, balances),
    )


def keep_at_tip(conn: Connection, values: Sequence[Any]) -> bool:
    """Write answers, transfers and balances at once if the ledger ends as it was thought to; say whether.

    ``conn`` commits each statement by itself.
    """
    with _told(conn) as ask:
        return bool(ask(_KEEP_AT_TIP, values).fetchone()[0])


def _insertion(
    table: Any, names: Sequence[str], constants: Mapping[str, str] | None = None, given: str = ""
) -> str:
    """Insert rows, once for each of ``given``: columns as arrays, beside others that are the same in all."""
    arrays = ", ".join(f"%s::{_ARRAYS.get(name, 'bigint')}[]" for name in names)
    values = ", ".join((*(constants or {}).values(), "row.*"))
    rows = f"SELECT {values} FROM {given}unnest({arrays}) AS row"  # noqa: S608 - names of our own columns
    return f"INSERT INTO {table.name} ({', '.join((*(constants or {}), *names))}) {rows}"


_ARRAYS = {
    **dict.fromkeys(("id", "dr_account", "cr_account", "group_id", "pending_id", "reverses"), "uuid"),
    **dict.fromkeys(("kind", "ref", "result"), "varchar"),
    **dict.fromkeys(("posted_at", "expires_at", "first_seen"), "timestamptz"),
    "digest": "bytea",
    "code": "integer",
    "event_time": "timestamp",
    "business_date": "date",
}


# What is the same in all rows of simple transfers is said once.
_TIME, _SINGLE = "%s::timestamptz", "'single'"
_ANSWERS = tuple(name for name in REQUEST_COLUMNS if name != "first_seen")
_MOVES = tuple(
    name
    for name in TRANSFER_COLUMNS
    if name not in {"kind", "pending_id", "expires_at", "reverses", "posted_at"}
)
_KEEP_AT_TIP = (
    "WITH taken AS (UPDATE ledger SET posted_seq = %s, posted_at = %s "  # noqa: S608 - our own names
    "WHERE posted_seq = %s AND posted_at = %s RETURNING id), "
    f"answered AS ({_insertion(request, _ANSWERS, {'first_seen': _TIME}, 'taken, ')}), "
    f"moved AS ({_insertion(transfer, _MOVES, {'kind': _SINGLE, 'posted_at': _TIME}, 'taken, ')}), "
    f"summed AS ({_MOVE.replace('FROM ', 'FROM taken, ', 1)}) "
    "SELECT count(*) FROM taken"
)


def _arrays(
    dialect: Dialect, table: Any, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> tuple[str, ...]:
    columns = zip(names, _columns(names, rows), strict=True)
    return tuple(array_text(dialect, table.c[name], column) for name, column in columns)


def _columns(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> Iterable[Sequence[Any]]:
    return zip(*rows, strict=True) if rows else ((),) * len(names)


@contextmanager
def _told(conn: Connection) -> Iterator[Any]:
    """Give what sends a statement and returns its cursor."""
    import psycopg

    driver = driver_of(conn)
    said = ""

    def ask(statement: str, values: Sequence[Any]) -> Any:
        nonlocal said
        said = statement
        return driver.cursor().execute(statement, values)

    try:
        yield ask
    except psycopg.Error as error:
        raise error_of(conn, said, error) from error


@contextmanager
def _pipeline(conn: Connection) -> Iterator[Any]:
    """Give what sends a statement and returns the cursor on which its answer can be waited for."""
    with _told(conn) as ask, driver_of(conn).pipeline():
        yield ask
