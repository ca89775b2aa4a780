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
from citycard.city.rating import alike, claimed_fen, rate, with_claims
from citycard.city.vaults import open_vault
from citycard.errors import WorkerDiffers
from citycard.kernel.choices import Choices
from citycard.kernel.plugins import Plugins

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.clearing.columns import Array
    from citycard.clearing.context import Rating
    from citycard.keys.keptvault import KeptVault
    from citycard.terminal.record import TransactionRecord

__all__ = ["CityWorker", "open_worker", "worker_of"]


@attrs.frozen(kw_only=True)
class CityWorker:
    """What judging a bucket asks of a city (``clearing.context.Worker``)."""

    folder: Path
    vault: KeptVault
    plugins: Plugins

    @property
    def rules_version(self) -> str:
        """The version of the fee rules of every plugin that is on."""
        return self.plugins.rules().version

    def rate(self, record: TransactionRecord) -> Rating:
        """Price a record and name its payees (``rating.rate``)."""
        return rate(self.plugins, self.plugins.rules(), record)

    def claimed_fen(self, service: int, records: Array) -> Array | None:
        """Give what terminals say that cards paid before on the day (``rating.claimed_fen``)."""
        return claimed_fen(self.plugins, service, records)

    def with_claims(self, service: int, records: Array, spent_fen: Array) -> Array:
        """Give records whose terminals claim this instead (``rating.with_claims``)."""
        return with_claims(self.plugins, service, records, spent_fen)

    def alike(self, service: int, records: Array) -> Array | None:
        """Say which records of a service must cost the same (``rating.alike``)."""
        return alike(self.plugins, self.plugins.rules(), service, records)


def worker_of(city: City) -> Callable[[], CityWorker]:
    """Give what makes a worker of a city elsewhere; it can be pickled and has no secret in it."""
    return partial(open_worker, city.folder.resolve(), _running(city.plugins))


def open_worker(folder: Path, on: tuple[tuple[str, str], ...]) -> CityWorker:
    """Open a city in a folder for judging, with these plugins on, each by name and distribution.

    Raise WorkerDiffers when one of them does not run here or is of another version: it would price
    otherwise. The vault's and the configuration's errors are those of ``City.open``.
    """
    config = read_config(folder)
    choices = Choices(allow=config.allow, enable=tuple(name for name, _ in on), plugins=config.plugins)
    plugins = Plugins.open(choices, folder=folder)
    here = _running(plugins)
    if here != on:
        raise WorkerDiffers(what="plugins", theirs=_words(here), ours=_words(on))
    return CityWorker(folder=folder, vault=open_vault(folder, config), plugins=plugins)


def _running(plugins: Plugins) -> tuple[tuple[str, str], ...]:
    return tuple(
        (report.name, f"{report.distribution} {report.version}")
        for report in plugins.reports()
        if report.running
    )


def _words(plugins: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(distribution for _, distribution in plugins) or "none"
