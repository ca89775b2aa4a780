"""Keep a judged bucket: its outcomes and its cards' new states, as Parquet that the run's rows will name."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import attrs

from citycard.clearing.judge import Judged

__all__ = ["Part", "keep"]


@attrs.frozen(kw_only=True)
class Part:
    """What one bucket left behind: the files, how many records, and the digest of their outcomes."""

    bucket: int
    outcomes: str
    cards: str
    records: int
    digest: str


def keep(folder: Path, run: int, judged: Judged) -> Part:
    """Write the outcomes and states of one bucket; a run that is made again writes the same files again.

    Their name says what is in them: a second process that judges the same run, and comes too late or to
    another answer, does not write over the files that the closed run's rows name.
    """
    from citycard.clearing.files import write_table

    number, name = judged.bucket.number, _name(judged)
    part = Part(
        bucket=number,
        outcomes=f"outcomes/run={run:06d}/bucket={number:02d}/{name}.parquet",
        cards=f"cards/run={run:06d}/bucket={number:02d}/{name}.parquet",
        records=len(judged.bucket),
        digest=judged.digest,
    )
    write_table(folder / part.outcomes, _outcomes(run, judged))
    write_table(folder / part.cards, _cards(judged))
    return part


def _name(judged: Judged) -> str:
    states = hashlib.sha256(judged.digest.encode())
    for asn, state in sorted(judged.states.items()):
        states.update(f"{asn} {state.counter} {state.balance_fen} {state.online_atc}\n".encode())
    return states.hexdigest()[:32]


def _outcomes(run: int, judged: Judged) -> Any:
    import pyarrow as pa

    columns, verdicts = judged.bucket.columns, judged.bucket.verdicts
    parts = pa.list_(pa.struct([("partner", pa.string()), ("amount_fen", pa.int64())]))
    finals = [verdict.final for verdict in verdicts]
    taken = {
        "terminal": ("batch_terminal", pa.string()),
        "batch_number": ("batch_number", pa.int64()),
        "line": ("line", pa.int32()),
        "business_date": ("business_date", pa.date32()),
        "asn": ("asn", pa.string()),
        "counter": ("counter", pa.int32()),
        "service": ("service", pa.int32()),
        "kind": ("kind", pa.uint8()),
        "flags": ("flags", pa.uint8()),
        "card_kind": ("card_kind", pa.uint8()),
        "at": ("at", pa.timestamp("s")),
        "amount_fen": ("amount_fen", pa.int64()),
        "balance_after_fen": ("balance_after_fen", pa.int64()),
        "list_price_fen": ("list_price_fen", pa.int64()),
    }
    table = {name: pa.array(columns[source], kind) for name, (source, kind) in taken.items()}
    table["run"] = pa.array([run] * len(verdicts), pa.int32())
    table["price_fen"] = pa.array([verdict.price_fen for verdict in verdicts], pa.int64())
    table["state"] = pa.array([final.state.value for final in finals], pa.string())
    table["code"] = pa.array([final.name for final in finals], pa.string())
    notes = [
        " ".join(note.name for note in verdict.notes if note is not final)
        for verdict, final in zip(verdicts, finals, strict=True)
    ]
    table["notes"] = pa.array(notes, pa.string())
    shares = [
        [{"partner": partner, "amount_fen": fen} for partner, fen in verdict.parts]
        if final.state.value == "accepted"
        else []
        for verdict, final in zip(verdicts, finals, strict=True)
    ]
    table["parts"] = pa.array(shares, parts)
    return pa.table(table)


def _cards(judged: Judged) -> Any:
    import pyarrow as pa

    rows = sorted(judged.states.items())
    return pa.table(
        {
            "asn": pa.array([asn for asn, _ in rows], pa.string()),
            "counter": pa.array([state.counter for _, state in rows], pa.int32()),
            "balance_fen": pa.array([state.balance_fen for _, state in rows], pa.int64()),
            "online_atc": pa.array([state.online_atc for _, state in rows], pa.int32()),
        }
    )
