"""Many rows at once, written the same on SQLite and PostgreSQL.

SQLAlchemy binds every value of every row by name, which costs more than the database does. Here values
are converted column by column: PostgreSQL gets them as lines of COPY or as one array (``copying``), SQLite
as tuples or as one JSON array.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from sqlalchemy import (
    JSON,
    Column,
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    Text,
    Tuple,
    and_,
    any_,
    bindparam,
    cast,
    func,
    insert,
    literal,
    select,
    text,
)
from sqlalchemy.types import NullType

from citycard.store.copying import array_text, copy_rows

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["chunks", "columns_at", "insert_all", "insert_from", "insert_missing", "insert_rows", "select_in"]

_Item = TypeVar("_Item")

#: Below the limit of bound values in one statement of either database.
_CHUNK = 5000

#: Rows that are converted at a time.
_PIECE = 20_000

#: From here on PostgreSQL is faster with a temporary table than with one statement for each row.
_WORTH_A_TABLE = 500

#: Ends a word that the database writes into a line: none has it.
_BETWEEN = "\x1f"


def chunks(items: Sequence[_Item], size: int = _CHUNK) -> Iterator[Sequence[_Item]]:
    """Cut a sequence into pieces of at most ``size``."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def select_in(
    conn: Connection, query: Select[Any], column: ColumnElement[Any], keys: Sequence[Any]
) -> Iterator[Row[Any]]:
    """Run ``query`` for the rows whose ``column`` is one of ``keys``, however many keys there are.

    The order of the rows is not defined. ``column`` may be a tuple of columns, with tuples as keys.
    """
    if not keys:
        return
    if isinstance(column, Tuple) and conn.dialect.name == "sqlite":
        yield from conn.execute(query.where(_in_pairs(conn, list(column.clauses), keys))).fetchall()
    elif not isinstance(column, Column):
        for piece in chunks(keys):
            yield from conn.execute(query.where(column.in_(piece)))
    elif conn.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import ARRAY

        # Of no type of its own, so that the server reads the text as an array once and not for each row.
        array = cast(
            bindparam("keys_", array_text(conn.dialect, column, keys), NullType()), ARRAY(column.type)
        )
        yield from conn.execute(query.where(column == any_(array))).fetchall()
    else:
        listed = text("SELECT value FROM json_each(:keys_)").bindparams(
            keys_=json.dumps(list(_converted(conn, column, keys)))
        )
        yield from conn.execute(query.where(column.in_(listed))).fetchall()


def _in_pairs(conn: Connection, columns: list[Any], keys: Sequence[Any]) -> ColumnElement[bool]:
    """Join with the keys: for a list of more than one tuple SQLite would look at every row of an index."""
    parts = [
        _converted(conn, column, part) for column, part in zip(columns, zip(*keys, strict=True), strict=True)
    ]
    listed = json.dumps(sorted(set(zip(*parts, strict=True))))
    wanted = func.json_each(listed).table_valued("value", name="wanted")
    return and_(
        *[column == func.json_extract(wanted.c.value, f"$[{place}]") for place, column in enumerate(columns)]
    )


def columns_at(
    conn: Connection,
    query: Select[Any],
    column: Column[Any],
    keys: Sequence[Any],
    kinds: Sequence[pa.DataType],
) -> list[pa.ChunkedArray]:
    """Run ``query`` for the rows whose ``column`` is one of ``keys``, and give its result as columns.

    The first says at which place among ``keys`` each row's key stands; no key may be there twice. ``kinds``
    are those of the query's columns: numbers, days, local times, and words without control characters; what
    is NULL is null, or the empty word. It is for very many rows: the database writes each column as one
    text, which Arrow reads, and no object is made of any of them.
    """
    import pyarrow as pa

    kinds = [pa.int64(), *kinds]
    nothing = [pa.chunked_array([], kind) for kind in kinds]
    if not keys:
        return nothing
    if conn.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import ARRAY

        array = cast(
            bindparam("keys_", array_text(conn.dialect, column, keys), NullType()), ARRAY(column.type)
        )
        wanted = func.unnest(array).table_valued("value", with_ordinality="place", name="wanted")
        wanted = wanted.render_derived()
        place: ColumnElement[Any] = wanted.c.place - 1
        together = func.string_agg
        # A server may be set to write days in another way.
        conn.exec_driver_sql("SET LOCAL datestyle = 'ISO'")
    else:
        listed = json.dumps(list(_converted(conn, column, keys)))
        wanted = func.json_each(listed).table_valued("value", "key", name="wanted")
        place = wanted.c.key
        together = func.group_concat
    # A text for each column: to put a line together, SQLite would copy it once for every field. All are put
    # together from the same rows in the same order.
    written = conn.execute(
        query.with_only_columns(
            *(together(func.coalesce(cast(one, Text), ""), "\n") for one in (place, *query.selected_columns))
        ).select_from(wanted.join(column.table, column == wanted.c.value))
    ).one()
    if written[0] is None:
        return nothing
    columns = [_read_column(text, kind) for text, kind in zip(written, kinds, strict=True)]
    if len({len(column) for column in columns}) > 1:
        raise ValueError("a word has a line break in it")
    return columns


