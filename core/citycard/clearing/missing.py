"""Which batches must exist and have not arrived: holes in a terminal's numbers, and lines of manifests.

What is missing is kept as batches come. Whoever receives looks at what came and at what is missing, and not
at all that ever came.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import itemgetter

from sqlalchemy import Connection, and_, bindparam, delete, select, tuple_, update

from citycard.clearing.codes import FileState
from citycard.clearing.reports import Missing
from citycard.clearing.tables import (
    batch_file,
    clearing_awaited,
    clearing_counted,
    clearing_hole,
    manifest_line,
)
from citycard.store.bulk import insert_rows, select_in

__all__ = ["await_batches", "counted_on", "missing_batches", "note_batches", "note_files"]

# A terminal whose counter broke must not fill everybody's reports with four billion lines.
_MOST_OF_A_HOLE = 1000

Hole = tuple[int, int]


def missing_batches(conn: Connection) -> tuple[Missing, ...]:
    """List every missing batch by terminal and number; one that a manifest knows too stands there once.

    Senders count their files, and terminals their batches, from 1, so that the first ones can be missing too.
    Of each hole only the first 1000 numbers are listed.
    """
    missing = []
    for row in conn.execute(select(clearing_hole)):
        terminal, name = (row.owner, "") if row.kind == "terminal" else ("", row.owner)
        missing += [
            Missing(terminal=terminal, sender=name, number=number, announced=f"the {row.kind}'s numbers")
            for number in range(row.from_no, min(row.to_no + 1, row.from_no + _MOST_OF_A_HOLE))
        ]
    found = {(one.terminal, one.sender, one.number): one for one in [*missing, *_announced(conn)]}
    return tuple(found[key] for key in sorted(found))


def _announced(conn: Connection) -> list[Missing]:
    same = [clearing_awaited.c[key.name] == key for key in manifest_line.primary_key]
    query = (
        select(manifest_line)
        .join(clearing_awaited, and_(*same))
        .order_by(clearing_awaited.c.collector, clearing_awaited.c.manifest)
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


# ── as they come ─────────────────────────────────────────────────────────────────────────────────


def await_batches(
    conn: Connection, collector: str, manifest: int, batches: Iterable[tuple[str, int]]
) -> None:
    """Note which batches a new manifest announces that were not accepted yet."""
    keys = sorted(set(batches))
    query = select(batch_file.c.terminal, batch_file.c.number)
    query = query.where(batch_file.c.state == FileState.ACCEPTED.value)
    pairs = tuple_(batch_file.c.terminal, batch_file.c.number)
    there = {(row.terminal, row.number) for row in select_in(conn, query, pairs, keys)}
    names = ["collector", "manifest", "terminal", "number"]
    insert_rows(
        conn, clearing_awaited, names, [(collector, manifest, *key) for key in keys if key not in there]
    )


def note_batches(conn: Connection, accepted: Sequence[tuple[str, int]]) -> None:
    """Note batches that were accepted, by terminal and number."""
    _note(conn, "terminal", accepted)
    if accepted and conn.execute(select(clearing_awaited).limit(1)).first():
        came = delete(clearing_awaited).where(
            clearing_awaited.c.terminal == bindparam("came_terminal"),
            clearing_awaited.c.number == bindparam("came_number"),
        )
        conn.execute(came, [{"came_terminal": one, "came_number": number} for one, number in accepted])


def note_files(conn: Connection, accepted: Sequence[tuple[str, int]]) -> None:
    """Note files that senders signed and that were accepted, by sender and number."""
    _note(conn, "sender", accepted)


def _note(conn: Connection, kind: str, accepted: Iterable[tuple[str, int]]) -> None:
    came: dict[str, list[int]] = defaultdict(list)
    for owner, number in accepted:
        came[owner].append(number)
    owners = sorted(came)
    query = select(clearing_counted).where(clearing_counted.c.kind == kind)
    last = {row.owner: row.last_no for row in select_in(conn, query, clearing_counted.c.owner, owners)}
    query = select(clearing_hole).where(clearing_hole.c.kind == kind)
    holes: dict[str, list[Hole]] = defaultdict(list)
    for row in select_in(conn, query, clearing_hole.c.owner, owners):
        holes[row.owner].append((row.from_no, row.to_no))
    now = {owner: counted_on(last.get(owner, 0), holes[owner], came[owner]) for owner in owners}
    _write_last(conn, kind, last, {owner: number for owner, (number, _) in now.items()})
    before = {(owner, *hole) for owner in owners for hole in holes[owner]}
    after = {(owner, *hole) for owner in owners for hole in now[owner][1]}
    _write_holes(conn, kind, sorted(before - after), sorted(after - before))


def _write_last(conn: Connection, kind: str, before: dict[str, int], now: dict[str, int]) -> None:
    new = [(kind, owner, number) for owner, number in now.items() if owner not in before]
    insert_rows(conn, clearing_counted, ["kind", "owner", "last_no"], new)
    moved = [
        {"whose": owner, "last_no": number}
        for owner, number in now.items()
        if owner in before and before[owner] != number
    ]
    if moved:
        of_owner = and_(clearing_counted.c.kind == kind, clearing_counted.c.owner == bindparam("whose"))
        conn.execute(
            update(clearing_counted).where(of_owner).values(last_no=bindparam("last_no")),
            moved,
        )


def _write_holes(
    conn: Connection, kind: str, gone: list[tuple[str, int, int]], new: list[tuple[str, int, int]]
) -> None:
    if gone:
        one = and_(
            clearing_hole.c.kind == kind,
            clearing_hole.c.owner == bindparam("whose"),
            clearing_hole.c.from_no == bindparam("begins"),
        )
        conn.execute(
            delete(clearing_hole).where(one), [{"whose": owner, "begins": first} for owner, first, _ in gone]
        )
    insert_rows(conn, clearing_hole, ["kind", "owner", "from_no", "to_no"], [(kind, *hole) for hole in new])


def counted_on(last: int, holes: Iterable[Hole], numbers: Iterable[int]) -> tuple[int, list[Hole]]:
    """Count numbers in: give the last one and the holes, first and last number, that are left before it."""
    left = sorted(holes)
    for number in sorted(numbers):
        if number > last:
            if number > last + 1:
                left.append((last + 1, number - 1))
            last = number
            continue
        place = bisect_right(left, number, key=itemgetter(0)) - 1
        if place >= 0 and number <= left[place][1]:
            first, end = left[place]
            parts = ((first, number - 1), (number + 1, end))
            left[place : place + 1] = [part for part in parts if part[0] <= part[1]]
    return last, left
