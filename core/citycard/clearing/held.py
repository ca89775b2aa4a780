"""Records that a run holds, as what would decide them is still to come, and that later runs take up again.

Where a run let a record end is never written over: a later run that decides it writes an outcome of its own,
which names the run that held it. Rows in the database say which records are held now.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import TYPE_CHECKING

import attrs
import numpy as np
from sqlalchemy import ColumnElement, Connection, and_, func, or_, select, update

from citycard.clearing.bucket import Bucket
from citycard.clearing.codes import Code
from citycard.clearing.columns import Array, records_of, slice_of
from citycard.clearing.tables import held_record
from citycard.clearing.verdicts import CODES, HELD
from citycard.store.bulk import chunks, insert_rows

if TYPE_CHECKING:
    from citycard.clearing.judge import Judged

__all__ = [
    "DEFERRED",
    "DecidedRecord",
    "HeldChanged",
    "HeldRecord",
    "decided",
    "decided_by",
    "deferred_buckets",
    "held_of",
    "is_record",
    "newly_held",
    "taken_up",
    "write_held",
]


DEFERRED = Code.T03.name
"""The code of what waits for a key, and not for its card."""


@attrs.frozen(kw_only=True)
class HeldRecord:
    """A record that a run held: where it came in, its 128 bytes, and the code that holds it."""

    terminal: str
    batch_number: int
    line: int
    bucket: int
    asn: str
    raw: bytes
    business_date: date
    code: str
    run: int


@attrs.frozen
class DecidedRecord:
    """A held record, by where it came in, and the code with which a later run decided it."""

    terminal: str
    batch_number: int
    line: int
    code: str


class HeldChanged(Exception):
    """What a run judged was decided or given up by people meanwhile: it must be judged again."""


# ── while a bucket is judged ─────────────────────────────────────────────────────────────────────


def taken_up(bucket: Bucket, held: Sequence[HeldRecord]) -> Bucket:
    """Put held records among the new ones of a bucket."""
    if not held:
        return bucket
    return Bucket(
        number=bucket.number,
        slices=bucket.slices,
        # As bytes: NumPy would leave out what no field has.
        records=records_of(b"".join([bucket.records.tobytes(), *(one.raw for one in held)])),
        readable=np.r_[bucket.readable, np.ones(len(held), bool)],
        signer=np.r_[bucket.signer, np.array([int(one.terminal) for one in held], np.int64)],
        batch=np.r_[bucket.batch, np.array([one.batch_number for one in held], np.int64)],
        line=np.r_[bucket.line, np.array([one.line for one in held], np.int32)],
        day=np.r_[bucket.day, np.array([one.business_date for one in held], "datetime64[D]")],
        # Whose MAC did not hold was not held.
        mac_holds=np.r_[bucket.mac_holds, np.ones(len(held), bool)],
        held_run=np.r_[bucket.held_run, np.array([one.run for one in held], np.int32)],
    )


def newly_held(run: int, judged: Judged) -> tuple[HeldRecord, ...]:
    """Give the new records of a judged bucket that are held."""
    bucket = judged.bucket
    return tuple(
        HeldRecord(
            terminal=terminal,
            batch_number=batch,
            line=line,
            bucket=bucket.number,
            asn=bucket.asns[bucket.card[place]],
            raw=bucket.records[place].tobytes(),
            business_date=bucket.day[place].item(),
            code=CODES[judged.final[place]].name,
            run=run,
        )
        for place in np.flatnonzero(HELD[judged.final] & (bucket.held_run == 0)).tolist()
        for terminal, batch, line in [_place(bucket, place)]
    )


def decided(judged: Judged) -> tuple[DecidedRecord, ...]:
    """Give the records of a judged bucket that were held before and are not any longer."""
    places = np.flatnonzero(~HELD[judged.final] & (judged.bucket.held_run > 0)).tolist()
    return tuple(
        DecidedRecord(*_place(judged.bucket, place), CODES[judged.final[place]].name) for place in places
    )


def _place(bucket: Bucket, place: int) -> tuple[str, int, int]:
    columns: tuple[Array, ...] = (bucket.signer, bucket.batch, bucket.line)
    signer, batch, line = (int(column[place]) for column in columns)
    return f"{signer:012d}", batch, line


# ── in the database ──────────────────────────────────────────────────────────────────────────────

_NAMES = ("terminal", "batch_number", "line", "bucket", "asn", "raw", "business_date", "code", "run")


def deferred_buckets(conn: Connection) -> dict[int, int]:
    """Give the buckets with records that wait for a key, and how many."""
    query = select(held_record.c.bucket, func.count().label("waiting")).where(
        held_record.c.code == DEFERRED, held_record.c.decided_run.is_(None)
    )
    return {row.bucket: row.waiting for row in conn.execute(query.group_by(held_record.c.bucket))}


def held_of(conn: Connection, bucket: Bucket, *, all_keys: bool) -> list[HeldRecord]:
    """Read the held records of the cards that are in a bucket, or have one that waited for a key.

    ``all_keys`` says that every key can be used.
    """
    query = select(*(held_record.c[name] for name in _NAMES)).where(
        held_record.c.bucket == bucket.number, held_record.c.decided_run.is_(None)
    )
    rows = [row for row in conn.execute(query) if slice_of(row.asn) in bucket.slices]
    if not rows:
        return []
    cards = frozenset(bucket.asns) | {row.asn for row in rows if all_keys and row.code == DEFERRED}
    return [HeldRecord(**row._mapping) for row in rows if row.asn in cards]  # noqa: SLF001 - a Row's own way


def write_held(
    conn: Connection, run: int, held: Sequence[HeldRecord], decided: Iterable[DecidedRecord]
) -> None:
    """Write down what a run holds, and what it decided of the records that earlier runs held.

    Raise HeldChanged when people decided one of these since the run read them.
    """
    insert_rows(conn, held_record, _NAMES, [tuple(getattr(one, name) for name in _NAMES) for one in held])
    by_code: dict[str, list[DecidedRecord]] = {}
    for one in decided:
        by_code.setdefault(one.code, []).append(one)
    for code, some in sorted(by_code.items()):
        for piece in chunks(some, 300):
            named = or_(*(is_record((one.terminal, one.batch_number, one.line)) for one in piece))
            waiting = update(held_record).where(held_record.c.decided_run.is_(None), named)
            done = conn.execute(waiting.values(decided_run=run, decided_code=code))
            if done.rowcount != len(piece):
                raise HeldChanged


def decided_by(conn: Connection, terminal: str, number: int, line: int) -> int | None:
    """Give the run that decided a record which an earlier one held; None for any other record."""
    query = select(held_record.c.decided_run).where(is_record((terminal, number, line)))
    found: int | None = conn.scalar(query)
    return found


def is_record(key: tuple[str, int, int]) -> ColumnElement[bool]:
    """Say of a held record's row that it is the one of a terminal's batch and line."""
    terminal, number, line = key
    return and_(
        held_record.c.terminal == terminal,
        held_record.c.batch_number == number,
        held_record.c.line == line,
    )
