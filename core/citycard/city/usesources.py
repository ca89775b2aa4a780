"""What uses are counted from, for DuckDB: cleared records by bucket, payments, and who is who."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import BigInteger, Connection, Select, cast, func, select

from citycard.clearing.columns import bucket_of
from citycard.clearing.queries import cleared
from citycard.registry.tables import card_closing, partner, terminal
from citycard.wallet.tables import payment

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["NONE", "Span", "connected", "keep_payments", "opened", "who_is_who"]

NONE = "-"
"""Stands for no district, and for no domain that is on; no id can be the same."""

_ROWS = 50_000
_MEMORY = "1GB"


@attrs.frozen
class Span:
    """The days from ``since`` to ``until``, both included."""

    since: date
    until: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """Give the local moment at which it begins, and the one at which it is over."""
        return datetime.combine(self.since, time()), datetime.combine(self.until + timedelta(days=1), time())


# ── who is who ───────────────────────────────────────────────────────────────────────────────────


def who_is_who(city: City, conn: Connection) -> dict[str, Any]:
    """Give tables by name: which service is of which domain, which terminal of which partner, and so on.

    ``roots`` has for each card that replaced another the first of them.
    """
    import pyarrow as pa

    on = city.plugins.services()
    services = sorted({(one.record.number, one.record.name, one.owner.plugin) for one in on})
    declared = sorted({one.record.id: one.owner.plugin for one in city.plugins.participants()}.items())
    district = func.coalesce(partner.c.district, NONE)
    gone = card_closing.c.successor.is_not(None)
    replaced = select(card_closing.c.successor, card_closing.c.asn).where(gone)
    text = pa.string()
    found = {
        "services": _table({"number": pa.int32(), "name": text, "domain": text}, [services]),
        "declared": _table({"partner": text, "domain": text}, [declared]),
        "partners": _table({"partner": text, "district": text}, _read(conn, select(partner.c.id, district))),
        "terminals": _table(
            {"terminal": text, "partner": text}, _read(conn, select(terminal.c.number, terminal.c.partner))
        ),
        "replaced": _table({"asn": text, "root": text}, _read(conn, replaced)),
    }
    with connected("", found) as engine:
        # Of a card that replaced one that had replaced another, the first is its root.
        roots = engine.sql(_ROOTS).to_arrow_table()
    return found | {"roots": roots}


_ROOTS = """
WITH RECURSIVE chain(asn, root) AS (
    SELECT asn, root FROM replaced
    UNION SELECT chain.asn, replaced.root FROM chain JOIN replaced ON replaced.asn = chain.root
)
SELECT asn, root FROM chain WHERE root NOT IN (SELECT asn FROM replaced)"""


def _read(conn: Connection, query: Select[Any]) -> Iterator[Sequence[Sequence[Any]]]:
    """Read rows some at a time."""
    return iter(conn.execute(query, execution_options={"yield_per": _ROWS}).partitions())


def _table(columns: Mapping[str, Any], parts: Iterator[Sequence[Any]] | Sequence[Sequence[Any]]) -> Any:
    import pyarrow as pa

    schema = pa.schema(list(columns.items()))
    return pa.Table.from_batches([_batch(schema, rows) for rows in parts if rows], schema)


def _batch(schema: Any, rows: Sequence[Sequence[Any]]) -> Any:
    import pyarrow as pa

    values = zip(*rows, strict=True)
    arrays = [pa.array(column, field.type) for column, field in zip(values, schema, strict=True)]
    return pa.record_batch(arrays, schema=schema)


def keep_payments(conn: Connection, span: Span, path: Path) -> int:
    """Write the payments of a span into a file, by account, partner and service, and return how many rows."""
    import pyarrow as pa
    from pyarrow.parquet import ParquetWriter

    begins, ends = span.moments
    by = (payment.c.number, payment.c.partner, payment.c.service)
    sums = (func.count(), cast(func.sum(payment.c.amount_fen), BigInteger))
    query = select(*by, *sums).where(payment.c.at >= begins, payment.c.at < ends).group_by(*by)
    texts = [(name, pa.string()) for name in ("card", "partner", "service")]
    numbers = [(name, pa.int64()) for name in ("bucket", "uses", "turnover_fen")]
    schema = pa.schema([*texts, *numbers])
    written = 0
    with ParquetWriter(path, schema) as writer:
        for rows in _read(conn, query):
            found = [(card, to, service, bucket_of(card), *sums) for card, to, service, *sums in rows]
            writer.write_batch(_batch(schema, found))
            written += len(found)
    return written


# ── DuckDB ───────────────────────────────────────────────────────────────────────────────────────


@contextmanager
def connected(folder: str, tables: Mapping[str, Any]) -> Iterator[Any]:
    """Give an engine that knows these tables; what does not fit its memory goes into files in ``folder``."""
    import duckdb

    with duckdb.connect() as engine:
        yield _told(engine, folder, tables)


@contextmanager
def opened(
    city: City, conn: Connection, bucket: int | None, folder: str, who: Mapping[str, Any]
) -> Iterator[Any]:
    """Give an engine that knows who is who, with the view ``outcomes`` of a bucket or all."""
    with cleared(city, conn, bucket, None) as engine:
        if engine is not None:
            yield _told(engine, folder, who)
            return
    with connected(folder, who) as engine:
        engine.execute(_NO_OUTCOMES)
        yield engine


def _told(engine: Any, folder: str, tables: Mapping[str, Any]) -> Any:
    engine.execute(f"SET memory_limit = '{_MEMORY}'")
    engine.execute("SET preserve_insertion_order = false")
    if folder:
        engine.execute("SET temp_directory = $folder", {"folder": folder})
    for name, table in tables.items():
        engine.register(name, table)
    return engine


_NO_OUTCOMES = """
CREATE VIEW outcomes AS SELECT '' AS asn, '' AS terminal, 0 AS service, 0 AS kind, 0 AS amount_fen,
    '' AS state, TIMESTAMP '2000-01-01' AS "at" WHERE false"""
