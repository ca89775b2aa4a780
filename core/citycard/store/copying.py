"""Write values as PostgreSQL reads them in bulk: the lines of COPY, and the text of an array.

Whole columns are turned into text at once, which costs a fraction of what a driver needs for each value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import repeat
from operator import attrgetter
from typing import Any

from sqlalchemy import JSON, Column, Connection, Dialect, Integer, LargeBinary, Table, Uuid
from sqlalchemy.exc import DBAPIError, StatementError
from sqlalchemy.types import TypeEngine

__all__ = ["array_text", "copy_rows", "driver_of", "error_of"]

#: How COPY says that there is no value.
_NULL = "\\N"
#: Lines given to the driver at a time.
_PIECE = 5000
_SPECIAL = frozenset("\\\t\n\r")
_QUOTED = frozenset('\\"')
_ESCAPED = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def copy_rows(
    conn: Connection, table: Table, name: str, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> None:
    """Insert rows into the table called ``name``, whose columns are those of ``table``, by COPY.

    The rows are tuples in the order of ``names``. What the server refuses is raised as SQLAlchemy's error.
    """
    import psycopg

    statement = f"COPY {name} ({', '.join(names)}) FROM STDIN"
    cursor: Any = driver_of(conn).cursor()
    try:
        with cursor.copy(statement) as copy:
            for piece in _pieces(conn.dialect, table, names, rows):
                copy.write(piece)
    except psycopg.Error as error:
        raise error_of(conn, statement, error) from error
    finally:
        cursor.close()


def driver_of(conn: Connection) -> Any:
    """Give the driver's own connection, in a transaction that ``conn`` knows of and will commit."""
    if not conn.in_transaction():
        conn.begin()
    return conn.connection.driver_connection


def error_of(conn: Connection, statement: str, error: Exception) -> StatementError:
    """Give an error of the driver, which was spoken to directly, the class that all others have."""
    import psycopg

    gone = driver_of(conn).closed
    return DBAPIError.instance(
        statement, None, error, psycopg.Error, connection_invalidated=gone, dialect=conn.dialect
    )


def array_text(dialect: Dialect, column: Column[Any], values: Sequence[Any]) -> str:
    """Write values of a column as the text of a PostgreSQL array."""
    write, escaped = _writer(dialect, column.type)

    def element(value: Any) -> str:
        if value is None:
            return "NULL"
        return _quoted(write(value)) if escaped else write(value)

    if values and values[0] is values[-1] and values.count(values[0]) == len(values):
        return "{" + ",".join([element(values[0])] * len(values)) + "}"
    if column.nullable and None in values:
        return "{" + ",".join(map(element, values)) + "}"
    if isinstance(column.type, Uuid):
        # All in one go takes a third of what one after the other takes.
        return "{" + (",%032x" * len(values) % tuple([value.int for value in values]))[1:] + "}"
    if isinstance(column.type, LargeBinary):
        return "{" + ",".join([f'"\\\\x{value.hex()}"' for value in values]) + "}"
    return "{" + ",".join(map(element if escaped else write, values)) + "}"


def _quoted(text: str) -> str:
    if not _QUOTED.isdisjoint(text):
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'


def _pieces(
    dialect: Dialect, table: Table, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Iterator[str]:
    columns = [table.c[name] for name in names]
    for start in range(0, len(rows), _PIECE):
        values = zip(*rows[start : start + _PIECE], strict=True)
        texts = [_fields(dialect, column, given) for column, given in zip(columns, values, strict=True)]
        yield "\n".join(map("\t".join, zip(*texts, strict=True))) + "\n"


def _fields(dialect: Dialect, column: Column[Any], values: Sequence[Any]) -> Iterable[str]:
    """Write a column as fields of lines; what is the same all the way down is written once."""
    if values[0] is values[-1] and values.count(values[0]) == len(values):
        return repeat(_field(dialect, column, values[0]), len(values))
    write, escaped = _writer(dialect, column.type)
    if column.nullable and None in values:
        return [_field(dialect, column, value) for value in values]
    texts = list(map(write, values))
    if isinstance(column.type, LargeBinary):
        return ["\\" + text for text in texts]
    # Most columns hold nothing that must be escaped: one look at all of them tells.
    if escaped and not _SPECIAL.isdisjoint("".join(texts)):
        return [text.translate(_ESCAPED) for text in texts]
    return texts


def _field(dialect: Dialect, column: Column[Any], value: Any) -> str:
    write, escaped = _writer(dialect, column.type)
    if value is None and not isinstance(column.type, JSON):
        return _NULL
    return write(value).translate(_ESCAPED) if escaped else write(value)


def _writer(dialect: Dialect, kind: TypeEngine[Any]) -> tuple[Callable[[Any], str], bool]:
    """Give what writes a value of a type, and whether its text may hold what must be escaped."""
    for known, write, escaped in _WRITERS:
        if isinstance(kind, known):
            return write, escaped
    convert = kind.dialect_impl(dialect).bind_processor(dialect)
    if convert is None:
        return str, True
    return (lambda value: str(convert(value))), True


# By type, before SQLAlchemy wraps the value for its driver.
_WRITERS: tuple[tuple[type[TypeEngine[Any]], Callable[[Any], str], bool], ...] = (
    (Uuid, attrgetter("hex"), False),
    (Integer, str, False),
    (LargeBinary, lambda value: "\\x" + value.hex(), True),
    (JSON, json.dumps, True),
)
