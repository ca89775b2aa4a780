"""``citycard clearing lines`` and ``records``: from a partner's statement down to its records."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import click

from citycard.clearing.codes import Code
from citycard.cli.options import city_option, csv_options, json_option, opened
from citycard.cli.output import emit, emit_csv, table
from citycard.money import yuan

__all__ = ["lines_command", "records_command"]

Function = Callable[..., Any]


def _drill_options(function: Function) -> Function:
    run = click.option("--run", "number", type=click.IntRange(min=1), required=True, help="The run.")
    day = click.option("--day", type=click.DateTime(["%Y-%m-%d"]), help="Only this business date.")
    service = click.option("--service", type=click.IntRange(min=0), help="Only this service, by number.")
    code = click.option("--code", type=click.Choice([code.name for code in Code]), help="Only this code.")
    return run(day(service(code(function))))


@click.command("lines")
@click.argument("partner")
@_drill_options
@city_option
@json_option
def lines_command(
    partner: str, number: int, day: datetime | None, service: int | None, code: str | None, folder: Path,
    as_json: bool,
) -> None:  # fmt: skip
    """Break the statement of PARTNER down by day, service and code.

    With --json: an array of objects with business_date, service, state, code, records, amount_fen and
    share_fen, which add up to the statement's gross.
    """
    from citycard.clearing.drilldown import Drill, partner_lines

    drill = Drill(
        partner=partner,
        run=number,
        day=day.date() if day else None,
        service=service,
        code=Code[code] if code else None,
    )
    found = partner_lines(opened(folder), drill)
    if as_json:
        emit(found)
        return
    rows = [
        (
            one.business_date,
            one.service,
            one.state.value,
            one.code,
            one.records,
            yuan(one.amount_fen),
            yuan(one.share_fen),
        )
        for one in found
    ]
    table(("business date", "service", "state", "code", "records", "yuan", "share"), rows)


@click.command("records")
@click.argument("partner")
@_drill_options
@click.option(
    "--limit", type=click.IntRange(min=1), default=1000, show_default=True, help="How many at most."
)
@city_option
@csv_options
@json_option
def records_command(
    partner: str, number: int, day: datetime | None, service: int | None, code: str | None, limit: int,
    folder: Path, as_csv: bool, out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """List the records of PARTNER in a run: those it handed in, and those it got a share of.

    With --json: an array of objects with id, run, business_date, at, card, counter, service, kind,
    amount_fen, list_price_fen, price_fen, state, code, notes, parts (pairs of partner and fen) and partner.
    """
    from citycard.clearing.drilldown import Drill, partner_records, record_csv

    drill = Drill(
        partner=partner,
        run=number,
        day=day.date() if day else None,
        service=service,
        code=Code[code] if code else None,
    )
    found = partner_records(opened(folder), drill, limit=limit)
    if as_json:
        emit(found)
    elif as_csv:
        emit_csv(record_csv(found, partner), out)
    else:
        rows = [
            (
                one.id,
                one.at,
                one.service,
                yuan(one.amount_fen),
                one.state.value,
                one.code,
                yuan(dict(one.parts).get(partner, 0)),
            )
            for one in found
        ]
        table(("record", "at", "service", "yuan", "state", "code", "share"), rows)
