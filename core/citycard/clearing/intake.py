"""Receive batch files: say where each ended, keep its bytes, and put its records where clearing finds them.

Files are taken in by portions, each in one transaction of its own, so that memory does not grow with their
number and nobody waits long for a turn. Nothing of a portion counts until its rows are committed. Before that
its archive is written, named after the files in it, and its Parquet segments, each named after its own bytes,
so that a call that broke off anywhere is simply made again: what it had committed are duplicates then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from typing import Any, Final

from citycard.clearing.columns import records_of
from citycard.clearing.context import ClearingContext
from citycard.clearing.delivery import Delivery, File, read_files
from citycard.clearing.manifest import Manifest, read_manifest
from citycard.clearing.missing import missing_batches
from citycard.clearing.portion import Taken, take_in
from citycard.clearing.reports import FileOutcome, IntakeReport, SentOutcome
from citycard.clearing.senders import known_sender
from citycard.clearing.sent import SentDelivery
from citycard.processes import short_turns, side_by_side
from citycard.store.engine import reading

__all__ = ["PORTION_BYTES", "receive"]

PORTION_BYTES: Final = 32 * 1024 * 1024
"""So many bytes of files are taken in by one transaction: a quarter of a million records."""

#: So many portions are prepared at a time; half of the work leaves the interpreter.
_SIDE_BY_SIDE: Final = 2

# What was read, or the end of what could not be.
_Read = Delivery | SentDelivery | FileOutcome


def receive(
    context: ClearingContext,
    files: Iterable[File],
    manifest: str | bytes | Mapping[str, Any] | Manifest | None = None,
    *,
    portion_bytes: int = PORTION_BYTES,
) -> IntakeReport:
    """Take in files, given as paths or as pairs of name and bytes, and say where each one ended.

    A sender's file is given as the path of its cover, or as a pair of Cover and bytes (docs/intake.md).
    ``manifest`` is the collector's list of what was to come (docs/clearing.md). The same call made again,
    after a crash or by mistake, changes nothing but the log of files received. Files are read and committed
    by portions of ``portion_bytes`` or little more. Whatever is wrong with a file, a path that cannot be
    read or a cover that says nothing, is told of that file, and the others are taken in. Raise
    ManifestInvalid or ManifestConflict.
    """
    announced = None if manifest is None else read_manifest(manifest)
    outcomes: list[FileOutcome] = []
    sent: list[SentOutcome] = []
    intake = None
    read = read_files(files, _total, context.folder, lambda name: known_sender(context, name))
    # Once, before threads would ask for it side by side.
    _ = context.vault
    with closing(_taken_in(context, _ahead(_portions(read, portion_bytes)), announced)) as portions:
        for portion, taken in portions:
            outcomes += [file for file in portion if isinstance(file, FileOutcome)]
            if taken is None:
                continue
            intake, announced = taken.intake, None
            outcomes += [delivery.outcome() for delivery in taken.batches]
            sent += [delivery.outcome() for delivery in taken.sent]
    if announced is not None:
        intake = take_in(context, [], announced).intake
    with reading(context.engine) as conn:
        missing = missing_batches(conn)
    return IntakeReport(intake=intake, files=tuple(outcomes), sent=tuple(sent), missing=missing)


def _taken_in(
    context: ClearingContext, portions: Iterable[list[_Read]], announced: Manifest | None
) -> Generator[tuple[list[_Read], Taken | None], None, None]:
    """Take in portions, some side by side. They are committed, and given, in their own order."""
    with short_turns(), side_by_side(_SIDE_BY_SIDE) as threads:
        under_way: deque[tuple[list[_Read], Future[Taken] | None]] = deque()
        last: Future[Taken] | None = None
        for portion in portions:
            arrived = [file for file in portion if not isinstance(file, FileOutcome)]
            if arrived:
                last = threads.submit(take_in, context, arrived, announced, after=last)
                announced = None
            under_way.append((portion, last if arrived else None))
            if len(under_way) > _SIDE_BY_SIDE:
                yield _ended(under_way.popleft())
        while under_way:
            yield _ended(under_way.popleft())


def _ended(under_way: tuple[list[_Read], Future[Taken] | None]) -> tuple[list[_Read], Taken | None]:
    portion, taken = under_way
    return portion, None if taken is None else taken.result()


def _portions(files: Iterable[_Read], portion_bytes: int) -> Iterator[list[_Read]]:
    """Cut what comes in into portions; a file is never cut, and its batches come with it."""
    portion: list[_Read] = []
    size = 0
    for file in files:
        begins = not isinstance(file, Delivery) or file.sent is None
        if size >= portion_bytes and begins:
            yield portion
            portion, size = [], 0
        portion.append(file)
        size += 0 if isinstance(file, FileOutcome) else len(file.data)
    if portion:
        yield portion


def _ahead(portions: Iterator[list[_Read]]) -> Iterator[list[_Read]]:
    """Read each portion while the one before is taken in."""
    with ThreadPoolExecutor(1) as thread:
        coming = thread.submit(next, portions, None)
        while (portion := coming.result()) is not None:
            coming = thread.submit(next, portions, None)
            yield portion


def _total(body: bytes) -> int:
    return int(records_of(body)["amount_fen"].sum(dtype="int64"))
