"""``citycard simulate``: a city of any size with known truth, and how much of it clearing finds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import attrs
import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, progress, say, table

__all__ = ["command"]


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--cards", type=int, default=2000, show_default=True, help="Cards that are issued and used.")
@click.option("--terminals", type=int, default=200, show_default=True, help="Terminals that are opened.")
@click.option("--records", type=int, default=20_000, show_default=True, help="Records that cards make.")
@click.option("--days", type=int, default=1, show_default=True, help="Business days, at most 28.")
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed gives the same files.")
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

    With --json: an object with records, files, faults_injected, and after --clear or --check
    also faults_found, false_alarms, codes (code, faults_injected, faults_found, expected, found,
    false_alarms), missed, wrong and digests (of each run; none after --check).
    """
    from citycard.simulate.compare import compare, found_in
    from citycard.simulate.delivering import clear_simulation
    from citycard.simulate.making import simulate
    from citycard.simulate.plan import SimulationPlan
    from citycard.simulate.truth import Truth

    if clears and checks:
        raise click.UsageError("--check compares what was cleared before: leave --clear out")

    wanted = SimulationPlan(**plan)
    city = opened(folder)
    truth = Truth.read(out) if checks else simulate(city, wanted, out, progress)
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
        return
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
    context.exit(0 if score.perfect else 1)
