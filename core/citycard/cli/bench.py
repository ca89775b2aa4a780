"""``citycard bench``: what this machine can do, with a peer beside each figure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import json_option
from citycard.cli.output import emit, pairs, say

if TYPE_CHECKING:
    from citycard.bench.machine import Machine

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Measure what this machine can do, with a peer beside each figure."""


@group.command()
@click.option(
    "--database",
    required=True,
    metavar="URL",
    help="postgresql://… (a database is made there and dropped), or sqlite:///FILE that is not there yet.",
)
@click.option("--seconds", type=click.IntRange(1), default=10, show_default=True, help="How long to measure.")
@click.option("--callers", type=click.IntRange(1), default=64, show_default=True, help="Callers at a time.")
@click.option("--accounts", type=click.IntRange(1), default=100_000, show_default=True, help="Who pays.")
@click.option("--bulk", type=click.IntRange(1), default=400_000, show_default=True, help="Bulk transfers.")
@json_option
def wallet(database: str, seconds: int, callers: int, accounts: int, bulk: int, as_json: bool) -> None:
    """Measure the ledger: authorised transfers of many callers to one merchant, and bulk postings.

    With --json: an object with database, machine (processor, cores, memory_mib, system, python), accounts,
    callers, authorised_per_second, p50_ms, p99_ms, bulk_per_second, bulk_transfers, peer (name, per_second,
    missing), authorised_to_peer, bulk_to_peer.
    """
    from citycard.bench.wallet import measure_wallet

    figures = measure_wallet(
        database, seconds=seconds, callers=callers, accounts=accounts, bulk=bulk, say=say
    )
    if as_json:
        emit(figures)
        return
    peer = figures.peer
    pairs(
        [
            ("machine", _told(figures.machine)),
            ("database", figures.database),
            ("authorised", f"{figures.authorised_per_second:,.0f} a second, {callers} callers"),
            ("one of them", f"median {figures.p50_ms} ms, p99 {figures.p99_ms} ms"),
            ("bulk", f"{figures.bulk_per_second:,.0f} a second"),
            ("peer", f"{peer.per_second:,.0f} a second, {peer.name}" if peer.per_second else peer.missing),
            ("to the peer", f"authorised {figures.authorised_to_peer}×, bulk {figures.bulk_to_peer}×"),
        ]
    )


@group.command()
@click.option(
    "--config",
    "template",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="city.toml of a city whose plugins have habits, such as examples/morning/city.toml.",
)
@click.option("--records", type=int, default=200_000, show_default=True, help="Records that cards make.")
@click.option("--cards", type=int, help="Cards [default: a fifth of the records].")
@click.option("--terminals", type=int, help="Terminals [default: one for 250 records].")
@click.option("--faults", type=float, default=0.005, show_default=True, help="Faults a record.")
@click.option(
    "--engine", default="local", show_default=True, help="Where to judge, as `clearing run --engine`."
)
@json_option
def clearing(
    template: Path,
    records: int,
    cards: int | None,
    terminals: int | None,
    faults: float,
    engine: str,
    as_json: bool,
) -> None:
    """Simulate a day with faults, receive and clear it, and say how long that took and what was found.

    With --json: an object with machine (processor, cores, memory_mib, system, python), engine, cards,
    terminals, records, seconds, records_per_second, peak_mib, tac_per_second, floor_seconds, stages
    (simulate, receive, clear), digest, faults_injected, faults_found, false_alarms.
    """
    from citycard.bench.clearing import measure_clearing

    figures = measure_clearing(
        template,
        records=records,
        cards=cards,
        terminals=terminals,
        faults=faults,
        engine=engine,
        say=say,
    )
    if as_json:
        emit(figures)
        return
    stages = figures.stages
    pairs(
        [
            ("machine", _told(figures.machine)),
            ("records", f"{figures.records:,} of {figures.cards:,} cards, {figures.terminals:,} terminals"),
            (
                "cleared in",
                f"{figures.seconds} s, {figures.records_per_second:,.0f} a second, {figures.engine}",
            ),
            ("of these", f"receiving {stages['receive']} s, clearing {stages['clear']} s"),
            ("DuckDB alone", f"{figures.floor_seconds} s to read and sum the same records"),
            ("TACs", f"{figures.tac_per_second:,.0f} a second"),
            ("memory", f"{figures.peak_mib} MiB"),
            (
                "faults",
                f"{figures.faults_found} of {figures.faults_injected}, {figures.false_alarms} false alarms",
            ),
        ]
    )


def _told(machine: Machine) -> str:
    return f"{machine.processor}, {machine.cores} cores, {machine.memory_mib} MiB"
