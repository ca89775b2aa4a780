"""``citycard utilities``: files in and out, and what desks do with bills."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import click

from citycard.cli.options import NewFile, actor_option, city_option, id_option, json_option, opened
from citycard.cli.output import emit, pairs, say, table
from citycard.money import yuan

if TYPE_CHECKING:
    from citycard.city import City
    from citycard_utilities.settings import UtilitySettings

__all__ = [
    "assign_receipt",
    "bills",
    "check",
    "collect_now",
    "export",
    "import_file",
    "match",
    "pay",
    "reverse_receipt",
    "show_overview",
]

_FILE = click.Path(path_type=Path, exists=True, dir_okay=False)
_DIFFERS = 1


@contextmanager
def _running(folder: Path) -> Iterator[tuple[City, UtilitySettings]]:
    from citycard_utilities.opening import settings_of

    city = opened(folder)
    try:
        yield city, settings_of(city)
    finally:
        city.close()


@click.command("import")
@click.argument("file", type=_FILE)
@click.option("--biller", required=True, help="Whose file it is: the biller's id.")
@actor_option
@city_option
@json_option
def import_file(file: Path, biller: str, actor: str, folder: Path, as_json: bool) -> None:
    """Take a biller's FILE of bills; the same file again gets the same answer.

    Bad lines are told, and then it leaves with 1; the others are taken. With --json: what came of it.
    """
    from citycard_utilities.importing import take_file

    with _running(folder) as (city, settings):
        report = take_file(city, settings, biller, file.read_bytes(), file=file.name, actor=actor)
    if as_json:
        emit(report)
    else:
        words = "taken before: " if report.repeated else ""
        click.echo(
            f"{words}{report.added} new, {report.replaced} replaced, {report.withdrawn} withdrawn,"
            f" {report.unchanged} unchanged, {yuan(report.amount_fen)} yuan"
        )
    for bad in report.bad:
        say(f"{file.name}: line {bad.line}: {bad.field} is {bad.text!r}: expected {bad.expected}")
    if report.bad_count:
        raise SystemExit(_DIFFERS)


@click.command("bills")
@click.option("--biller", required=True, help="The biller's id.")
@click.option("--household", required=True, help="The household's number.")
@city_option
@json_option
def bills(biller: str, household: str, folder: Path, as_json: bool) -> None:
    """Show the bills of a household, open ones first. With --json: the same as an object."""
    from citycard_utilities.bills import bills_of

    with _running(folder) as (city, settings):
        found = bills_of(city, settings, biller, household)
    if as_json:
        emit(found)
        return
    rows = [(one.bill, one.due, yuan(one.amount_fen), yuan(one.to_pay_fen), one.state) for one in found.bills]
    table(("BILL", "DUE", "AMOUNT", "TO PAY", "STATE"), rows)


@click.command("pay")
@click.argument("bill")
@click.option("--biller", required=True, help="The biller's id.")
@click.option("--account", required=True, help="The online account, or the card it hangs on.")
@id_option
@actor_option
@city_option
@json_option
def pay(
    bill: str, biller: str, account: str, identity: UUID, actor: str, folder: Path, as_json: bool
) -> None:
    """Pay BILL from an online account. With --json: the receipt."""
    from citycard_utilities.paying import pay_bill

    with _running(folder) as (city, settings):
        paid = pay_bill(city, settings, identity, account, biller, bill, actor=actor)
    if as_json:
        emit(paid)
    else:
        click.echo(f"{paid.id}: {yuan(paid.amount_fen)} yuan for {paid.bill}")


@click.command("collect")
@city_option
@json_option
def collect_now(folder: Path, as_json: bool) -> None:
    """Collect by direct debit what is near its due date; the job does it every hour.

    With --json: an object with paid, amount_fen, refused and given_up (tries that were the last).
    """
    from citycard_utilities.mandates import collect

    with _running(folder) as (city, settings):
        done = collect(city, settings)
    if as_json:
        emit(done)
    else:
        click.echo(f"{done.paid} paid, {yuan(done.amount_fen)} yuan; {done.refused} refused")


@click.command("match")
@city_option
@json_option
def match(folder: Path, as_json: bool) -> None:
    """Match cleared payments with their bills, and give back what was too much.

    With --json: an object with runs (run, records, amount_fen, surplus_fen, unmatched, credits, readings) and
    returns, which is how many moved.
    """
    from citycard_utilities.handout import hand_out
    from citycard_utilities.matching import match_runs
    from citycard_utilities.returning import give_returns, note_refunds

    with _running(folder) as (city, settings):
        runs = match_runs(city, settings)
        hand_out(city, settings)
        note_refunds(city, settings)
        moved = give_returns(city)
    if as_json:
        emit({"runs": runs, "returns": moved})
        return
    for one in runs:
        click.echo(
            f"run {one.run}: {one.records} records, {yuan(one.amount_fen)} yuan, {one.unmatched} without bill"
        )
    click.echo(f"{moved} returns moved")


@click.command("reverse")
@click.argument("receipt")
@click.option("--reason", required=True, help="Why it goes back.")
@click.option("--approved-by", required=True, help="Who allowed it.")
@id_option
@actor_option
@city_option
@json_option
def reverse_receipt(
    receipt: str,
    reason: str,
    approved_by: str,
    identity: UUID,
    actor: str,
    folder: Path,
    as_json: bool,
) -> None:
    """Give the money of RECEIPT back, and open its bill again.

    With --json: an object with id, receipt, biller, bill, amount_fen, cause, reason, approved_by, actor,
    state, told (what keeps the money) and at.
    """
    from citycard_utilities.returning import reverse

    with _running(folder) as (city, settings):
        back = reverse(city, settings, identity, receipt, reason=reason, approved_by=approved_by, actor=actor)
    if as_json:
        emit(back)
    else:
        click.echo(f"{back.id}: {yuan(back.amount_fen)} yuan, {back.state} {back.told}".rstrip())


@click.command("assign")
@click.argument("receipt")
@click.argument("bill")
@city_option
@json_option
def assign_receipt(receipt: str, bill: str, folder: Path, as_json: bool) -> None:
    """Let the money of RECEIPT, which has no bill, pay BILL of its biller.

    With --json: an object with receipt, bill and applied_fen.
    """
    from citycard_utilities.returning import assign

    with _running(folder) as (city, settings):
        applied_fen = assign(city, settings, receipt, bill)
    if as_json:
        emit({"receipt": receipt, "bill": bill, "applied_fen": applied_fen})
    else:
        click.echo(f"{yuan(applied_fen)} yuan of {receipt} pay {bill}")


@click.command("export")
@click.option("--biller", required=True, help="The biller's id.")
@click.option("--run", type=int, default=None, help="The clearing run (default: the last that paid it).")
@click.option("--out", "--to", "target", type=NewFile(), help="The file (default: BILLER-RUN.csv).")
@city_option
@json_option
def export(biller: str, run: int | None, target: Path | None, folder: Path, as_json: bool) -> None:
    """Write the file of what a run settled with a biller; refused while it does not agree with the ledger.

    The file of a run is made once: later it is the same, byte for byte. With --json: the settlement.
    """
    from citycard.files import write_whole
    from citycard_utilities.handout import dayfile_of
    from citycard_utilities.jobs import after_run
    from citycard_utilities.settlement import settlement_of

    with _running(folder) as (city, settings):
        after_run(city, settings)
        settled = settlement_of(city, settings, biller, run)
        data = dayfile_of(city, settings, biller, settled.run)
    path = target or Path(f"{biller}-{settled.run}.csv")
    write_whole(path, data)
    if as_json:
        emit(settled)
    else:
        click.echo(f"{path}: {len(settled.items)} lines, {yuan(settled.sum_fen)} yuan")


@click.command("check")
@click.argument("file", type=_FILE)
@json_option
def check(file: Path, as_json: bool) -> None:
    """Check a biller's FILE as its receiver does: counts, sums, check sum.

    With --json: an object with biller, run, items, opening_fen, fee_fen, paid_fen, closing_fen and sha256.
    """
    from citycard_utilities.dayfile import read_dayfile

    found = read_dayfile(file.read_bytes(), file=file.name)
    if as_json:
        emit(found)
    else:
        click.echo(f"{found.biller}, run {found.run}: {len(found.items)} lines, {yuan(found.paid_fen)} paid")


@click.command("overview")
@city_option
@json_option
def show_overview(folder: Path, as_json: bool) -> None:
    """Show where bills, files and direct debits stand.

    With --json: an object with totals (of each biller and state), files, unmatched (receipts without a bill),
    pending, returns, mandates, given_up (direct debits) and matched_run.
    """
    from citycard_utilities.overview import overview

    with _running(folder) as (city, _):
        found = overview(city)
    if as_json:
        emit(found)
        return
    rows = [
        (one.biller, one.state, one.bills, yuan(one.amount_fen), yuan(one.settled_fen))
        for one in found.totals
    ]
    table(("BILLER", "STATE", "BILLS", "AMOUNT", "SETTLED"), rows)
    pairs(
        [
            ("without a bill", len(found.unmatched)),
            ("payments pending", found.pending),
            ("returns waiting", len(found.returns)),
            ("mandates", found.mandates),
            ("matched run", found.matched_run),
        ]
    )
