"""``citycard terminal lists``: the cards to refuse, as signed files for terminals."""

from __future__ import annotations

from pathlib import Path

import click

from citycard.cli.options import NewFile, city_option, json_option, opened
from citycard.cli.output import emit

__all__ = ["lists"]


@click.command()
@click.option("--full", is_flag=True, help="The whole newest list.")
@click.option("--since", type=click.IntRange(min=0), metavar="N", help="What changed after list N.")
@click.option("--out", required=True, type=NewFile(again=True), help="The file to write (docs/lists.md).")
@city_option
@json_option
def lists(full: bool, since: int | None, out: Path, folder: Path, as_json: bool) -> None:
    """Write the cards to refuse into a signed file: whole with --full, or what changed with --since.

    With --json: an object with number, since (null for a full list), bytes, and out.
    """
    from citycard.city.lists import changed_list, full_list
    from citycard.files import write_whole
    from citycard.registry import blacklist_number
    from citycard.store import reading

    if full is (since is not None):
        raise click.UsageError("which list? the whole one with --full, or what changed with --since N")
    city = opened(folder)
    data = full_list(city) if since is None else changed_list(city, since)
    with reading(city.engine) as conn:
        number = blacklist_number(conn)
    city.close()
    write_whole(out, data)
    if as_json:
        emit({"number": number, "since": since, "bytes": len(data), "out": out})
    else:
        click.echo(f"list {number}: {len(data)} bytes in {out}")
