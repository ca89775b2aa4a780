"""What a record should have cost: by the settings of the configuration that its terminal worked under.

A tap may come in days later, when prices are others, or when its domain was switched off. It is priced as the
terminal was told to price it. Each configuration names the settings of the plugins that it was made of;
``Tariffs`` asks those plugins again, with those settings. A configuration that nobody knows is priced as now.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
from sqlalchemy import Connection, func, select

from citycard.store.bulk import select_in

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.clearing.columns import Array
    from citycard.clearing.context import Rating
    from citycard.clearing.pricing import RuleBook
    from citycard.kernel.plugins import Plugins
    from citycard.kernel.reading import Reading
    from citycard.terminal.record import TransactionRecord

__all__ = ["Earlier", "Priced", "Tariffs", "earlier_settings", "newest_number", "settings_now"]

_TOML = "toml"

# The settings of the plugins, by the numbers of the configurations that were made of them.
Earlier = tuple[tuple[tuple[int, ...], Mapping[str, Any]], ...]


@attrs.frozen
class _Tariff:
    """The plugins and rules of some configurations; ``mark`` tells their prices from those of others."""

    mark: int
    plugins: Reading
    rules: RuleBook


class Tariffs:
    """Know by which plugins and rules a record is priced: by the number of its configuration."""

    def __init__(self, plugins: Plugins, earlier: Earlier) -> None:
        self.earlier = earlier
        self._plugins = plugins
        self._now = _Tariff(0, plugins, plugins.rules())
        self._sections = {number: place for place, (numbers, _) in enumerate(earlier) for number in numbers}
        self._made: dict[int, _Tariff] = {}

    def of(self, number: int) -> _Tariff:
        """Give the plugins and rules that a configuration was made of; those of now for one nobody knows."""
        place = self._sections.get(number)
        if place is None:
            return self._now
        if place not in self._made:
            numbers, sections = self.earlier[place]
            then = self._plugins.under(_read(sections))
            # Of several threads the first one's counts.
            self._made.setdefault(place, _Tariff(numbers[0], then, then.rules()))
        return self._made[place]

    @property
    def change(self) -> bool:
        """Say whether any configuration has other prices than those of now."""
        return bool(self.earlier)


class Priced:
    """Price records by ``tariffs``: what judging a record asks of a city, here or in another process."""

    @property
    def tariffs(self) -> Tariffs:
        """What prices records, each by the configuration that its terminal worked under."""
        raise NotImplementedError

    @property
    def rules_version(self) -> str:
        """The version of the fee rules of every plugin that is on."""
        return self.tariffs.of(0).rules.version

    def rate(self, record: TransactionRecord) -> Rating:
        """Price a record and name its payees (``rating.rate``)."""
        from citycard.city import rating

        then = self.tariffs.of(record.config)
        return rating.rate(then.plugins, then.rules, record)

    def of_day(self, service: int) -> bool | None:
        """Say whether a service is part of what prices ask of a card's day (``rating.of_day``)."""
        from citycard.city import rating

        return rating.of_day(self.tariffs.of(0).plugins, service)

    def claimed_fen(self, service: int, records: Array) -> Array | None:
        """Give what terminals say that cards paid before on the day (``rating.claimed_fen``)."""
        from citycard.city import rating

        return rating.claimed_fen(self.tariffs.of(0).plugins, service, records)

    def with_claims(self, service: int, records: Array, spent_fen: Array) -> Array:
        """Give records whose terminals claim this instead (``rating.with_claims``)."""
        from citycard.city import rating

        return rating.with_claims(self.tariffs.of(0).plugins, service, records, spent_fen)

    def alike(self, service: int, records: Array) -> Array | None:
        """Say which records of a service must cost the same (``rating.alike``)."""
        from citycard.city import rating

        tariffs = self.tariffs
        if not tariffs.change:
            now = tariffs.of(0)
            return rating.alike(now.plugins, now.rules, service, records)
        import numpy as np

        numbers = records["config"]
        found = {number: tariffs.of(number) for number in np.unique(numbers).tolist()}
        told: list[tuple[Array, Array]] = []
        for tariff in {one.mark: one for one in found.values()}.values():
            mine = np.isin(numbers, [number for number, one in found.items() if one.mark == tariff.mark])
            rows = rating.alike(tariff.plugins, tariff.rules, service, records[mine])
            if rows is None:
                return None
            mark = np.full((len(rows), 1), tariff.mark, ">u4").view(np.uint8)
            told.append((mine, np.concatenate([mark, rows], axis=1)))
        width = max((rows.shape[1] for _, rows in told), default=0)
        together: Array = np.zeros((len(records), width), np.uint8)
        for mine, rows in told:
            together[mine, : rows.shape[1]] = rows
        return together


def settings_now(city: City) -> tuple[str, dict[str, Any]]:
    """Give the digest and the plain values of what the plugins read their settings from, without secrets."""
    sections = {name: _plain(section) for name, section in city.plugins.sections().items()}
    return hashlib.sha256(json.dumps(sections, sort_keys=True).encode()).hexdigest(), sections


def newest_number(conn: Connection) -> int:
    """Give the number of the newest configuration, 0 before the first."""
    # Imported here, as below: a city is opened without the tables of its registry.
    from citycard.registry.tables import terminal_configuration

    return conn.scalar(select(func.max(terminal_configuration.c.number))) or 0


def earlier_settings(city: City, conn: Connection) -> Earlier:
    """Give the settings of every configuration whose prices may be others than those of now."""
    from citycard.registry.tables import plugin_settings, terminal_configuration

    now, _ = settings_now(city)
    table = terminal_configuration
    query = (
        select(table.c.settings, table.c.number)
        .where(table.c.settings.is_not(None), table.c.settings != now)
        .order_by(table.c.number)
    )
    numbers: dict[str, list[int]] = {}
    for digest, number in conn.execute(query):
        numbers.setdefault(digest, []).append(number)
    rows = select_in(conn, select(plugin_settings), plugin_settings.c.digest, sorted(numbers))
    sections = {row.digest: row.sections for row in rows}
    return tuple((tuple(found), sections[digest]) for digest, found in numbers.items())


def _plain(value: Any) -> Any:
    """Write a value of TOML as one of JSON; a date or a time stands as the TOML that it is."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return {_TOML: value.isoformat()} if isinstance(value, dt.date | dt.time) else value


def _read(value: Any) -> Any:
    """Read back what ``_plain`` wrote."""
    if isinstance(value, Mapping):
        if set(value) == {_TOML}:
            return tomllib.loads(f"value = {value[_TOML]}")["value"]
        return {key: _read(item) for key, item in value.items()}
    return [_read(item) for item in value] if isinstance(value, list) else value
