"""Where clearing stands: what came in, what waits, what is missing."""

from __future__ import annotations

import attrs
from sqlalchemy import func, select

from citycard.clearing.codes import FileCode, FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.missing import missing_batches
from citycard.clearing.reports import Missing
from citycard.clearing.tables import batch_file, clearing_run, gap, held_record, segment
from citycard.store.engine import reading

__all__ = ["FileTotal", "OpenGap", "Status", "open_gaps", "status"]


@attrs.frozen(kw_only=True)
class FileTotal:
    """Count the files handed in that ended in one state with one code."""

    state: FileState
    code: FileCode
    files: int
    records: int
    amount_fen: int


@attrs.frozen(kw_only=True)
class OpenGap:
    """Numbers that nobody handed in: counters of a card (owner is its ASN), or records of a terminal.

    ``estimate_fen`` is what the card's balances say that the missing debits cost, where they say it.
    """

    kind: str
    owner: str
    first: int
    last: int
    estimate_fen: int | None
    opened_run: int


@attrs.frozen(kw_only=True)
class Status:
    """Where clearing stands. ``open_run`` was interrupted; the next call of ``clear`` finishes it.

    ``held`` counts the records that runs hold and a later one takes up again, by code.
    """

    last_run: int
    open_run: int | None
    waiting_records: int
    files: tuple[FileTotal, ...]
    missing: tuple[Missing, ...]
    card_gaps: int
    terminal_gaps: int
    held: tuple[tuple[str, int], ...] = ()


def status(context: ClearingContext) -> Status:
    """Say where clearing stands."""
    with reading(context.engine) as conn:
        newest = select(clearing_run.c.state, func.max(clearing_run.c.number)).group_by(clearing_run.c.state)
        runs = {row[0]: int(row[1]) for row in conn.execute(newest)}
        closed = select(func.coalesce(func.max(clearing_run.c.watermark), 0)).where(
            clearing_run.c.state == "closed"
        )
        waiting = select(func.coalesce(func.sum(segment.c.records), 0)).where(
            segment.c.intake > closed.scalar_subquery()
        )
        gaps = select(gap.c.kind, func.count()).where(gap.c.closed_run.is_(None)).group_by(gap.c.kind)
        counts = {row[0]: int(row[1]) for row in conn.execute(gaps)}
        held = (
            select(held_record.c.code, func.count())
            .where(held_record.c.decided_run.is_(None))
            .group_by(held_record.c.code)
            .order_by(held_record.c.code)
        )
        files = conn.execute(
            select(
                batch_file.c.state,
                batch_file.c.code,
                func.count(),
                func.sum(batch_file.c.records),
                func.sum(batch_file.c.amount_fen),
            )
            .group_by(batch_file.c.state, batch_file.c.code)
            .order_by(batch_file.c.state, batch_file.c.code)
        )
        return Status(
            last_run=runs.get("closed", 0),
            open_run=runs.get("open"),
            waiting_records=int(conn.scalar(waiting) or 0),
            files=tuple(
                FileTotal(
                    state=FileState(state),
                    code=FileCode(code),
                    files=count,
                    records=int(records),
                    amount_fen=int(amount_fen),
                )
                for state, code, count, records, amount_fen in files
            ),
            missing=missing_batches(conn),
            card_gaps=counts.get("card", 0),
            terminal_gaps=counts.get("terminal", 0),
            held=tuple((code, int(records)) for code, records in conn.execute(held)),
        )


def open_gaps(
    context: ClearingContext, *, owner: str | None = None, limit: int = 1000
) -> tuple[OpenGap, ...]:
    """List open gaps, of one card or terminal or of all, by kind and owner."""
    query = select(gap).where(gap.c.closed_run.is_(None)).order_by(gap.c.kind, gap.c.owner, gap.c.from_no)
    if owner is not None:
        query = query.where(gap.c.owner == owner)
    with reading(context.engine) as conn:
        return tuple(
            OpenGap(
                kind=row.kind,
                owner=row.owner,
                first=row.from_no,
                last=row.to_no,
                estimate_fen=row.estimate_fen,
                opened_run=row.opened_run,
            )
            for row in conn.execute(query.limit(limit))
        )
