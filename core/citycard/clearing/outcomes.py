"""Keep a judged bucket: its outcomes and its cards' new states, as Parquet that the run's rows will name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import numpy as np
import pyarrow as pa

from citycard.clearing.codes import Code
from citycard.clearing.columns import record_column
from citycard.clearing.judge import Judged
from citycard.clearing.verdicts import ACCEPTED, CODES, NUMBERS

__all__ = ["Part", "keep"]


@attrs.frozen(kw_only=True)
class Part:
    """What one bucket left behind, or a piece of it: the files, how many records, and the digest of outcomes.

    ``share`` is its number (``Bucket.share``).
    """

    share: int
    outcomes: str
    cards: str
    records: int
    digest: str


def keep(folder: Path, run: int, judged: Judged) -> Part:
    """Write the outcomes and states of one bucket; a run that is made again writes the same files again.

    Their names are those of their bytes: a second process that judges the same run, and comes too late or to
    another answer, does not write over the files that the closed run's rows name.
    """
    from citycard.clearing.files import write_named

    within = f"run={run:06d}/bucket={judged.bucket.number:02d}"
    return Part(
        share=judged.bucket.share,
        outcomes=write_named(folder, f"outcomes/{within}", _outcomes(run, judged)),
        cards=write_named(folder, f"cards/{within}", _cards(judged)),
        records=int(judged.told.sum()),
        digest=judged.digest,
    )


def _outcomes(run: int, judged: Judged) -> Any:
    bucket, verdicts, final = judged.bucket, judged.verdicts, judged.final
    count = len(bucket)
    taken = {
        "asn": pa.string(),
        "counter": pa.int32(),
        "service": pa.int32(),
        "kind": pa.uint8(),
        "flags": pa.uint8(),
        "card_kind": pa.uint8(),
        "at": pa.timestamp("s"),
        "amount_fen": pa.int64(),
        "balance_after_fen": pa.int64(),
        "list_price_fen": pa.int64(),
    }
    none = verdicts.price_fen < 0
    signers, whose = bucket.signers
    noted = {place: " ".join(note.name for note in found) for place, found in verdicts.noted(final).items()}
    notes = np.zeros(count, np.int64)
    notes[list(noted)] = np.arange(1, len(noted) + 1)
    held_run, told = bucket.held_run, judged.told
    outcomes = pa.table(
        {
            "terminal": pa.array([f"{one:012d}" for one in signers.tolist()]).take(pa.array(whose)),
            "batch_number": pa.array(bucket.batch, pa.int64()),
            "line": pa.array(bucket.line, pa.int32()),
            "business_date": pa.array(bucket.day, pa.date32()),
            **{name: record_column(bucket.records, name).cast(kind) for name, kind in taken.items()},
            "run": pa.array(np.full(count, run, np.int32)),
            "price_fen": pa.array(verdicts.price_fen, pa.int64(), mask=none),
            "state": pa.array([code.state.value for code in CODES], pa.string()).take(pa.array(final)),
            "code": pa.array([code.name for code in CODES], pa.string()).take(pa.array(final)),
            "notes": pa.array(["", *noted.values()], pa.string()).take(pa.array(notes)),
            "parts": _parts(judged),
            # The run that held the record, and whose outcome this one comes after.
            "held_run": pa.array(held_run, pa.int32(), mask=held_run == 0),
        }
    )
    return outcomes if told.all() else outcomes.filter(pa.array(told))


def _parts(judged: Judged) -> Any:
    kind = pa.list_(pa.struct([("partner", pa.string()), ("amount_fen", pa.int64())]))
    divisions = [
        [{"partner": partner, "amount_fen": fen} for partner, fen in parts]
        for parts in judged.verdicts.divisions
    ]
    # Who gets nothing, or of what is not accepted, has the empty list at the end. What waits for another city
    # has the parts that it will be paid in.
    nobody = len(divisions)
    owed = ACCEPTED[judged.final] | (judged.final == NUMBERS[Code.X01])
    paid = owed & (judged.verdicts.division >= 0)
    return pa.array([*divisions, []], kind).take(pa.array(np.where(paid, judged.verdicts.division, nobody)))


def _cards(judged: Judged) -> Any:
    """Give the states of all cards of the bucket: those seen now, and all others as they were."""
    states, seen = judged.states, judged.states.counter >= 0
    now = pa.table(
        {
            "asn": pa.array(judged.bucket.asns, pa.string()).filter(pa.array(seen)),
            "counter": pa.array(states.counter[seen], pa.int32()),
            "balance_fen": pa.array(states.balance_fen[seen], pa.int64()),
            "online_atc": pa.array(states.online_atc[seen], pa.int32()),
            "spent_fen": pa.array(states.spent_fen[seen], pa.int64()),
            "riding": pa.array(states.riding[seen], pa.int32()),
            "spent_day": pa.array(states.spent_day[seen], pa.int32()),
            "spent_today_fen": pa.array(states.spent_today_fen[seen], pa.int64()),
            "day_whole": pa.array(states.day_whole[seen], pa.bool_()),
            "short": pa.array(states.short[seen], pa.bool_()),
        }
    )
    before = judged.unseen
    if before is not None:
        now = pa.concat_tables([before.select(now.column_names), now])
    return now.sort_by("asn")
