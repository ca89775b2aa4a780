"""Receive batch files: say where each ended, keep its bytes, and put its records where clearing finds them.

Nothing counts until the rows are committed, in one transaction for the whole call. The Parquet segments and
the archive are written before and named after the files they hold, so that a call that broke off anywhere
is simply made again.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final

import attrs
from sqlalchemy import Connection, insert, select, tuple_, update

from citycard.clearing.codes import FileState
from citycard.clearing.columns import bucket_numbers, record_columns, records_of
from citycard.clearing.context import ClearingContext
from citycard.clearing.delivery import Delivery, File, KnownFiles, read_files, sort_out
from citycard.clearing.manifest import Manifest, read_manifest
from citycard.clearing.missing import missing_batches
from citycard.clearing.reports import IntakeReport
from citycard.clearing.tables import batch_file, clearing_clock, manifest, manifest_line, segment
from citycard.errors import IntakeContended, ManifestConflict
from citycard.registry.records import TerminalStatus
from citycard.registry.tables import terminal
from citycard.store.bulk import insert_missing, select_in
from citycard.store.engine import reading, writing

__all__ = ["receive"]

_ATTEMPTS: Final = 8


def receive(
    context: ClearingContext,
    files: Iterable[File],
    manifest: str | bytes | Mapping[str, Any] | Manifest | None = None,
) -> IntakeReport:
    """Take in batch files, given as paths or as pairs of name and bytes, and say where each one ended.

    ``manifest`` is the collector's list of what was to come (docs/clearing.md). The same call made again,
    after a crash or by mistake, changes nothing but the log of files received. Raise ManifestInvalid,
    ManifestConflict, or IntakeContended when other calls never let this one in.
    """
    announced = None if manifest is None else read_manifest(manifest)
    deliveries = list(read_files(files))
    if not deliveries and announced is None:
        return _report(context, None, deliveries)
    for _ in range(_ATTEMPTS):
        with reading(context.engine) as conn:
            turn = conn.scalar(select(clearing_clock.c.intake)) or 0
            known = _known(conn, deliveries, announced)
        sort_out(deliveries, known, context.vault.check_terminal_mac)
        kept = _keep(context.folder, deliveries)
        if _commit(context, turn, deliveries, announced, kept):
            return _report(context, turn + 1, deliveries)
    raise IntakeContended(attempts=_ATTEMPTS)


def _report(context: ClearingContext, intake: int | None, deliveries: Sequence[Delivery]) -> IntakeReport:
    with reading(context.engine) as conn:
        missing = missing_batches(conn)
    return IntakeReport(
        intake=intake, files=tuple(delivery.outcome() for delivery in deliveries), missing=missing
    )


def _known(conn: Connection, deliveries: Sequence[Delivery], announced: Manifest | None) -> KnownFiles:
    headers = [delivery.batch.header for delivery in deliveries if delivery.batch]
    numbers = sorted({header.terminal for header in headers})
    query = select(terminal.c.number, terminal.c.status)
    found = {row.number: row.status for row in select_in(conn, query, terminal.c.number, numbers)}
    files = select(batch_file.c.terminal, batch_file.c.number, batch_file.c.digest).where(
        batch_file.c.state == FileState.ACCEPTED.value
    )
    keys = {(header.terminal, header.number) for header in headers}
    digests: dict[tuple[str, int], set[str]] = defaultdict(set)
    lines = select(manifest_line.c.terminal, manifest_line.c.number, manifest_line.c.digest)
    for row in select_in(conn, lines, tuple_(manifest_line.c.terminal, manifest_line.c.number), sorted(keys)):
        digests[row.terminal, row.number].add(row.digest)
    for line in announced.batches if announced else ():
        digests[line.terminal, line.number].add(line.sha256)
    pairs = tuple_(batch_file.c.terminal, batch_file.c.number)
    return KnownFiles(
        terminals=frozenset(found),
        revoked=frozenset(number for number, status in found.items() if status == TerminalStatus.REVOKED),
        accepted={
            (row.terminal, row.number): row.digest for row in select_in(conn, files, pairs, sorted(keys))
        },
        announced={key: frozenset(values) for key, values in digests.items()},
    )


# ── what is kept ─────────────────────────────────────────────────────────────────────────────────


@attrs.frozen(kw_only=True)
class _Kept:
    """The files written for a call: the archive of its bytes, and the rows of its segments."""

    archive: str
    segments: list[dict[str, Any]]


def _keep(folder: Path, deliveries: Sequence[Delivery]) -> _Kept:
    from citycard.clearing.files import write_archive, write_table

    new = [delivery for delivery in deliveries if delivery.state is not FileState.DUPLICATE]
    if not new:
        return _Kept(archive="", segments=[])
    accepted = [delivery for delivery in new if delivery.state is FileState.ACCEPTED]
    listing = "\n".join(f"{delivery.digest} {delivery.state}" for delivery in new)
    name = hashlib.sha256(listing.encode()).hexdigest()[:32]
    archive = f"batches/{name}.zip"
    write_archive(folder / archive, {delivery.digest: delivery.data for delivery in new}.items())
    segments = []
    for day, bucket, table in _segments(accepted):
        path = f"records/date={day}/bucket={bucket:02d}/{name}.parquet"
        write_table(folder / path, table)
        segments.append({"path": path, "business_date": day, "bucket": bucket, "records": table.num_rows})
    return _Kept(archive=archive, segments=segments)


def _segments(accepted: Sequence[Delivery]) -> Iterator[tuple[date, int, Any]]:
    by_day: dict[date, list[Any]] = defaultdict(list)
    for delivery in accepted:
        assert delivery.batch is not None
        by_day[delivery.batch.header.business_date].append(delivery.batch)
    for day in sorted(by_day):
        yield from _day_segments(day, by_day[day])


def _day_segments(day: date, batches: Sequence[Any]) -> Iterator[tuple[date, int, Any]]:
    import numpy as np
    import pyarrow as pa

    records = records_of([record for batch in batches for record in batch.records])
    sizes = [len(batch.records) for batch in batches]
    signers = pa.array([batch.header.terminal for batch in batches], pa.string())
    numbers = pa.array([batch.header.number for batch in batches], pa.int64())
    whose = pa.array(np.repeat(np.arange(len(batches)), sizes))
    columns = record_columns(records) | {
        "batch_terminal": signers.take(whose),
        "batch_number": numbers.take(whose),
        "line": pa.array(np.concatenate([np.arange(1, size + 1, dtype=np.int32) for size in sizes])),
    }
    table, buckets = pa.table(columns), bucket_numbers(records)
    for bucket in np.unique(buckets):
        yield day, int(bucket), table.take(pa.array(np.flatnonzero(buckets == bucket)))


# ── what is committed ────────────────────────────────────────────────────────────────────────────


def _commit(
    context: ClearingContext,
    turn: int,
    deliveries: Sequence[Delivery],
    announced: Manifest | None,
    kept: _Kept,
) -> bool:
    """Write the rows if no other call came between; its row stays held until the commit."""
    now = context.clock.now()
    with writing(context.engine) as conn:
        if not _take_turn(conn, turn):
            return False
        if announced is not None:
            _announce(conn, announced, now)
        rows = [
            _row(delivery, kept.archive) | {"intake": turn + 1, "position": position, "received_at": now}
            for position, delivery in enumerate(deliveries)
        ]
        if rows:
            conn.execute(insert(batch_file), rows)
        if kept.segments:
            conn.execute(insert(segment), [row | {"intake": turn + 1} for row in kept.segments])
    return True


def _take_turn(conn: Connection, turn: int) -> bool:
    if turn == 0:
        insert_missing(conn, clearing_clock, [{"id": 1, "intake": 0}])
    moved = conn.execute(
        update(clearing_clock).where(clearing_clock.c.intake == turn).values(intake=turn + 1)
    )
    return moved.rowcount == 1


def _announce(conn: Connection, announced: Manifest, now: Any) -> None:
    key = {"collector": announced.collector, "number": announced.number}
    before = conn.scalar(
        select(manifest.c.digest).where(
            manifest.c.collector == announced.collector, manifest.c.number == announced.number
        )
    )
    if before == announced.digest:
        return
    if before is not None:
        raise ManifestConflict(**key)
    conn.execute(insert(manifest), key | {"digest": announced.digest, "received_at": now})
    lines = [
        {
            "collector": announced.collector,
            "manifest": announced.number,
            "terminal": line.terminal,
            "number": line.number,
            "digest": line.sha256,
            "records": line.records,
            "amount_fen": line.amount_fen,
        }
        for line in announced.batches
    ]
    if lines:
        conn.execute(insert(manifest_line), lines)


def _row(delivery: Delivery, archive: str) -> dict[str, Any]:
    outcome = delivery.outcome()
    header = delivery.batch.header if delivery.batch else None
    return {
        "name": outcome.name,
        "digest": outcome.digest,
        "state": outcome.state.value,
        "code": outcome.code.value,
        "reason": outcome.reason,
        "terminal": outcome.terminal,
        "number": outcome.number,
        "first_sequence": header.first_sequence if header else None,
        "records": outcome.records,
        "amount_fen": outcome.amount_fen,
        "business_date": header.business_date if header else None,
        "created_at": header.created_at if header else None,
        "archive": "" if delivery.state is FileState.DUPLICATE else archive,
    }
