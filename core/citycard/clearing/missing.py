"""Which batches must exist and have not arrived: holes in a terminal's numbers, and lines of manifests."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Column, Connection, Table, and_, func, select

from citycard.clearing.codes import FileState
from citycard.clearing.reports import Missing
from citycard.clearing.senttables import sent_file
from citycard.clearing.tables import batch_file, manifest_line

__all__ = ["missing_batches"]

# A terminal whose counter broke must not fill everybody's reports with four billion lines.
_MOST_OF_A_HOLE = 1000


def missing_batches(conn: Connection) -> tuple[Missing, ...]:
    """List every missing batch by terminal and number; one that a manifest knows too stands there once.

    Senders count their files, and terminals their batches, from 1, so that the first ones can be missing too.
    Of each hole only the first 1000 numbers are listed.
    """
    of_terminals = [
        Missing(terminal=terminal, number=number, announced="the terminal's numbers")
        for terminal, number in _holes(conn, batch_file, batch_file.c.terminal)
    ]
    of_senders = [
        Missing(terminal="", sender=name, number=number, announced="the sender's numbers")
        for name, number in _holes(conn, sent_file, sent_file.c.sender)
    ]
    missing = [*of_terminals, *of_senders, *_announced(conn)]
    found = {(one.terminal, one.sender, one.number): one for one in missing}
    return tuple(found[key] for key in sorted(found))


def _holes(conn: Connection, table: Table, owner: Column[str]) -> Iterator[tuple[str, int]]:
    """Give the numbers that are missing before the last of each owner."""
    before = func.coalesce(func.lag(table.c.number).over(partition_by=owner, order_by=table.c.number), 0)
    accepted = table.c.state == FileState.ACCEPTED.value
    numbered = select(owner.label("owner"), table.c.number, before.label("before")).where(accepted).subquery()
    for row in conn.execute(select(numbered).where(numbered.c.number > numbered.c.before + 1)):
        for number in range(row.before + 1, min(row.number, row.before + 1 + _MOST_OF_A_HOLE)):
            yield row.owner, number


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