def _read_column(text: str, kind: pa.DataType) -> pa.ChunkedArray:
    """Read the lines of a text as values; an empty one is null, or the empty word."""
    import pyarrow as pa
    from pyarrow import csv

    table = csv.read_csv(
        pa.py_buffer(f"{text}\n".encode()),
        csv.ReadOptions(column_names=["1"], use_threads=False),
        csv.ParseOptions(delimiter=_BETWEEN, quote_char=False, ignore_empty_lines=False),
        csv.ConvertOptions(column_types={"1": kind}, null_values=[""]),
    )
    return table.column(0)


def insert_rows(conn: Connection, table: Table, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows given as tuples in the order of ``names``; a key that is there is an error."""
    if not rows:
        return
    if conn.dialect.name == "postgresql":
        copy_rows(conn, table, table.name, names, rows)
    else:
        conn.exec_driver_sql(_insert(table.name, names, "?"), list(_tuples(conn, table, names, rows)))


def insert_all(conn: Connection, table: Table, names: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Insert rows as ``insert_rows`` does, however many: only a piece of them is in memory at a time."""
    left = iter(rows)
    while piece := list(islice(left, _PIECE)):
        insert_rows(conn, table, names, piece)


def insert_from(conn: Connection, table: Table, order: ColumnElement[Any], **values: Any) -> None:
    """Insert a row for each of another table, in an order: values are its columns, or the same for all."""
    columns = [
        value if isinstance(value, ColumnElement) else literal(value, table.c[name].type)
        for name, value in values.items()
    ]
    conn.execute(insert(table).from_select(list(values), select(*columns).order_by(order)))


def insert_missing(conn: Connection, table: Table, rows: Sequence[Mapping[str, Any]]) -> int:
    """Insert rows and return how many were new; those whose key is there are left alone.

    That holds also for a key that somebody else wrote a moment ago. All rows have the same names.
    """
    if not rows:
        return 0
    names = list(rows[0])
    values = [[row[name] for name in names] for row in rows]
    ignoring = " ON CONFLICT DO NOTHING"
    if conn.dialect.name == "postgresql" and len(rows) > _WORTH_A_TABLE:
        # COPY knows no conflicts: the rows go through a table that ends with the transaction.
        listed = ", ".join(names)
        conn.exec_driver_sql(
            f"CREATE TEMP TABLE arriving ON COMMIT DROP AS SELECT {listed} FROM {table.name} WITH NO DATA"  # noqa: S608
        )
        copy_rows(conn, table, "arriving", names, values)
        moved = f"INSERT INTO {table.name} ({listed}) SELECT {listed} FROM arriving{ignoring}"  # noqa: S608
        added = conn.exec_driver_sql(moved).rowcount
        conn.exec_driver_sql("DROP TABLE arriving")
        return added
    mark = "%s" if conn.dialect.name == "postgresql" else "?"
    return conn.exec_driver_sql(
        _insert(table.name, names, mark) + ignoring, list(_tuples(conn, table, names, values))
    ).rowcount


def _insert(table: str, names: Sequence[str], mark: str) -> str:
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join([mark] * len(names))})"  # noqa: S608


def _tuples(
    conn: Connection, table: Table, names: Sequence[str], rows: Sequence[Sequence[Any]]
) -> Iterator[tuple[Any, ...]]:
    by_column = zip(names, zip(*rows, strict=True), strict=True)
    return zip(*[_converted(conn, table.c[name], values) for name, values in by_column], strict=True)


def _converted(conn: Connection, column: Column[Any], values: Sequence[Any]) -> Iterable[Any]:
    """Convert values to what the driver takes, each distinct value once where few are distinct."""
    convert = column.type.dialect_impl(conn.dialect).bind_processor(conn.dialect)
    if convert is None:
        return values
    if isinstance(column.type, JSON):
        return map(convert, values)
    distinct = set(values)
    if len(distinct) * 4 > len(values):
        return map(convert, values)
    known = {value: convert(value) for value in distinct}
    return map(known.__getitem__, values)
