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
# A segment has so many groups of rows, where each then has at least some two thousand.
_GROUPS, _GROUP = 4, 2048


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
                {"business_date": day, "bucket": bucket, "records": sum(len(group) for group in groups)},
                threads.submit(write_named, folder, f"records/date={day}/bucket={bucket:02d}", *groups),
            )
            for day, bucket, groups in _segments(accepted, vault)
        ]
        packed.result()
        segments = tuple({"path": path.result()} | row for row, path in written)
    return Kept(listing=listing, archive=archive, segments=segments)


def _segments(batches: Sequence[Batch], vault: TacVault) -> Iterator[tuple[date, int, list[pa.Table]]]:
    by_day: dict[date, list[Batch]] = defaultdict(list)
    for batch in batches:
        by_day[batch.header.business_date].append(batch)
    for day in sorted(by_day):
        for bucket, groups in _buckets(by_day[day], vault):
            yield day, bucket, groups


def _buckets(batches: Sequence[Batch], vault: TacVault) -> Iterator[tuple[int, list[pa.Table]]]:
    """Deal the records of a day to buckets: their bytes first, so that each column is made only once.

    In a bucket those of a slice lie together, and the segment says how many each has.
    """
    records = np.frombuffer(b"".join(batch.body for batch in batches), RECORD)
    sizes = np.array([batch.header.count for batch in batches], np.int64)
    whose = np.repeat(np.arange(len(batches)), sizes)
    lines = np.arange(1, len(records) + 1) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    shares = share_numbers(digits(records, "asn")).astype(np.intp)
    places = shares % BUCKETS * SLICES + shares // BUCKETS
    order = np.argsort(places.astype(np.uint8), kind="stable")
    made, asked = macs_hold(records, vault), mac_versions(vault)
    table = _table(batches, records.take(order), whose[order], lines[order], made[order])
    counts = np.bincount(places, minlength=BUCKETS * SLICES).reshape(BUCKETS, SLICES).tolist()
    versions, end = " ".join(map(str, sorted(asked))), 0
    for bucket, in_slices in enumerate(counts):
        begin, end = end, end + sum(in_slices)
        if end > begin:
            told = {_VERSIONS: versions, _SLICES: " ".join(map(str, in_slices))}
            segment = table.slice(begin, end - begin).replace_schema_metadata(told)
            yield bucket, _groups(segment, in_slices)


def _groups(segment: pa.Table, sizes: Sequence[int]) -> list[pa.Table]:
    """Cut a segment between slices into groups that can be read by themselves, where that is worth it."""
    groups = _GROUPS if segment.num_rows >= _GROUPS * _GROUP else 1
    size, begin, found = SLICES // groups, 0, []
    for first in range(0, SLICES, size):
        end = begin + sum(sizes[first : first + size])
        found.append(segment.slice(begin, end - begin))
        begin = end
    return found


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


def rows_of(metadata: Mapping[bytes, bytes], count: int, *, slices: range) -> range | None:
    """Say which rows of a segment of so many are of slices that follow each other; None if nothing tells."""
    counts = [int(size) for size in metadata.get(_SLICES, b"").split()]
    if sum(counts) != count:
        return None
    begin = sum(counts[: slices.start])
    return range(begin, begin + sum(counts[slices.start : slices.stop]))
