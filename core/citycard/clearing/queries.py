"""Read models over the cleared records, for pages and reports: DuckDB over Parquet, typed rows out.

Only files that a closed run's rows name are read, so that nothing half-done is ever seen. Of a record that
one run held and a later one decided, only the later outcome counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from typing import Any

import attrs
from sqlalchemy import Connection, select

from citycard.clearing.codes import State
from citycard.clearing.columns import BUCKETS, bucket_of
from citycard.clearing.context import ClearingContext
from citycard.clearing.finding import record_id
from citycard.clearing.tables import clearing_part, held_record
from citycard.store.engine import reading

__all__ = [
    "CardTap",
    "CodeTotal",
    "IntervalCount",
    "PayeeTotal",
    "ServiceTotal",
    "business_dates",
    "card_taps",
    "cleared",
    "code_totals",
    "payee_totals",
    "price_histogram",
    "service_totals",
    "taps_of_runs",
    "taps_per_interval",
]

_ENTRY = 1


@attrs.frozen(kw_only=True)
class IntervalCount:
    """Count the taps of one interval that begins at ``at`` (local time), by kind of record."""

    at: datetime
    kind: int
    taps: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class PayeeTotal:
    """What a partner earned by a service: records with a share for it, and the sum of the shares."""

    partner: str
    service: int
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class ServiceTotal:
    """What was accepted of a service."""

    service: int
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class CodeTotal:
    """How many records ended in a state with a code, and their amount as charged."""

    state: State
    code: str
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class CardTap:
    """One cleared record of a card, in the order of its counter."""

    id: str
    run: int
    at: datetime
    service: int
    kind: int
    counter: int
    terminal: str
    amount_fen: int
    list_price_fen: int
    price_fen: int | None
    balance_after_fen: int
    state: State
    code: str
    notes: tuple[str, ...]
    partners: tuple[str, ...]


def taps_per_interval(
    context: ClearingContext, day: date | None = None, *, minutes: int = 15
) -> tuple[IntervalCount, ...]:
    """Count accepted taps in intervals of ``minutes``, of one business date or of all, earliest first."""
    rows = _rows(
        context,
        'SELECT time_bucket(to_minutes($minutes), "at") AS interval, kind, count(*), sum(amount_fen)::BIGINT'
        " FROM outcomes"
        " WHERE state = 'accepted' AND ($day IS NULL OR business_date = $day) GROUP BY ALL ORDER BY ALL",
        minutes=minutes,
        day=day,
    )
    return tuple(IntervalCount(at=at, kind=kind, taps=taps, amount_fen=fen) for at, kind, taps, fen in rows)


def payee_totals(context: ClearingContext, day: date | None = None) -> tuple[PayeeTotal, ...]:
    """Sum what every partner earned by service, before fees."""
    rows = _rows(
        context,
        "SELECT part.partner, service, count(*), sum(part.amount_fen)::BIGINT"
        " FROM (SELECT service, unnest(parts) AS part FROM outcomes"
        " WHERE state = 'accepted' AND ($day IS NULL OR business_date = $day)) GROUP BY ALL ORDER BY ALL",
        day=day,
    )
    return tuple(
        PayeeTotal(partner=partner, service=service, records=records, amount_fen=fen)
        for partner, service, records, fen in rows
    )


def service_totals(context: ClearingContext, day: date | None = None) -> tuple[ServiceTotal, ...]:
    """Sum what was accepted by service."""
    rows = _rows(
        context,
        "SELECT service, count(*), sum(amount_fen)::BIGINT FROM outcomes"
        " WHERE state = 'accepted' AND ($day IS NULL OR business_date = $day) GROUP BY ALL ORDER BY ALL",
        day=day,
    )
    return tuple(
        ServiceTotal(service=service, records=records, amount_fen=fen) for service, records, fen in rows
    )


def code_totals(context: ClearingContext, day: date | None = None) -> tuple[CodeTotal, ...]:
    """Count every record by state and code; the sum is everything that was cleared."""
    rows = _rows(
        context,
        "SELECT state, code, count(*), sum(amount_fen)::BIGINT FROM outcomes"
        " WHERE $day IS NULL OR business_date = $day GROUP BY ALL ORDER BY ALL",
        day=day,
    )
    return tuple(
        CodeTotal(state=State(state), code=code, records=records, amount_fen=fen)
        for state, code, records, fen in rows
    )


def price_histogram(
    context: ClearingContext, day: date | None = None, *, width_fen: int = 100
) -> tuple[tuple[int, int], ...]:
    """Count accepted charges above zero by price: pairs of the lower bound in fen and how many."""
    return tuple(
        _rows(
            context,
            "SELECT (amount_fen // $width) * $width AS low, count(*) FROM outcomes WHERE state = 'accepted'"
            " AND amount_fen > 0 AND ($day IS NULL OR business_date = $day) GROUP BY ALL ORDER BY ALL",
            width=width_fen,
            day=day,
        )
    )


def business_dates(context: ClearingContext) -> tuple[date, ...]:
    """List the business dates of cleared records, earliest first."""
    return tuple(day for (day,) in _rows(context, "SELECT DISTINCT business_date FROM outcomes ORDER BY ALL"))


def card_taps(context: ClearingContext, asn: str, *, limit: int = 200) -> tuple[CardTap, ...]:
    """Give a card's newest cleared records, newest first."""
    rows = _rows(
        context,
        f"SELECT {_TAP} FROM outcomes WHERE asn = $asn"  # noqa: S608
        ' ORDER BY counter DESC, "at" DESC, line DESC LIMIT $limit',
        bucket=bucket_of(asn),
        asn=asn,
        limit=limit,
    )
    return tuple(_tap(row) for row in rows)


