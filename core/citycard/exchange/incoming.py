"""Put the records of another city where clearing finds them, as intake does with those of our terminals.

They stand there under the city's code in place of a terminal, and the number of the file in place of a batch.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
from sqlalchemy import Connection, insert, select, update

from citycard.clearing.columns import bucket_numbers, record_columns, records_of
from citycard.clearing.files import write_named
from citycard.clearing.tables import clearing_clock, segment
from citycard.exchange.context import ExchangeContext
from citycard.exchange.format import ExchangeFile, SentRecord
from citycard.exchange.outgoing import city_signer
from citycard.registry.cities import note_list
from citycard.store.bulk import insert_missing

__all__ = ["take_records"]


def take_records(context: ExchangeContext, conn: Connection, file: ExchangeFile) -> int:
    """Keep the records of a file and give the intake under which clearing finds them."""
    header = file.header
    segments = _segments(context, file)
    note_list(conn, header.sender, "theirs", header.lists)
    intake = _turn(conn)
    if segments:
        conn.execute(insert(segment), [row | {"intake": intake} for row in segments])
    return intake


def _turn(conn: Connection) -> int:
    insert_missing(conn, clearing_clock, [{"id": 1, "intake": 0}])
    # The row stays held until the commit: who has read this intake has every one before it.
    conn.execute(update(clearing_clock).values(intake=clearing_clock.c.intake + 1))
    return int(conn.scalar(select(clearing_clock.c.intake)) or 0)


def _segments(context: ExchangeContext, file: ExchangeFile) -> list[dict[str, Any]]:
    by_day: dict[date, list[SentRecord]] = defaultdict(list)
    for line in file.lines:
        by_day[line.date].append(line)
    segments = []
    for day, lines in sorted(by_day.items()):
        records = records_of([bytes.fromhex(line.raw) for line in lines])
        count = len(lines)
        columns = record_columns(records) | {
            "batch_terminal": pa.array([city_signer(file.header.sender)] * count, pa.string()),
            "batch_number": pa.array([file.header.number] * count, pa.int64()),
            "line": pa.array([line.line for line in lines], pa.int32()),
        }
        table, buckets = pa.table(columns), bucket_numbers(records)
        for bucket in np.unique(buckets).tolist():
            part = table.take(pa.array(np.flatnonzero(buckets == bucket)))
            path = write_named(context.folder, f"records/date={day}/bucket={bucket:02d}", part)
            segments.append({"path": path, "business_date": day, "bucket": bucket, "records": part.num_rows})
    return segments
