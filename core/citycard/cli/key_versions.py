"""``citycard key list``, ``roll``, ``retire`` and ``hierarchy``: which versions there are, never a key."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, json_option, opened
from citycard.cli.output import emit, say, table

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.city.keyuse import KeyUse
    from citycard.keys import KeyVersion
    from citycard.keys.keptvault import KeptVault

__all__ = ["hierarchy", "list_versions", "retire", "roll"]

_ALGORITHMS = ("tdes", "aes", "sm4")
_PURSE = "purse"
_HIERARCHY = click.option("--hierarchy", "name", default="", help="The hierarchy, when not the city's.")


def _vault(city: City, name: str) -> KeptVault:
    return city.hierarchy(name) if name else city.vault


@click.command("list")
@_HIERARCHY
@city_option
@json_option
def list_versions(name: str, folder: Path, as_json: bool) -> None:
    """List every key version: its status, algorithm, check value, and how many cards may use it.

    With --json: an array of objects with purpose, version, status (waiting, current, accepted, retired,
    test), algorithm (tdes, aes, sm4), kcv, and cards (for the purse keys, else null).
    """
    from citycard.city.keyuse import key_use

    city = opened(folder)
    vault = _vault(city, name)
    rows = _rows(vault, vault.versions(), None if name else key_use(city))
    city.close()
    _show(rows, as_json)


@click.command("roll")
@click.argument("purpose")
@click.option("--algorithm", type=click.Choice(_ALGORITHMS), help="The algorithm of the new version.")
@_HIERARCHY
@city_option
@json_option
def roll(purpose: str, algorithm: str | None, name: str, folder: Path, as_json: bool) -> None:
    """Make a new current version of PURPOSE; the old ones stay accepted.

    The purse keys (purchase, load, tac) roll over together. New cards get the new version at once;
    terminals take it with their next configuration. With --json: the array of new versions, as in list.
    """
    from citycard.keys import Algorithm

    chosen = None if algorithm is None else Algorithm[algorithm.upper()]
    city = opened(folder)
    vault = _vault(city, name)
    rows = _rows(vault, vault.roll(purpose, chosen), None)
    computed = city.config.cards.algorithms
    city.close()
    if chosen not in {None, Algorithm.TDES}:
        say(f"citycard key roll: {algorithm} purses are experimental, no published card agrees with them")
        if algorithm not in computed:
            say(f"citycard key roll: first name {algorithm} in algorithms under [cards] of city.toml")
    _show(rows, as_json)


@click.command("retire")
@click.argument("purpose")
@click.argument("version", type=int)
@click.option("--force", is_flag=True, help="Retire it although cards may still use it.")
@click.option("--test", is_flag=True, help="It was a test key: clearing rejects what it signed (T04).")
@_HIERARCHY
@city_option
@json_option
def retire(
    purpose: str, version: int, force: bool, test: bool, name: str, folder: Path, as_json: bool
) -> None:
    """Stop honouring a VERSION of PURPOSE and its family: cards that have it can no longer pay.

    Refused while cards may use it, and always for the current version. With --json: the array of retired
    versions, as in list.
    """
    from citycard.city.keyuse import key_use
    from citycard.errors import KeyVersionOnCards

    city = opened(folder)
    try:
        vault = _vault(city, name)
        families = {one.name: one.family for one in vault.purposes()}
        if not name and not force and families.get(purpose) == _PURSE:
            use = key_use(city)
            if use.of(version):
                raise KeyVersionOnCards(
                    purpose=purpose, version=version, cards=use.noted.get(version, 0), unknown=use.unknown
                )
        rows = _rows(vault, vault.retire(purpose, version, test=test), None)
    finally:
        city.close()
    _show(rows, as_json)


@click.group("hierarchy", cls=ListedGroup)
def hierarchy() -> None:
    """Make a hierarchy of keys with a root of its own, such as a plugin's."""


@hierarchy.command("create")
@click.argument("name")
@city_option
@json_option
def create_hierarchy(name: str, folder: Path, as_json: bool) -> None:
    """Draw a root for the hierarchy NAME and make its vault; a key ceremony makes one with a known root.

    With --json: an object with hierarchy and vault, the file.
    """
    city = opened(folder)
    vault = city.create_hierarchy(name)
    path = vault.path
    city.close()
    if as_json:
        emit({"hierarchy": name, "vault": path})
    else:
        click.echo(path)


def _rows(vault: KeptVault, versions: Iterable[KeyVersion], use: KeyUse | None) -> list[dict[str, object]]:
    families = {one.name: one.family for one in vault.purposes()}
    return [
        {
            "purpose": row.purpose,
            "version": row.version,
            "status": row.status.value,
            "algorithm": row.algorithm.name.lower(),
            "kcv": vault.check_value(row.purpose, row.version).hex().upper(),
            "cards": use.of(row.version) if use and families[row.purpose] == _PURSE else None,
        }
        for row in versions
    ]


def _show(rows: list[dict[str, object]], as_json: bool) -> None:
    if as_json:
        emit(rows)
        return
    head = ("purpose", "version", "status", "algorithm", "kcv", "cards")
    table(head, [tuple("" if cell is None else cell for cell in row.values()) for row in rows])
