"""The unit of clearing work: one bucket of one run, with all that is known of it beforehand.

A piece of work is told as a value, so that it can be done in this process, in another, or on another
machine. Whoever does it needs the city's folder, its keys and its prices, and no database. No key is ever in
it: a worker opens the vault by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import attrs

from citycard.clearing.bucket import Bucket, Known
from citycard.clearing.context import ClearingTerms, Worker
from citycard.clearing.gather import read_bucket
from citycard.clearing.held import DecidedRecord, HeldRecord, decided, newly_held, taken_up
from citycard.clearing.judge import judge
from citycard.clearing.outcomes import Part, keep
from citycard.clearing.rating import Asked
from citycard.clearing.sequence import Gap
from citycard.clearing.tally import Tally, tally
from citycard.errors import WorkerDiffers

__all__ = ["Done", "Segment", "Work", "perform"]


@attrs.frozen(kw_only=True)
class Segment:
    """A Parquet file of records as received, under the city's folder, all of one business date."""

    path: str
    business_date: date
    records: int


@attrs.frozen(kw_only=True)
class Work:
    """One bucket of one run, or a piece of it: its files, what was known of it, and by what to judge.

    It is known as it was when the run read it.
    ``held`` are records that earlier runs held and that are taken up again.
    ``rules_version`` is that of whoever gives out the work: a worker with other rules refuses it.
    """

    run: int
    bucket: int
    slices: range
    segments: tuple[Segment, ...]
    held: tuple[HeldRecord, ...]
    known: Known
    terms: ClearingTerms
    rules_version: str


@attrs.frozen(kw_only=True)
class Done:
    """What a piece of work came to: its files, its sums, what its cards spent, and their changed gaps.

    ``spent_fen`` is how much more the cards' states say was spent than before; ``gaps`` gives those open
    before and after, by ASN.
    ``held`` are records to be taken up again, ``decided`` those that were and are decided now.
    """

    part: Part
    total: Tally
    spent_fen: int
    gaps: Mapping[str, tuple[list[Gap], list[Gap]]]
    held: tuple[HeldRecord, ...] = ()
    decided: tuple[DecidedRecord, ...] = ()


def perform(worker: Worker, work: Work, asked: Asked, bucket: Bucket | None = None) -> Done:
    """Judge a bucket, keep what became of it, and add it up; raise WorkerDiffers under other rules.

    Doing the same work twice, at once or one after the other, leaves the same files and gives the same
    answer. ``asked`` keeps prices from one piece of work to the next of the same worker and rules; ``bucket``
    spares reading the records where they are in memory already.
    """
    if worker.rules_version != work.rules_version:
        raise WorkerDiffers(what="rules", theirs=worker.rules_version, ours=work.rules_version)
    if bucket is None:
        bucket = taken_up(read_bucket(worker, work.bucket, work.segments, work.slices), work.held)
    judged = judge(bucket, work.known, work.terms, worker.vault, worker, asked)
    return Done(
        part=keep(worker.folder, work.run, judged),
        total=tally(judged, work.known),
        spent_fen=int(judged.states.spent_fen.sum() - work.known.states.spent_fen.sum()),
        gaps={asn: (work.known.gaps.get(asn, []), now) for asn, now in judged.gaps.items()},
        held=newly_held(work.run, judged),
        decided=decided(judged),
    )
