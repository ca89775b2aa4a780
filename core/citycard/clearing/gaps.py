"""Write down what is missing: counters of cards, and sequence numbers of terminals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, func, insert, select, tuple_, update

from citycard.clearing.casetables import clearing_decision
from citycard.clearing.codes import FileState
from citycard.clearing.held import HeldChanged
from citycard.clearing.sequence import Gap
from citycard.clearing.tables import batch_file, clearing_run, gap
from citycard.ids import derived_id
from citycard.store.bulk import chunks, select_in
from citycard.store.engine import write_alone

__all__ = ["write_card_gaps", "write_off_card_gaps", "write_terminal_gaps"]


def write_card_gaps(
    conn: Connection, run: int, gaps: Mapping[str, tuple[Sequence[Gap], Sequence[Gap]]]
) -> None:
    """Write the changes of the cards' gaps: by ASN, those open before the run and those open after it.

    Raise HeldChanged when people gave one of them up since the run read them.
    """
    opened, closed = [], []
    for asn, (before, after) in sorted(gaps.items()):
        closed += [(asn, one.first, one.last) for one in before if one not in after]
        opened += [
            _row("card", asn, one.first, one.last, one.estimate_fen, run)
            for one in after
            if one not in before
        ]
    if _close(conn, "card", closed, run) < len(closed):
        raise HeldChanged
    if opened:
        conn.execute(insert(gap), opened)


def write_off_card_gaps(
    conn: Connection, asns: Sequence[str], *, actor: str, reason: str, at: datetime
) -> int:
    """Give up the open gaps of cards (20 digits) and return how many: what still comes of them has C02.

    They are closed by the last run that was closed; who gave them up, why, and when (``at``, with its time
    zone) is kept with them.
    """
    # No run is closed meanwhile that opens again what is given up.
    write_alone(conn, clearing_decision)
    run = conn.scalar(
        select(func.coalesce(func.max(clearing_run.c.number), 0)).where(clearing_run.c.state == "closed")
    )
    given_up = {
        "closed_run": run,
        "written_off_by": actor[:100],
        "written_off_reason": reason[:300],
        "written_off_at": at,
    }
    closed = 0
    for piece in chunks(asns):
        of_cards = update(gap).where(gap.c.kind == "card", gap.c.closed_run.is_(None), gap.c.owner.in_(piece))
        closed += conn.execute(of_cards.values(given_up)).rowcount
    return closed


def write_terminal_gaps(conn: Connection, run: int, watermark: int) -> dict[str, int]:
    """Compare the sequence numbers of every terminal's batches, open and close its gaps, count what is odd.

    Return Q01, the record numbers missing now, and Q02, the batches that began before the one before them
    ended.
    """
    now, resets = _holes(conn, watermark)
    before = {
        (row.owner, row.from_no, row.to_no)
        for row in conn.execute(select(gap).where(gap.c.kind == "terminal", gap.c.closed_run.is_(None)))
    }
    _close(conn, "terminal", sorted(before - now), run)
    opened = [_row("terminal", *hole, None, run) for hole in sorted(now - before)]
    if opened:
        conn.execute(insert(gap), opened)
    return {"Q01": sum(last - first + 1 for _, first, last in now), "Q02": resets}


def _holes(conn: Connection, watermark: int) -> tuple[set[tuple[str, int, int]], int]:
    ended = batch_file.c.first_sequence + batch_file.c.records
    before = func.coalesce(
        func.lag(ended).over(partition_by=batch_file.c.terminal, order_by=batch_file.c.number), 1
    )
    ranges = (
        select(batch_file.c.terminal, batch_file.c.first_sequence, before.label("expected"))
        .where(batch_file.c.state == FileState.ACCEPTED.value, batch_file.c.intake <= watermark)
        .subquery()
    )
    rows = conn.execute(select(ranges).where(ranges.c.first_sequence != ranges.c.expected)).all()
    holes = {
        (row.terminal, row.expected, row.first_sequence - 1)
        for row in rows
        if row.first_sequence > row.expected
    }
    return holes, sum(row.first_sequence < row.expected for row in rows)


def _row(kind: str, owner: str, first: int, last: int, estimate_fen: int | None, run: int) -> dict[str, Any]:
    return {
        "id": derived_id("gap", kind, owner, first, last, run),
        "kind": kind,
        "owner": owner,
        "from_no": first,
        "to_no": last,
        "estimate_fen": estimate_fen,
        "opened_run": run,
        "closed_run": None,
    }


def _close(conn: Connection, kind: str, keys: Sequence[tuple[str, int, int]], run: int) -> int:
    is_open = gap.c.closed_run.is_(None)
    key = tuple_(gap.c.owner, gap.c.from_no, gap.c.to_no)
    query = select(gap.c.id).where(gap.c.kind == kind, is_open)
    found = [row.id for row in select_in(conn, query, key, keys)]
    closing = update(gap).where(is_open).values(closed_run=run)
    return sum(conn.execute(closing.where(gap.c.id.in_(piece))).rowcount for piece in chunks(found))
