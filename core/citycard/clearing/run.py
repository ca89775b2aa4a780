"""Run clearing: take every record received and not yet cleared, judge it, post what it means, tell the bank.

A run is opened with its watermark before it reads anything, and everything it means is written in one
transaction when it is closed. Broken off anywhere between, it is simply run again and gives the same answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, insert, select

from citycard.clearing.bucket import Bucket, cut
from citycard.clearing.closing import Closing, close_run, waits_to_be_paid
from citycard.clearing.context import ClearingContext
from citycard.clearing.engines import Engine, engine_of
from citycard.clearing.gather import Reader, read_bucket
from citycard.clearing.held import HeldChanged, deferred_buckets, held_of, taken_up
from citycard.clearing.missing import missing_batches
from citycard.clearing.payments import ensure_payment_file
from citycard.clearing.reports import RunReport
from citycard.clearing.settled import settled_count
from citycard.clearing.tables import clearing_clock, clearing_run, segment
from citycard.clearing.verify import all_tac_keys_usable, deferred_tac_versions
from citycard.clearing.work import Done, Segment, Work
from citycard.store.engine import reading, writing

__all__ = ["MOST_RECORDS", "clear", "last_report"]

MOST_RECORDS: Final = 300_000
"""So many new records of a bucket are judged at a time: memory grows with them, and not with the run."""


def clear(
    context: ClearingContext,
    *,
    engine: str = "",
    progress: Callable[[int, int], None] | None = None,
    most: int = MOST_RECORDS,
) -> RunReport:
    """Clear everything received up to now, pay what partners are owed, and say what came of it.

    When nothing is new, nothing is changed: the report is the last run's with ``changed`` False. Whatever
    was left undone by an interruption is done first.

    ``engine`` names where buckets are judged (``engines.engine_of``), the context's own when left out; what
    comes of it is the same. ``progress`` is told how many buckets, or pieces of them, are judged, and of
    how many, as each ends. A bucket with more than about ``most`` records is judged piece by piece; nothing
    but the digest depends on that.
    """
    chosen = engine_of(engine or context.clearing_engine)
    run = _open_run(context)
    if run is None:
        report = last_report(context)
        ensure_payment_file(context, report.number)
        return report
    # Whoever closed the run before this one may have died before the bank was told.
    ensure_payment_file(context, run.number - 1)
    changed = _close(context, run, chosen, progress or (lambda _judged, _of: None), most)
    ensure_payment_file(context, run.number)
    return last_report(context, changed=changed)


def _close(
    context: ClearingContext,
    run: Row[Any],
    engine: Engine,
    progress: Callable[[int, int], None],
    most: int,
) -> bool:
    while True:
        try:
            return close_run(context, run, _judge_all(context, run, engine, progress, most))
        except HeldChanged:
            # People decided a record that waited, or gave up a gap, while it was judged: it is judged again.
            continue


def last_report(context: ClearingContext, *, changed: bool = False) -> RunReport:
    """Give the report of the last closed run, or an empty one with number 0, with what is missing now."""
    with reading(context.engine) as conn:
        query = (
            select(clearing_run.c.report)
            .where(clearing_run.c.state == "closed")
            .order_by(clearing_run.c.number.desc())
        )
        stored = conn.scalar(query.limit(1))
        missing = missing_batches(conn)
    return RunReport.of(stored or {}, changed=changed, missing=missing)


def _open_run(context: ClearingContext) -> Row[Any] | None:
    with writing(context.engine) as conn:
        # The clock's row is held before anything is looked at, so that two callers do not both open a run.
        watermark = conn.scalar(select(clearing_clock.c.intake).with_for_update()) or 0
        found = conn.execute(select(clearing_run).where(clearing_run.c.state == "open")).one_or_none()
        if found is not None:
            return found
        number, cleared = conn.execute(
            select(
                func.coalesce(func.max(clearing_run.c.number), 0),
                func.coalesce(func.max(clearing_run.c.watermark), 0),
            )
        ).one()
        if not (
            _has_segments(conn, cleared, watermark)
            or waits_to_be_paid(conn, context)
            or (deferred_buckets(conn) and all_tac_keys_usable(context.vault))
        ):
            return None
        row = {
            "number": number + 1,
            "state": "open",
            "from_intake": cleared,
            "watermark": watermark,
            "opened_at": context.clock.now(),
        }
        conn.execute(insert(clearing_run), row)
        return conn.execute(select(clearing_run).where(clearing_run.c.number == number + 1)).one()


def _has_segments(conn: Connection, cleared: int, watermark: int) -> bool:
    query = select(func.count()).where(segment.c.intake > cleared, segment.c.intake <= watermark)
    return bool(conn.scalar(query))


def _judge_all(
    context: ClearingContext,
    run: Row[Any],
    engine: Engine,
    progress: Callable[[int, int], None],
    most: int,
) -> Closing:
    # Asked once, so that every bucket is judged with the same keys and rules, wherever that is.
    deferred, rules_version = deferred_tac_versions(context.vault), context.rules_version
    # One transaction sees one state of the store for all buckets, wherever each of them is judged.
    with reading(context.engine) as conn:
        waiting = {} if deferred else deferred_buckets(conn)
        segments = dict.fromkeys(waiting, ()) | _segments(conn, run)
        reader = Reader(
            conn=conn,
            folder=context.folder,
            timezone=ZoneInfo(context.terms.timezone),
            from_intake=run.from_intake,
            deferred=deferred,
        )
        pieces = [
            (number, slices)
            for number, rows in sorted(segments.items())
            for slices in cut(sum(row.records for row in rows) + waiting.get(number, 0), most)
        ]
        works = (
            _work(context, run, reader, rules_version, number, slices, segments[number])
            for number, slices in pieces
        )
        judged: list[Done] = []
        settled = settled_count(conn)
        with closing(engine.done(context, works)) as ended:
            for done in ended:
                judged.append(done)
                progress(len(judged), len(pieces))
    return Closing.of(judged, engine.name, rules_version=rules_version, settled=settled)


def _work(
    context: ClearingContext,
    run: Row[Any],
    reader: Reader,
    rules_version: str,
    number: int,
    slices: range,
    rows: Sequence[Row[Any]],
) -> tuple[Work, Bucket]:
    fresh = read_bucket(context, number, rows, slices, checked=reader.checked)
    held = held_of(reader.conn, fresh, all_keys=not reader.deferred)
    bucket = taken_up(fresh, held)
    work = Work(
        run=run.number,
        bucket=number,
        slices=slices,
        segments=tuple(
            Segment(path=row.path, business_date=row.business_date, records=row.records) for row in rows
        ),
        held=tuple(held),
        known=reader.known(bucket),
        terms=context.terms,
        rules_version=rules_version,
    )
    return work, bucket


def _segments(conn: Connection, run: Row[Any]) -> dict[int, Sequence[Row[Any]]]:
    query = (
        select(segment)
        .where(segment.c.intake > run.from_intake, segment.c.intake <= run.watermark)
        .order_by(segment.c.path)
    )
    found: dict[int, list[Row[Any]]] = defaultdict(list)
    for row in conn.execute(query):
        found[row.bucket].append(row)
    return dict(found)
