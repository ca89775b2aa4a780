"""``citycard interconnect send``, ``receive`` and ``status``: files to other cities and from them."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, say, table
from citycard.money import yuan

__all__ = ["receive_command", "send_command", "status_command"]


@click.command("send")
@city_option
@json_option
def send_command(folder: Path, as_json: bool) -> None:
    """Make the files that are due to other cities, under exchange/out; again without harm.

    Due are the records of every run that wait for their issuers, answers to what was cleared for others, and
    the newest list of cards to refuse. With --json: an array of objects with way, city, kind, number, name,
    path, records, amount_fen, gross_fen, fee_fen and more.
    """
    from citycard.exchange.sending import send

    with closing(opened(folder)) as city:
        made = send(city)
        place = city.folder
    if as_json:
        emit(made)
        return
    for file in made:
        click.echo(place / file.path)
    say(f"{len(made)} files for other cities")


@click.command("receive")
@click.argument(
    "files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True), metavar="FILE..."
)
@city_option
@json_option
def receive_command(files: tuple[Path, ...], folder: Path, as_json: bool) -> int:
    """Take in every FILE of another city; a folder stands for every .ccx file in it.

    Leaves with 1 when a file is quarantined. With --json: an object with accepted, duplicate, quarantined,
    and files, an array of the objects of ``interconnect send`` with state, code and reason.
    """
    from citycard.exchange.receiving import receive

    found: list[Path] = []
    for file in files:
        found += sorted(file.glob("*.ccx")) if file.is_dir() else [file]
    with closing(opened(folder)) as city:
        ended = receive(city, found)
    counts = {
        state: sum(file.state == state for file in ended)
        for state in ("accepted", "duplicate", "quarantined")
    }
    if as_json:
        emit(counts | {"files": ended})
    else:
        table(
            ("file", "state", "code", "records", "yuan", "reason"),
            [
                (file.name, file.state, file.code, file.records, yuan(file.amount_fen), file.reason)
                for file in ended
            ],
        )
    return 1 if counts["quarantined"] else 0


@click.command("status")
@click.argument("city_code", metavar="CODE", required=False, default="")
@city_option
@json_option
def status_command(city_code: str, folder: Path, as_json: bool) -> None:
    """Say where every file and record of the exchange ended, with all cities or with the city CODE.

    With --json: an object with files, missing (city, kind and number of files that did not come), and
    accounts: for each file of records way, city, number, records, amount_fen, and totals by state and code.
    """
    from citycard.exchange.reports import exchange_status

    with closing(opened(folder)) as city:
        now = exchange_status(city, city_code)
    if as_json:
        emit(now)
        return
    table(
        ("way", "city", "file", "state", "code", "records", "yuan"),
        [
            (account.way, account.city, account.number, total.state, total.code or "-", total.records,
             yuan(total.amount_fen))
            for account in now.accounts
            for total in account.totals
        ],
    )  # fmt: skip
    for file in now.files:
        if file.state != "accepted":
            say(f"{file.name}: {file.state} {file.code}, {file.reason}")
    for one in now.missing:
        say(f"F05: {one.kind} {one.number} of city {one.city} is missing: have it sent again")
