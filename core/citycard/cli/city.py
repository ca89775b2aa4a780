"""``citycard city``: make a city in a folder, bring it up to date, look at it."""

from __future__ import annotations

from pathlib import Path

import attrs
import click

from citycard.cli.lazy import ListedGroup
from citycard.cli.options import city_option, json_option, limit_option, opened
from citycard.cli.output import emit, say, table

__all__ = ["group"]


@click.group(cls=ListedGroup)
def group() -> None:
    """Make a city, bring it up to date, look at it."""


@group.command("create")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--config",
    "template",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The city.toml to begin with (default: the one already in FOLDER).",
)
@json_option
def create(folder: Path, template: Path | None, as_json: bool) -> None:
    """Make a city in FOLDER: its database, its keys, its configuration.

    The vault's passphrase is CITYCARD_VAULT_PASSPHRASE, or is drawn into FOLDER/vault.pass. With --json: an
    object with folder, name, code and issuer.
    """
    from citycard.city import City
    from citycard.city.config import CONFIG_NAME
    from citycard.errors import CityNotFound

    source = template or folder / CONFIG_NAME
    if not source.exists():
        raise CityNotFound(folder=folder)
    city = City.create(folder, source)
    about = city.config.city
    city.close()
    if as_json:
        emit({"folder": folder, "name": about.name, "code": about.code, "issuer": about.issuer})
    else:
        say(f"made a city in {folder}")


@group.command("upgrade")
@city_option
@json_option
def upgrade(folder: Path, as_json: bool) -> None:
    """Bring the tables of the core and of every plugin that is on up to date; again without harm.

    The partners and ledger accounts that plugins declare are opened, those that are missing. With --json: an
    object with folder and plugins, the names of those that are on.
    """
    city = opened(folder)
    city.upgrade()
    enabled = [report.name for report in city.plugins.reports() if report.running]
    city.close()
    if as_json:
        emit({"folder": folder, "plugins": enabled})
    else:
        say(f"the city in {folder} is up to date")


@group.command("deliver")
@limit_option
@city_option
@json_option
def deliver(limit: int, folder: Path, as_json: bool) -> None:
    """Tell the plugins the events that wait; a server does the same every second.

    With --json: an object with delivered, the number of events told.
    """
    city = opened(folder)
    told = city.deliver(limit)
    city.close()
    if as_json:
        emit({"delivered": told})
    else:
        say(f"told {told} events")


@group.command("show")
@city_option
@json_option
def show(folder: Path, as_json: bool) -> None:
    """Show what a city holds.

    With --json: an object with name, name_zh, code, folder, plugins (array of names that are on) and counts
    (districts, partners, terminals, places, cards).
    """
    from citycard import registry
    from citycard.store import reading

    city = opened(folder)
    with reading(city.engine) as conn:
        counts = {
            "districts": len(registry.districts(conn)),
            "partners": len(registry.partners(conn)),
            "places": len(registry.places(conn)),
            "terminals": len(registry.terminals(conn)),
            "cards": sum(registry.count_cards(conn).values()),
        }
    enabled = [report.name for report in city.plugins.reports() if report.running]
    named = attrs.asdict(city.config.city)
    city.close()
    if as_json:
        emit(
            {key: named[key] for key in ("name", "name_zh", "code")}
            | {"folder": str(folder), "plugins": enabled, "counts": counts}
        )
        return
    table(("", named["name"]), [("plugins", ", ".join(enabled) or "none"), *counts.items()])
