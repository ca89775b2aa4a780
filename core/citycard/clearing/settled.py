"""Debits that people decided: whatever comes of the same debit later, no run pays it again.

A record that waits is taken up no more. A copy of what was decided, and another record of the same card and
counter, end as duplicate or conflict where they would have been paid.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

import numpy as np
from sqlalchemy import Connection, func, insert, select, update

from citycard.clearing.bucket import Bucket
from citycard.clearing.casetables import clearing_settled
from citycard.clearing.codes import Code
from citycard.clearing.columns import bucket_of
from citycard.clearing.context import ClearingContext
from citycard.clearing.finding import find_record
from citycard.clearing.held import is_record
from citycard.clearing.tables import held_record
from citycard.clearing.verdicts import ACCEPTED, HELD, NUMBERS, Verdicts

__all__ = ["Settled", "judge_settled", "settle", "settled_count", "settled_of"]

Settled = Mapping[str, Mapping[int, frozenset[bytes]]]
"""The bytes of records that people decided, by ASN and counter."""


def settle(context: ClearingContext, conn: Connection, record: str) -> None:
    """Note that people decide a record, in their transaction, which has locked the decisions."""
    found = find_record(context, conn, record)
    waits = update(held_record).where(
        is_record((found.terminal, found.number, found.line)), held_record.c.decided_run.is_(None)
    )
    conn.execute(waits.values(decided_run=held_record.c.run, decided_code=held_record.c.code))
    known = select(clearing_settled.c.record).where(clearing_settled.c.record == found.id)
    if found.record is not None and conn.scalar(known) is None:
        row = {
            "record": found.id,
            "bucket": bucket_of(found.record.asn),
            "asn": found.record.asn,
            "counter": found.record.counter,
            "raw": found.raw,
        }
        conn.execute(insert(clearing_settled), row)


def settled_count(conn: Connection) -> int:
    """Count the records that people decided, to see whether more were since."""
    return conn.scalar(select(func.count()).select_from(clearing_settled)) or 0


def settled_of(conn: Connection, bucket: Bucket) -> Settled:
    """Give what people decided of the cards of a bucket."""
    rows = conn.execute(select(clearing_settled).where(clearing_settled.c.bucket == bucket.number)).all()
    cards = frozenset(bucket.asns) if rows else frozenset()
    found: dict[str, dict[int, frozenset[bytes]]] = defaultdict(dict)
    for row in rows:
        if row.asn in cards:
            found[row.asn][row.counter] = found[row.asn].get(row.counter, frozenset()) | {row.raw}
    return dict(found)


def judge_settled(bucket: Bucket, verdicts: Verdicts, settled: Settled) -> None:
    """Let what would be paid, or wait to be, of a debit that people decided end as copy or as conflict."""
    if not settled:
        return
    final = verdicts.final()
    concerned = np.array([asn in settled for asn in bucket.asns], bool)[bucket.card]
    for place in np.flatnonzero(concerned & (ACCEPTED[final] | HELD[final])).tolist():
        record = bucket.records[place]
        raws = settled[bucket.asns[bucket.card[place]]].get(int(record["counter"]))
        if raws:
            verdicts.codes[place] = NUMBERS[Code.D04 if record.tobytes() in raws else Code.D02]
