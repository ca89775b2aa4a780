"""Take in a portion of files: sort them out, keep what they hold, and commit that in one transaction."""

from __future__ import annotations

from concurrent.futures import Future
from typing import Any, Final

import attrs
from sqlalchemy import Connection, insert, select, update

from citycard.clearing.codes import FileState
from citycard.clearing.context import ClearingContext
from citycard.clearing.delivery import Delivery, KnownFiles, sort_out
from citycard.clearing.keeping import Kept, keep
from citycard.clearing.knownfiles import known_files
from citycard.clearing.manifest import Manifest
from citycard.clearing.missing import await_batches, note_batches, note_files
from citycard.clearing.sent import SentDelivery
from citycard.clearing.senttables import sent_file
from citycard.clearing.tables import batch_file, clearing_clock, manifest, manifest_line, segment
from citycard.errors import ManifestConflict
from citycard.store.bulk import insert_missing, insert_rows
from citycard.store.engine import reading, writing

__all__ = ["Taken", "take_in"]

# So often a portion is prepared while others may commit; after that it is prepared while it holds its turn.
_FREE_ATTEMPTS: Final = 3


@attrs.frozen(kw_only=True)
class Taken:
    """What was taken in: the number of the intake, senders' files and batches with where each ended."""

    intake: int
    sent: list[SentDelivery]
    batches: list[Delivery]


def take_in(
    context: ClearingContext,
    files: list[Delivery | SentDelivery],
    announced: Manifest | None = None,
    *,
    after: Future[Taken] | None = None,
) -> Taken:
    """Take in a portion, commit it after another one, if any; raise ManifestConflict, or what that raises.

    The files are written before the transaction. If another one was faster, what is known is read again, and
    only what differs is written again.
    """
    kept = None
    if after is not None:
        if not after.done():
            _, _, kept = _prepared(context, files, announced, None)
        after.result()
    for _ in range(_FREE_ATTEMPTS):
        turn, taken, kept = _prepared(context, files, announced, kept)
        with writing(context.engine) as conn:
            if _take_turn(conn, turn):
                _write(context, conn, taken, announced, kept)
                return taken
    with writing(context.engine) as conn:
        turn = _hold_turn(conn)
        known = known_files(conn, context, files, announced)
        taken, kept = _prepare(context, files, known, kept, turn)
        _write(context, conn, taken, announced, kept)
        return taken


def _prepared(
    context: ClearingContext,
    files: list[Delivery | SentDelivery],
    announced: Manifest | None,
    before: Kept | None,
) -> tuple[int, Taken, Kept]:
    """Prepare a portion by what is known now, and give the turn up to which that is."""
    with reading(context.engine) as conn:
        turn = conn.scalar(select(clearing_clock.c.intake)) or 0
        known = known_files(conn, context, files, announced)
    taken, kept = _prepare(context, files, known, before, turn + 1)
    return turn, taken, kept


def _prepare(
    context: ClearingContext,
    files: list[Delivery | SentDelivery],
    known: KnownFiles,
    before: Kept | None,
    intake: int,
) -> tuple[Taken, Kept]:
    sent, batches = sort_out(files, known, context.vault.check_terminal_mac)
    return Taken(intake=intake, sent=sent, batches=batches), keep(
        context.folder, sent, batches, context.vault, before
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
    context: ClearingContext, conn: Connection, taken: Taken, announced: Manifest | None, kept: Kept
) -> None:
    now = context.clock.now()
    if announced is not None:
        _announce(conn, announced, now)
    for table, made in (
        (sent_file, [_sent_row(one, kept.archive) for one in taken.sent]),
        (batch_file, [_row(one, kept.archive) for one in taken.batches]),
    ):
        rows = [
            row | {"intake": taken.intake, "position": position, "received_at": now}
            for position, row in enumerate(made)
        ]
        if rows:
            insert_rows(conn, table, list(rows[0]), [list(row.values()) for row in rows])
    accepted = [one.batch.header for one in taken.batches if one.batch and one.state is FileState.ACCEPTED]
    note_batches(conn, [(header.terminal, header.number) for header in accepted])
    note_files(conn, [(one.cover.sender, one.cover.number) for one in taken.sent if one.uses_number])
    if kept.segments:
        conn.execute(insert(segment), [row | {"intake": taken.intake} for row in kept.segments])


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
    await_batches(
        conn, announced.collector, announced.number, [(one.terminal, one.number) for one in announced.batches]
    )


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
        "sender": delivery.sent.cover.sender if delivery.vouched_for and delivery.sent else "",
    }


def _sent_row(sent: SentDelivery, archive: str) -> dict[str, Any]:
    return attrs.asdict(sent.outcome()) | {
        "state": sent.state.value,
        "code": sent.code.value,
        "problems": [attrs.asdict(problem) for problem in sent.outcome().problems],
        "archive": "" if sent.state is FileState.DUPLICATE else archive,
        "signed": bool(sent.cover.signature),
    }