def taps_of_runs(context: ClearingContext, asn: str, runs: range) -> tuple[CardTap, ...]:
    """Give what a range of runs accepted of a card, by run and then in the order of the card's counter."""
    rows = _rows(
        context,
        f"SELECT {_TAP} FROM outcomes WHERE asn = $asn AND state = 'accepted'"  # noqa: S608
        ' ORDER BY run, counter, "at", line',
        bucket=bucket_of(asn),
        runs=runs,
        asn=asn,
    )
    return tuple(_tap(row) for row in rows)


_TAP = (
    'terminal, batch_number, line, run, "at", service, kind, counter, amount_fen, list_price_fen,'
    " price_fen, balance_after_fen, state, code, notes, [part.partner FOR part IN parts]"
)


def _tap(row: tuple[Any, ...]) -> CardTap:
    terminal, batch, line, run, at, service, kind, counter, *amounts, state, code, notes, partners = row
    amount_fen, list_price_fen, price_fen, balance_after_fen = amounts
    return CardTap(
        id=record_id(terminal, batch, line),
        run=run,
        at=at,
        service=service,
        kind=kind,
        counter=counter,
        terminal=terminal,
        amount_fen=amount_fen,
        list_price_fen=list_price_fen,
        price_fen=price_fen,
        balance_after_fen=balance_after_fen,
        state=State(state),
        code=code,
        notes=tuple(notes.split()),
        partners=tuple(partners),
    )


def _rows(
    context: ClearingContext,
    query: str,
    *,
    bucket: int | None = None,
    runs: range | None = None,
    **values: Any,
) -> list[tuple[Any, ...]]:
    with reading(context.engine) as conn, cleared(context, conn, bucket, runs) as engine:
        if engine is None:
            return []
        found: list[tuple[Any, ...]] = engine.execute(query, values).fetchall()
        return found


@contextmanager
def cleared(
    context: ClearingContext, conn: Connection, bucket: int | None, runs: range | None
) -> Iterator[Any]:
    """Give a DuckDB connection with the view ``outcomes`` of a bucket or all, of these runs or all.

    It is None when nothing was cleared in them. ``conn`` is the caller's own connection to the store: whoever
    held one, or a lock, and waited for another could wait for ever.
    """
    import duckdb

    from citycard.clearing.files import literal

    parts = select(clearing_part.c.run, clearing_part.c.outcomes)
    if bucket is not None:
        parts = parts.where(clearing_part.c.share % BUCKETS == bucket)
    if runs is not None:
        parts = parts.where(clearing_part.c.run >= runs.start, clearing_part.c.run < runs.stop)
    named: Sequence[Any] = conn.execute(parts).all()
    overtaken = _overtaken(conn, bucket, runs)
    if not named:
        yield None
        return
    with _whole(context, [row.outcomes for row in named]), duckdb.connect() as engine:
        paths = [literal(context.folder / row.outcomes) for row in named]
        engine.execute("SET TimeZone = 'UTC'")
        engine.read_parquet(paths, hive_partitioning=False).create_view("told")
        engine.register("overtaken", overtaken)
        engine.execute(
            "CREATE VIEW outcomes AS FROM told ANTI JOIN overtaken USING (run, terminal, batch_number, line)"
            if overtaken.num_rows
            else "CREATE VIEW outcomes AS FROM told"
        )
        yield engine


@contextmanager
def _whole(context: ClearingContext, paths: Sequence[str]) -> Iterator[None]:
    """Say which file is damaged, or not there, where DuckDB fails by it."""
    import duckdb

    from citycard.clearing.files import read_columns

    try:
        yield
    except duckdb.Error:
        for path in paths:
            read_columns(context.folder / path, None)
        raise


def _overtaken(conn: Connection, bucket: int | None, runs: range | None) -> Any:
    """Give the outcomes of records that were held, where one of these runs decided them later."""
    import pyarrow as pa

    names = ("run", "terminal", "batch_number", "line")
    query = select(*(held_record.c[name] for name in names)).where(
        held_record.c.decided_run != held_record.c.run
    )
    if bucket is not None:
        query = query.where(held_record.c.bucket == bucket)
    if runs is not None:
        query = query.where(held_record.c.decided_run < runs.stop)
    rows = conn.execute(query).all()
    return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})
