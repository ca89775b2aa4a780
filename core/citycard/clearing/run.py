"""Run clearing: take every record received and not yet cleared, judge it, post what it means, tell the bank.

A run is opened with its watermark before it reads anything, and everything it means is written in one
transaction when it is closed. Broken off anywhere between, it is simply run again and gives the same answer.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, insert, select

from citycard.clearing.closing import Closing, close_run, waits_to_be_paid
from citycard.clearing.context import ClearingContext
from citycard.clearing.gather import Reader, read_bucket
from citycard.clearing.judge import judge
from citycard.clearing.missing import missing_batches
from citycard.clearing.outcomes import keep
from citycard.clearing.payments import ensure_payment_file
from citycard.clearing.reports import RunReport
from citycard.clearing.tables import clearing_clock, clearing_run, segment
from citycard.clearing.tally import tally
from citycard.store.engine import reading, writing

__all__ = ["clear", "last_report"]


def clear(context: ClearingContext) -> RunReport:
    """Clear everything received up to now, pay what partners are owed, and say what came of it.

    When nothing is new, nothing is changed: the report is the last run's with ``changed`` False. Whatever
    was left undone by an interruption is done first.
    """
    run = _open_run(context)
    if run is None:
        report = last_report(context)
        ensure_payment_file(context, report.number)
        return report
    # Whoever closed the run before this one may have died before the bank was told.
    ensure_payment_file(context, run.number - 1)
    closing = _judge_all(context, run)
    changed = close_run(context, run, closing)
    ensure_payment_file(context, run.number)
    return last_report(context, changed=changed)


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
        if not _has_segments(conn, cleared, watermark) and not waits_to_be_paid(conn, context):
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


def _judge_all(context: ClearingContext, run: Row[Any]) -> Closing:
    closing = Closing()
    with reading(context.engine) as conn:
        reader = Reader(
            conn=conn,
            folder=context.folder,
            timezone=ZoneInfo(context.terms.timezone),
            from_intake=run.from_intake,
        )
        for number, segments in sorted(_segments(conn, run).items()):
            bucket = read_bucket(context.folder, number, segments)
            known = reader.known(bucket)
            judged = judge(bucket, known, context.terms, context.vault, context)
            closing.add(keep(context.folder, run.number, judged), judged, known, tally(judged, known))
    return closing


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
