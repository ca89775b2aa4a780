"""``citycard clearing``: receive batches, clear them, and say what came of it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.cardnumber import card_number
from citycard.cli.clearing_disputes import disputes
from citycard.cli.clearing_drill import lines_command, records_command
from citycard.cli.clearing_exceptions import exceptions
from citycard.cli.clearing_gaps import gaps
from citycard.cli.clearing_story import story
from citycard.cli.handingin import COMMANDS, print_intake, print_missing
from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import counting, emit, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.clearing.reports import RunReport

__all__ = ["group"]

_ASN = re.compile(r"\d{20}")


@click.group(cls=ListedGroup)
def group() -> None:
    """Receive batches, clear them, settle."""


group.add_command(disputes)
group.add_command(lines_command)
group.add_command(records_command)
group.add_command(exceptions)
group.add_command(gaps)


@group.command("receive")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path, exists=True), metavar="[FILE]...")
@click.option(
    "--manifest", type=click.Path(path_type=Path, exists=True, dir_okay=False), help="The collector's list."
)
@city_option
@json_option
def receive_command(files: tuple[Path, ...], manifest: Path | None, folder: Path, as_json: bool) -> int:
    """Take in every FILE, batches and senders' covers; a folder stands for all .ccb and .cover.json in it.

    Leaves with 1 when a file is quarantined. With --json: an object with accepted, duplicate, quarantined,
    intake, records, amount_fen, files, sent and missing.
    """
    from citycard.clearing.intake import receive

    if not files and manifest is None:
        raise click.UsageError("nothing to receive: name batch files, a folder of them, or a --manifest")
    city = opened(folder)
    report = receive(city, _batches(files), manifest.read_bytes() if manifest else None)
    print_intake(report, as_json=as_json)
    return 1 if report.quarantined else 0


@group.command("run")
@click.option(
    "--engine",
    default="",
    metavar="NAME",
    help="Where to judge: local, pool, pool:N, spark://HOST:PORT, spark-local or spark-local:N "
    "(default: engine of [clearing] in city.toml, else local).",
)
@click.option(
    "--progress/--no-progress", default=None, help="Say how many buckets are judged (default: on a terminal)."
)
@city_option
@json_option
def run_command(engine: str, progress: bool | None, folder: Path, as_json: bool) -> None:
    """Clear everything received, post it, and write the bank instruction.

    On every engine the same comes of it. Leaves with 2 when the engine is not known, with 4 when it cannot
    be reached or a process of it was killed, with 5 when a worker has other plugins: then nothing is posted,
    and the command may be given again, with the same engine or another.

    With --json: the report of the run: number, changed, totals by state and code, partners, missing,
    gross_fen, fees_fen, settled_fen and clearing (records by state), digest, engine (what judged the run),
    and more.
    """
    from citycard.clearing.run import clear

    city = opened(folder)
    with counting("judging buckets", shown=progress) as told:
        report = clear(city, engine=engine, progress=told)
    if as_json:
        emit(report.as_json())
        return
    say(f"run {report.number} closed by {report.engine}" if report.changed else "nothing new to clear")
    _print_run(report)


@group.command("status")
@city_option
@json_option
def status_command(folder: Path, as_json: bool) -> None:
    """Say what came in, what waits to be cleared, and what is missing.

    With --json: an object with last_run, open_run, waiting_records, files, missing, card_gaps,
    terminal_gaps and held (pairs of a code and how many records wait with it).
    """
    from citycard.clearing.status import status

    now = status(opened(folder))
    if as_json:
        emit(now)
        return
    table(
        ("files", "code", "count", "records", "yuan"),
        [(one.state, one.code, one.files, one.records, yuan(one.amount_fen)) for one in now.files],
    )
    print_missing(now.missing)
    say(f"last run {now.last_run}, {now.waiting_records} records wait")
    say(f"gaps: {now.card_gaps} of cards, {now.terminal_gaps} of terminals")
    for code, records in now.held:
        say(f"held with {code}: {records} records, until a later run decides them")
    if now.open_run is not None:
        say(f"run {now.open_run} was interrupted: `citycard clearing run` finishes it")


@group.command("statement")
@click.argument("partner", required=False)
@click.option(
    "--run",
    "number",
    type=click.IntRange(min=1),
    help="The run (default: the last one, of PARTNER the last with a statement).",
)
@city_option
@json_option
def statement_command(partner: str | None, number: int | None, folder: Path, as_json: bool) -> None:
    """Print the statement of PARTNER, or one line for every partner.

    With --json: an object, without PARTNER an array of them, with run, partner, name, account_name,
    account_no, bank_bic, records, gross_fen, fee_fen, net_fen, carried_fen, held_fen, end_to_end, days, codes
    and adjustments.
    """
    from citycard.clearing.statements import statement_of, statements_of

    city = opened(folder)
    found = [statement_of(city, partner, number)] if partner else list(statements_of(city, number))
    if as_json:
        emit(found[0] if partner else found)
        return
    table(
        ("run", "partner", "records", "gross", "fee", "net", "carried", "held", "payment"),
        [
            (
                one.run,
                one.partner,
                one.records,
                yuan(one.gross_fen),
                yuan(one.fee_fen),
                yuan(one.net_fen),
                yuan(one.carried_fen),
                yuan(one.held_fen),
                one.end_to_end or "-",
            )
            for one in found
        ],
    )
    if partner:
        table(
            ("business date", "state", "code", "records", "yuan"),
            [
                (line.business_date, line.state, line.code, line.records, yuan(line.amount_fen))
                for line in found[0].codes
            ],
        )
        if found[0].adjustments:
            table(
                ("adjustment", "about", "yuan", "reason"),
                [
                    (line.code, line.about, yuan(line.change_fen), line.reason)
                    for line in found[0].adjustments
                ],
            )


@group.command("explain")
@click.argument("record")
@click.argument("counter", required=False, type=click.IntRange(min=0))
@city_option
@json_option
def explain_command(record: str, counter: int | None, folder: Path, as_json: bool) -> None:
    """Explain RECORD (TERMINAL-BATCH-LINE), or the record of a card number with COUNTER.

    With --json: an object with id, file, raw, record, proofs, price, outcome, transfers, positions, bank,
    decision, adjustments and disputes.
    """
    from citycard.clearing.explanation import explain

    if counter is not None and record.isdecimal():
        record = card_number(record)
    if (counter is not None) != bool(_ASN.fullmatch(record)):
        raise click.UsageError("give TERMINAL-BATCH-LINE, or a card number of 20 digits and a counter")
    found = explain(opened(folder), record if counter is None else (record, counter))
    if as_json:
        emit(found)
    else:
        for title, text in story(found):
            click.echo(f"{title:<10} {text}")


for command in COMMANDS:
    group.add_command(command)


def _batches(files: Iterable[Path]) -> list[Path]:
    """Name each file once; one that has a cover beside it is a sender's, and comes by its cover."""
    from citycard.clearing.arrivals import cover_of
    from citycard.clearing.cover import COVER_SUFFIX

    found: dict[Path, None] = {}
    for file in files:
        inside = [*file.glob("*.ccb"), *file.glob(f"*{COVER_SUFFIX}")] if file.is_dir() else [file]
        for path in sorted(inside):
            found[cover_of(path) if cover_of(path).exists() else path] = None
    return list(found)


def _print_run(report: RunReport) -> None:
    if not report.number:
        return
    table(
        ("state", "code", "records", "yuan"),
        [(total.state, total.code, total.records, yuan(total.amount_fen)) for total in report.totals],
    )
    table(
        ("partner", "records", "gross", "fee", "net", "carried", "paid"),
        [
            (
                one.partner,
                one.records,
                *map(yuan, (one.gross_fen, one.fee_fen, one.net_fen, one.carried_fen, one.paid_fen)),
            )
            for one in report.partners
        ],
    )
    print_missing(report.missing)
    for name, count in report.notes:
        say(f"{name}: {count}")
    say(f"bank instruction: {report.bank_file or 'none, nobody is paid'}")
    say(f"digest {report.digest}")
