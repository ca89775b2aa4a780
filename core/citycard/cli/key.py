"""``citycard key``: which key versions a city has, and how a purpose rolls over. It never shows a key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, say, table

if TYPE_CHECKING:
    from citycard.keys import KeyVersion

__all__ = ["group"]

_ALGORITHMS = ("tdes", "aes", "sm4")


@click.group()
def group() -> None:
    """List the key versions of a city's vault and roll them over."""


@group.command("list")
@city_option
@json_option
def list_versions(folder: Path, as_json: bool) -> None:
    """List every key version: purpose, version, status, algorithm.

    With --json: an array of objects with purpose, version, status (current, accepted, retired) and
    algorithm (tdes, aes, sm4).
    """
    city = opened(folder)
    versions = city.vault.versions()
    city.close()
    _show(versions, as_json)


@group.command("roll")
@click.argument("purpose")
@click.option("--algorithm", type=click.Choice(_ALGORITHMS), help="The algorithm of the new version.")
@city_option
@json_option
def roll(purpose: str, algorithm: str | None, folder: Path, as_json: bool) -> None:
    """Make a new current version of PURPOSE; the old ones stay accepted.

    The purse keys (purchase, load, tac) roll over together. New cards get the new version at once;
    terminals take it with their next configuration. With --json: the array of new versions, as in list.
    """
    from citycard.keys import Algorithm

    chosen = None if algorithm is None else Algorithm[algorithm.upper()]
    city = opened(folder)
    made = city.vault.roll(purpose, chosen)
    computed = city.config.cards.algorithms
    city.close()
    if chosen not in {None, Algorithm.TDES}:
        say(f"citycard key roll: {algorithm} purses are experimental, no published card agrees with them")
        if algorithm not in computed:
            say(f"citycard key roll: first name {algorithm} in algorithms under [cards] of city.toml")
    _show(made, as_json)


def _show(versions: Iterable[KeyVersion], as_json: bool) -> None:
    rows = [
        {
            "purpose": row.purpose,
            "version": row.version,
            "status": row.status.value,
            "algorithm": row.algorithm.name.lower(),
        }
        for row in versions
    ]
    if as_json:
        emit(rows)
    else:
        table(("purpose", "version", "status", "algorithm"), [tuple(row.values()) for row in rows])
