"""Which batches must exist and have not arrived: holes in a terminal's numbers, and lines of manifests."""

from __future__ import annotations

from sqlalchemy import Connection, and_, func, select

from citycard.clearing.codes import FileState
from citycard.clearing.reports import Missing
from citycard.clearing.tables import batch_file, manifest_line

__all__ = ["missing_batches"]

# A terminal whose counter broke must not fill everybody's reports with four billion lines.
_MOST_OF_A_HOLE = 1000


def missing_batches(conn: Connection) -> tuple[Missing, ...]:
    """List every missing batch by terminal and number; one that a manifest knows too stands there once.

    Terminals count their batches from 1, so that the first ones can be missing too. Of each hole in a
    terminal's numbers only the first 1000 are listed.
    """
    found = {(missing.terminal, missing.number): missing for missing in [*_holes(conn), *_announced(conn)]}
    return tuple(found[key] for key in sorted(found))


def _holes(conn: Connection) -> list[Missing]:
    accepted = batch_file.c.state == FileState.ACCEPTED.value
    before = func.coalesce(
        func.lag(batch_file.c.number).over(partition_by=batch_file.c.terminal, order_by=batch_file.c.number),
        0,
    )
    numbered = (
        select(batch_file.c.terminal, batch_file.c.number, before.label("before")).where(accepted).subquery()
    )
    holes = select(numbered).where(numbered.c.number > numbered.c.before + 1)
    return [
        Missing(terminal=row.terminal, number=number, announced="the terminal's numbers")
        for row in conn.execute(holes)
        for number in range(row.before + 1, min(row.number, row.before + 1 + _MOST_OF_A_HOLE))
    ]


def _announced(conn: Connection) -> list[Missing]:
    arrived = and_(
        batch_file.c.terminal == manifest_line.c.terminal,
        batch_file.c.number == manifest_line.c.number,
        batch_file.c.state == FileState.ACCEPTED.value,
    )
    query = (
        select(manifest_line)
        .outerjoin(batch_file, arrived)
        .where(batch_file.c.digest.is_(None))
        .order_by(manifest_line.c.collector, manifest_line.c.manifest)
    )
    return [
        Missing(
            terminal=row.terminal,
            number=row.number,
            announced=f"manifest {row.manifest} of {row.collector}",
            records=row.records,
            amount_fen=row.amount_fen,
        )
        for row in conn.execute(query)
    ]
