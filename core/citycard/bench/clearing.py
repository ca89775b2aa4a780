"""How fast a day is cleared: simulated batch files in, settlement out, every TAC verified."""

from __future__ import annotations

import hashlib
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import attrs
import numpy as np

from citycard.bench.machine import Machine, this_machine
from citycard.clearing.columns import RECORD, Array, stored_records
from citycard.clearing.verify import check_tacs

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["ClearingFigures", "measure_clearing"]

#: Of so many records the TACs are checked once more, by themselves, to say how fast that is.
_TACS = 1_000_000


@attrs.frozen(kw_only=True)
class ClearingFigures:
    """What was measured. ``seconds`` counts from the first file to the last bank instruction.

    ``stages`` has the seconds of making the input (which do not count), receiving and clearing;
    ``floor_seconds`` is what DuckDB needs to read the same records and sum them by terminal. ``peak_mib``
    is of the largest process. ``digest`` is over the digests of all runs.
    """

    machine: Machine
    engine: str
    cards: int
    terminals: int
    records: int
    seconds: float
    records_per_second: float
    peak_mib: int
    tac_per_second: float
    floor_seconds: float
    stages: dict[str, float]
    digest: str
    faults_injected: int
    faults_found: int
    false_alarms: int


def measure_clearing(
    template: Path,
    *,
    records: int = 200_000,
    cards: int | None = None,
    terminals: int | None = None,
    faults: float = 0.005,
    engine: str = "local",
    say: Callable[[str], None] = lambda _: None,
) -> ClearingFigures:
    """Found a city from a template in a folder of its own, simulate a day of it, and clear that."""
    from citycard.city import City
    from citycard.clearing.engines import engine_of
    from citycard.clearing.run import clear
    from citycard.simulate.compare import compare, found_in
    from citycard.simulate.delivering import hand_in
    from citycard.simulate.making import simulate
    from citycard.simulate.plan import SimulationPlan

    # A wrong name is told before anything is made.
    engine_of(engine)
    cards, terminals = cards or max(records // 5, 100), terminals or max(records // 250, 60)
    plan = SimulationPlan(records=records, cards=cards, terminals=terminals, faults=faults)
    stages = dict.fromkeys(("simulate", "receive", "clear"), 0.0)
    with tempfile.TemporaryDirectory(prefix="citycard-bench-") as folder:
        out = Path(folder) / "files"
        city = City.create(Path(folder) / "city", template)
        say(f"simulating {records:,} records")
        truth = _timed(stages, "simulate", lambda: simulate(city, plan, out))
        reports = []
        for delivery in truth.deliveries:
            say(f"receiving {delivery.records:,} records")
            _timed(stages, "receive", partial(hand_in, city, out, delivery))
            say("clearing")
            report = _timed(stages, "clear", lambda: clear(city, engine=engine))
            if report.changed:
                reports.append(report)
        peak_kib = max(resource.getrusage(who).ru_maxrss for who in _PROCESSES)
        score = compare(truth, found_in(city, truth))
        handed_in = sum(report.records for report in reports)
        seconds = stages["receive"] + stages["clear"]
        figures = ClearingFigures(
            machine=this_machine(),
            engine=reports[0].engine,
            cards=cards,
            terminals=terminals,
            records=handed_in,
            seconds=round(seconds, 2),
            records_per_second=round(handed_in / seconds, 1),
            peak_mib=peak_kib // 1024,
            tac_per_second=round(_tac_rate(city), 1),
            floor_seconds=round(_floor(city), 3),
            stages={name: round(taken, 2) for name, taken in stages.items()},
            digest=hashlib.sha256(" ".join(one.digest for one in reports).encode()).hexdigest(),
            faults_injected=score.faults_injected,
            faults_found=score.faults_found,
            false_alarms=score.false_alarms,
        )
        city.close()
    return figures


_PROCESSES = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)


_Answer = TypeVar("_Answer")


def _timed(stages: dict[str, float], stage: str, work: Callable[[], _Answer]) -> _Answer:
    began = time.perf_counter()
    answer = work()
    stages[stage] += time.perf_counter() - began
    return answer


def _parquet(city: City, kind: str) -> list[Path]:
    return sorted((city.folder / kind).rglob("*.parquet"))


def _tac_rate(city: City) -> float:
    import pyarrow.parquet as pq

    raws: list[Array] = []
    for path in _parquet(city, "records"):
        raws.append(stored_records(pq.read_table(path, columns=["raw"])["raw"]))
        if sum(map(len, raws)) >= _TACS:
            break
    records = np.concatenate(raws, dtype=RECORD)[:_TACS]
    began = time.perf_counter()
    check_tacs(records, records["key_version"], city.vault)
    return len(records) / (time.perf_counter() - began)


def _floor(city: City) -> float:
    import duckdb

    from citycard.clearing.files import literal

    paths = [literal(path) for path in _parquet(city, "outcomes")]
    with duckdb.connect() as engine:
        began = time.perf_counter()
        engine.execute(
            "SELECT terminal, count(*), sum(amount_fen) FROM read_parquet($paths) GROUP BY ALL",
            {"paths": paths},
        ).fetchall()
        return time.perf_counter() - began
