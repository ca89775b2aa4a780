"""Keep what files hold: their bytes in an archive, and their records where clearing finds them."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from citycard.clearing.codes import FileState
from citycard.clearing.columns import BUCKETS, RECORD, SLICES, Array, digits, record_columns, share_numbers
from citycard.clearing.context import TacVault
from citycard.clearing.delivery import Delivery
from citycard.clearing.files import write_archive, write_named
from citycard.clearing.sent import SentDelivery
from citycard.clearing.verify import mac_versions, macs_hold
from citycard.processes import cores
from citycard.terminal.batch import Batch

__all__ = ["Kept", "asked_by", "keep", "rows_of"]

_VERSIONS, _SLICES = b"mac_versions", b"slices"


@attrs.frozen(kw_only=True)
class Kept:
    """The files written for a portion: the archive of its bytes, and the rows of its segments.

    ``listing`` says what they hold: where it is the same, nothing needs to be written again.
    """

    listing: str
    archive: str = ""
    segments: tuple[dict[str, Any], ...] = ()


def keep(
    folder: Path,
    sent: Sequence[SentDelivery],
    batches: Sequence[Delivery],
    vault: TacVault,
    before: Kept | None = None,
) -> Kept:
    """Write the archive and the segments of a portion, unless they were just written ``before``.

    Segments say of each record whether its terminal made it: here all of a terminal's lie together.
    """
    files: list[SentDelivery | Delivery] = [*sent, *batches]
    new = [file for file in files if file.state is not FileState.DUPLICATE]
    listing = "\n".join(f"{file.digest} {file.state}" for file in new)
    if before is not None and before.listing == listing:
        return before
    if not new:
        return Kept(listing="")
    name = hashlib.sha256(listing.encode()).hexdigest()[:32]
    archive = f"batches/{name}.zip"
    accepted = [one.batch for one in batches if one.batch and one.state is FileState.ACCEPTED]
    # Packing and waiting for the medium are done outside the interpreter: many files at a time.
    with ThreadPoolExecutor(2 * cores()) as threads:
        contents = {file.digest: file.data for file in new}.items()
        packed = threads.submit(write_archive, folder / archive, contents)
        written = [
            (
                {"business_date": day, "bucket": bucket, "records": table.num_rows},
                threads.submit(write_named, folder, f"records/date={day}/bucket={bucket:02d}", table),
            )
            for day, bucket, table in _segments(accepted, vault)
        ]
        packed.result()
        segments = tuple({"path": path.result()} | row for row, path in written)
    return Kept(listing=listing, archive=archive, segments=segments)


def _segments(batches: Sequence[Batch], vault: TacVault) -> Iterator[tuple[date, int, pa.Table]]:
    by_day: dict[date, list[Batch]] = defaultdict(list)
    for batch in batches:
        by_day[batch.header.business_date].append(batch)
    for day in sorted(by_day):
        for bucket, table in _buckets(by_day[day], vault):
            yield day, bucket, table


def _buckets(batches: Sequence[Batch], vault: TacVault) -> Iterator[tuple[int, pa.Table]]:
    """Deal the records of a day to buckets: their bytes first, so that each column is made only once.

    In a bucket those of a slice lie together, and the segment says how many each has.
    """
    records = np.frombuffer(b"".join(batch.body for batch in batches), RECORD)
    sizes = np.array([batch.header.count for batch in batches], np.int64)
    whose = np.repeat(np.arange(len(batches)), sizes)
    lines = np.arange(1, len(records) + 1) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shares = share_numbers(digits(records, "asn"))
    buckets, slices = shares % BUCKETS, shares // BUCKETS
    order = np.argsort(buckets * np.uint8(SLICES) + slices, kind="stable")
    made, asked = macs_hold(records, vault), mac_versions(vault)
    table = _table(batches, records.take(order), whose[order], lines[order], made[order])
    versions, end = " ".join(map(str, sorted(asked))), 0
    for bucket in range(BUCKETS):
        counts = np.bincount(slices[buckets == bucket], minlength=SLICES).tolist()
        begin, end = end, end + sum(counts)
        if end > begin:
            told = {_VERSIONS: versions, _SLICES: " ".join(map(str, counts))}
            yield bucket, table.slice(begin, end - begin).replace_schema_metadata(told)


def _table(batches: Sequence[Batch], records: Array, whose: Array, lines: Array, made: Array) -> pa.Table:
    signers = pa.array([batch.header.terminal for batch in batches], pa.string())
    numbers = pa.array([batch.header.number for batch in batches], pa.int64())
    places = pa.array(whose)
    return pa.table(
        record_columns(records)
        | {
            "batch_terminal": signers.take(places),
            "batch_number": numbers.take(places),
            "line": pa.array(lines.astype(np.int32)),
            "mac_holds": pa.array(made),
        }
    )


def asked_by(table: pa.Table) -> frozenset[int]:
    """Give the key versions by any of which the MACs of a segment hold."""
    return frozenset(map(int, (table.schema.metadata or {}).get(_VERSIONS, b"").split()))


def rows_of(metadata: Mapping[bytes, bytes], slices: range) -> range | None:
    """Say which rows of a segment are of slices that follow each other; None where it does not tell."""
    if _SLICES not in metadata:
        return None
    counts = [int(count) for count in metadata[_SLICES].split()]
    begin = sum(counts[: slices.start])
    return range(begin, begin + sum(counts[slices.start : slices.stop]))
