"""Many rows at once, written the same on SQLite and PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Row, Select, Table
from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["chunks", "insert_missing", "select_in"]

_Item = TypeVar("_Item")

#: Below the limit of bound values in one statement of either database.
_CHUNK = 5000


def chunks(items: Sequence[_Item], size: int = _CHUNK) -> Iterator[Sequence[_Item]]:
    """Cut a sequence into pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def select_in(
    conn: Connection, query: Select[Any], column: ColumnElement[Any], keys: Sequence[Any]
) -> Iterator[Row[Any]]:
    """Run ``query`` for the rows whose ``column`` is one of ``keys``, however many keys there are.

    The keys are asked for in pieces; the order of the rows is not defined.
    """
    for piece in chunks(keys):
        yield from conn.execute(query.where(column.in_(piece)))


def insert_missing(conn: Connection, table: Table, rows: Sequence[dict[str, Any]]) -> int:
    """Insert rows and return how many were new; those whose key is there are left alone.

    That holds also for a key that somebody else wrote a moment ago.
    """
    insert = postgresql.insert if conn.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table).on_conflict_do_nothing()
    return sum(conn.execute(statement, piece).rowcount for piece in chunks(rows, 20_000))
