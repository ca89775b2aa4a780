"""Take in a portion of files: sort them out, keep what they hold, and commit that in one transaction."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Connection, insert, select, tuple_, update

from citycard.clearing.codes import FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.delivery import Delivery, KnownFiles, sort_out
from citycard.clearing.keeping import Kept, keep
from citycard.clearing.manifest import Manifest
from citycard.clearing.tables import batch_file, clearing_clock, manifest, manifest_line, segment
from citycard.errors import ManifestConflict
from citycard.registry.records import TerminalStatus
from citycard.registry.tables import terminal
from citycard.store.bulk import insert_missing, insert_rows, select_in
from citycard.store.engine import reading, writing

__all__ = ["take_in"]

# So often a portion is prepared while others may commit; after that it is prepared while it holds its turn.
_FREE_ATTEMPTS: Final = 3


def take_in(context: ClearingContext, deliveries: list[Delivery], announced: Manifest | None = None) -> int:
    """Take in a portion and return the number of its intake; where each file ended stands in ``deliveries``.

    The files are written before the transaction. If another one was faster, what is known is read again, and
    only what differs is written again. Raise ManifestConflict.
    """
    kept = None
    for _ in range(_FREE_ATTEMPTS):
        with reading(context.engine) as conn:
            turn = conn.scalar(select(clearing_clock.c.intake)) or 0
            known = _known(conn, deliveries, announced)
        kept = _prepare(context, deliveries, known, kept)
        with writing(context.engine) as conn:
            if _take_turn(conn, turn):
                _write(context, conn, turn + 1, deliveries, announced, kept)
                return turn + 1
    with writing(context.engine) as conn:
        turn = _hold_turn(conn)
        kept = _prepare(context, deliveries, _known(conn, deliveries, announced), kept)
        _write(context, conn, turn, deliveries, announced, kept)
        return turn


def _prepare(
    context: ClearingContext, deliveries: list[Delivery], known: KnownFiles, before: Kept | None
) -> Kept:
    sort_out(deliveries, known, context.vault.check_terminal_mac)
    return keep(context.folder, deliveries, before)


def _known(conn: Connection, deliveries: list[Delivery], announced: Manifest | None) -> KnownFiles:
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


# ── what is committed ────────────────────────────────────────────────────────────────────────────


def _take_turn(conn: Connection, turn: int) -> bool:
    """Take a turn if no other call came between; the row stays held until the commit."""
    if turn == 0:
        insert_missing(conn, clearing_clock, [{"id": 1, "intake": 0}])
    moved = conn.execute(
        update(clearing_clock).where(clearing_clock.c.intake == turn).values(intake=turn + 1)
    )
    return moved.rowcount == 1


def _hold_turn(conn: Connection) -> int:
    """Wait for the row, hold it until the commit, and return the turn taken."""
    insert_missing(conn, clearing_clock, [{"id": 1, "intake": 0}])
    conn.execute(update(clearing_clock).values(intake=clearing_clock.c.intake + 1))
    turn: int = conn.execute(select(clearing_clock.c.intake)).scalar_one()
    return turn


def _write(
    context: ClearingContext,
    conn: Connection,
    turn: int,
    deliveries: list[Delivery],
    announced: Manifest | None,
    kept: Kept,
) -> None:
    now = context.clock.now()
    if announced is not None:
        _announce(conn, announced, now)
    rows = [
        _row(delivery, kept.archive) | {"intake": turn, "position": position, "received_at": now}
        for position, delivery in enumerate(deliveries)
    ]
    if rows:
        insert_rows(conn, batch_file, list(rows[0]), [list(row.values()) for row in rows])
    if kept.segments:
        conn.execute(insert(segment), [row | {"intake": turn} for row in kept.segments])


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
