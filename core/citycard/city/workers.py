"""A city as a worker of clearing has it: folder, keys and prices, and no database.

Other machines may see the city's folder and not its database. So which plugins are on is told to a worker,
and everything else it finds as any process does: ``city.toml`` and the vault in the folder, the passphrase or
PIN in its own environment or in the folder. No secret is ever told.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import attrs

from citycard.city.config import read_config
from citycard.city.tariffs import Earlier, Priced, Tariffs, earlier_settings
from citycard.city.vaults import open_vault
from citycard.errors import WorkerDiffers
from citycard.kernel.choices import Choices
from citycard.kernel.plugins import Plugins
from citycard.store import reading

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.keys.keptvault import KeptVault

__all__ = ["CityWorker", "open_worker", "worker_of"]


@attrs.frozen(kw_only=True)
class CityWorker(Priced):
    """What judging a bucket asks of a city (``clearing.context.Worker``)."""

    folder: Path
    vault: KeptVault
    tariffs: Tariffs


def worker_of(city: City) -> Callable[[], CityWorker]:
    """Give what makes a worker of a city elsewhere; it can be pickled and has no secret in it."""
    with reading(city.engine) as conn:
        earlier = earlier_settings(city, conn)
    return partial(open_worker, city.folder.resolve(), _running(city.plugins), earlier)


def open_worker(folder: Path, on: tuple[tuple[str, str], ...], earlier: Earlier = ()) -> CityWorker:
    """Open a city in a folder for judging, with these plugins on, each by name and distribution.

    ``earlier`` are the settings by which records of earlier configurations are priced.

    Raise WorkerDiffers when one of them does not run here or is of another version: it would price
    otherwise. The vault's and the configuration's errors are those of ``City.open``.
    """
    config = read_config(folder)
    choices = Choices(allow=config.allow, enable=tuple(name for name, _ in on), plugins=config.plugins)
    plugins = Plugins.open(choices, folder=folder)
    here = _running(plugins)
    if here != on:
        raise WorkerDiffers(what="plugins", theirs=_words(here), ours=_words(on))
    return CityWorker(folder=folder, vault=open_vault(folder, config), tariffs=Tariffs(plugins, earlier))


def _running(plugins: Plugins) -> tuple[tuple[str, str], ...]:
    return tuple(
        (report.name, f"{report.distribution} {report.version}")
        for report in plugins.reports()
        if report.running
    )


def _words(plugins: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(distribution for _, distribution in plugins) or "none"
