"""``citycard simulate``: a city of any size with known truth, and how much of it clearing finds."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, progress, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.simulate.living import Night
    from citycard.simulate.plan import SimulationPlan

__all__ = ["command"]


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--cards", type=int, default=2000, show_default=True, help="Cards that are issued and used.")
@click.option("--terminals", type=int, default=200, show_default=True, help="Terminals that are opened.")
@click.option("--records", type=int, default=20_000, show_default=True, help="Records that cards make.")
@click.option("--days", type=int, default=1, show_default=True, help="Business days, at most 28.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same files.")
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d"]),
    default="2026-03-02",
    show_default=True,
    help="The first business day.",
)
@click.option("--domains", metavar="NAMES", help="Domains to live in, with commas, or all: see below.")
@click.option("--faults", type=float, default=0.005, show_default=True, help="Faults a record, at most 0.1.")
@click.option("--clear", "clears", is_flag=True, help="Hand the files in, clear them, and compare.")
@click.option("--check", "checks", is_flag=True, help="Make nothing: compare what the city cleared with OUT.")
@click.option("--engine", default="", metavar="NAME", help="Where to judge, as `clearing run --engine`.")
@city_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    out: Path,
    clears: bool,
    checks: bool,
    domains: str | None,
    start: dt.datetime,
    engine: str,
    folder: Path,
    as_json: bool,
    **plan: Any,
) -> None:
    """Let a made-up city tap, and write its batch files and the truth into OUT.

    The city must be new: terminals and cards are registered in it, and nothing takes them out again. With
    --clear the files are received and cleared, and what clearing found is put beside the truth; leaves with 1
    when a fault was not found or anything else was. With --check nothing is made: OUT was written before, and
    its deliveries were received and cleared one after the other.

    With --domains the city lives day by day: cards tap in these domains alone, one card in ten, at most 200,
    also uses them online, and each night jobs are run, the day is cleared and the books are checked. Without
    --faults there are none then; leaves with 1 when the books of a night do not balance or a plugin failed.

    With --json: an object with records, files, faults_injected, and after --clear or --check
    also faults_found, false_alarms, codes (code, faults_injected, faults_found, expected, found,
    false_alarms), missed, wrong and digests (of each run; none after --check). With --domains: an object with
    records, files, cards, seconds and nights (day, records, codes, settled_fen, acts, online_fen,
    assets_fen, difference_fen, violations, failures).
    """
    from citycard.simulate.plan import SimulationPlan

    plan["start"] = start.date()
    if domains is not None:
        if clears or checks:
            raise click.UsageError("--domains clears and checks by itself: leave --clear and --check out")
        if context.get_parameter_source("faults") is click.core.ParameterSource.DEFAULT:
            plan["faults"] = 0.0
        names = () if domains == "all" else tuple(domains.split(","))
        wanted = SimulationPlan(**plan, domains=names, evenly=True)
        context.exit(_live(folder, out, wanted, engine, as_json=as_json))
    if clears and checks:
        raise click.UsageError("--check compares what was cleared before: leave --clear out")
    wanted = SimulationPlan(**plan)
    context.exit(_tap(folder, out, wanted, engine, clears=clears, checks=checks, as_json=as_json))


def _tap(
    folder: Path,
    out: Path,
    plan: SimulationPlan,
    engine: str,
    *,
    clears: bool,
    checks: bool,
    as_json: bool,
) -> int:
    """Let the city tap, compare what clearing found with the truth, and give the exit code."""
    from citycard.clearing.engines import engine_of
    from citycard.simulate.compare import compare, found_in
    from citycard.simulate.delivering import clear_simulation
    from citycard.simulate.making import simulate
    from citycard.simulate.truth import Truth

    if engine:
        # A wrong name is told before the city is used up.
        engine_of(engine)
    city = opened(folder)
    truth = Truth.read(out) if checks else simulate(city, plan, out, progress)
    told: dict[str, Any] = {
        "records": sum(one.records for one in truth.deliveries),
        "files": sum(one.files for one in truth.deliveries),
        "faults_injected": len(truth.faults),
    }
    if not clears and not checks:
        if as_json:
            emit(told)
        else:
            say(f"{told['records']:,} records in {told['files']:,} files with {len(truth.faults):,} faults")
        return 0
    reports = clear_simulation(city, out, truth, engine=engine, progress=progress) if clears else []
    score = compare(truth, found_in(city, truth))
    if as_json:
        emit(told | attrs.asdict(score) | {"digests": [report.digest for report in reports]})
    else:
        table(
            ("code", "faults", "found", "records", "right", "false alarms"),
            [attrs.astuple(one) for one in score.codes],
        )
        say(
            f"{score.faults_found:,} of {score.faults_injected:,} faults found in {told['records']:,} "
            f"records, {score.false_alarms:,} false alarms"
        )
    return 0 if score.perfect else 1


def _live(folder: Path, out: Path, plan: SimulationPlan, engine: str, *, as_json: bool) -> int:
    """Let the city live, say how each night ended, and give the exit code."""
    import time

    from citycard.clock import FixedClock
    from citycard.errors import PluginUnknown
    from citycard.simulate.living import live
    from citycard.simulate.making import simulate

    began = time.perf_counter()
    clock = FixedClock(dt.datetime.combine(plan.start, dt.time(), dt.UTC))
    city = opened(folder, clock)
    running = [report.name for report in city.plugins.reports() if report.running]
    for name in plan.domains:
        if name not in running:
            raise PluginUnknown(plugin=name, known=", ".join(running) or "none")
    truth = simulate(city, plan, out, progress)
    nights = live(city, clock, truth, out, domains=plan.domains, engine=engine, progress=progress)
    balanced = all(night.balanced for night in nights)
    if as_json:
        emit(
            {
                "records": sum(one.records for one in truth.deliveries),
                "files": sum(one.files for one in truth.deliveries),
                "cards": plan.cards,
                "seconds": round(time.perf_counter() - began, 1),
                "nights": [attrs.asdict(night) for night in nights],
            }
        )
        return 0 if balanced else 1
    table(
        ("day", "records", "settled", "online", "acts", "held by the city", "books"),
        [
            (
                night.day,
                night.records,
                yuan(night.settled_fen),
                yuan(night.online_fen),
                sum(count for acts in night.acts.values() for count in acts.values()),
                yuan(night.assets_fen),
                "balance" if night.balanced else "; ".join((*night.violations, *night.failures)) or "differ",
            )
            for night in nights
        ],
    )
    for name in sorted({name for night in nights for name in night.acts}):
        words = [f"{count} {what}" for what, count in _together(nights, name).items()]
        say(f"{name}: {', '.join(words) or 'nothing online'}")
    return 0 if balanced else 1


def _together(nights: Sequence[Night], domain: str) -> dict[str, int]:
    found: Counter[str] = Counter()
    for night in nights:
        found.update(night.acts.get(domain, {}))
    return dict(found)
