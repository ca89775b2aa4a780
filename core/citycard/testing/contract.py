"""What every plugin has to keep, as tests to inherit.

Pytest runs them all for your plugin::

    from citycard.testing.contract import PluginContract

    class TestZoo(PluginContract):
        plugin = "zoo"
        settings = {"ticket_fen": 2000}

Your plugin must be installed, as it will be found by its entry point. Every test works in a fresh city.
"""

from __future__ import annotations

import asyncio
import importlib
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from sqlalchemy import Engine, inspect

from citycard.card import decode, encode
from citycard.clearing.pricing import Adjustment, PriceRequest
from citycard.errors import PluginRefused
from citycard.kernel import Plugins, State
from citycard.kernel.choices import Choices
from citycard.kernel.entries import required_names
from citycard.kernel.outside import PUBLIC, imported, name_of
from citycard.store import open_store, reading
from citycard.store.migrate import downgrade_plugin, drift, upgrade, upgrade_plugin
from citycard.store.schema import plugin_owner
from citycard.testing.town import Town

__all__ = ["LivedDaysContract", "PluginContract"]

_AMOUNTS_FEN = (0, 1, 99, 200, 12_345)
_NOBODY = "0" * 20


class PluginContract:
    """The tests to inherit. ``plugin`` is the plugin's name, ``settings`` what city.toml would hold."""

    plugin: ClassVar[str]
    settings: ClassVar[Mapping[str, Any]] = {}

    @pytest.fixture
    def engine(self, tmp_path: Path) -> Iterator[Engine]:
        """Give a fresh city's database."""
        engine = open_store(f"sqlite:///{tmp_path / 'city.sqlite'}")
        upgrade(engine)
        yield engine
        engine.dispose()

    @pytest.fixture
    def plugins(self, engine: Engine, tmp_path: Path) -> Plugins:
        """Give a fresh city's plugins, with this one and those it needs switched on."""
        return self.opened(engine, tmp_path)

    def opened(self, engine: Engine, folder: Path, **settings: Any) -> Plugins:
        """Open a city's plugins and switch this one on; ``settings`` are added to the plugin's own."""
        choices = Choices(plugins={self.plugin: {**self.settings, **settings}})
        plugins = Plugins.open(choices, engine, folder=folder)
        self._enable(plugins, self.plugin)
        return plugins

    def _enable(self, plugins: Plugins, name: str) -> None:
        plugins.discover()
        entry = plugins.described(name)
        for needed in required_names(entry.requires):
            self._enable(plugins, needed)
        plugins.enable(name, by="contract tests")

    # ── identity and life ────────────────────────────────────────────────────────────────────────

    def test_it_is_found_and_runs(self, plugins: Plugins) -> None:
        """It is installed with an entry point of its own name, and a fresh city can run it."""
        report = plugins.report(self.plugin)

        assert report.state is State.ENABLED, report.reason
        assert report.title

    def test_it_declares_the_same_again(self, plugins: Plugins, engine: Engine, tmp_path: Path) -> None:
        """What it claims does not depend on chance, on time, or on how often it is asked."""
        claims = plugins.report(self.plugin).claims

        again = Plugins.open(plugins.choices, engine, folder=tmp_path)

        assert claims == again.report(self.plugin).claims

    def test_it_can_be_switched_off_and_on_again(self, plugins: Plugins) -> None:
        """Off leaves no record behind, on brings all of them back."""
        before = _running(plugins, self.plugin)

        plugins.disable(self.plugin, by="contract tests")
        off = _running(plugins, self.plugin)
        plugins.enable(self.plugin, by="contract tests")

        assert not any(off.values())
        assert before == _running(plugins, self.plugin)

    def test_it_refuses_a_setting_that_it_does_not_know(self, engine: Engine, tmp_path: Path) -> None:
        """A misspelt key in city.toml is told by its path, never ignored."""
        with pytest.raises(PluginRefused, match=rf"plugins\.{self.plugin}[.:].*no_such_setting"):
            self.opened(engine, tmp_path, no_such_setting=1)

    def test_its_lifespan_opens_and_closes(self, plugins: Plugins) -> None:
        """A server can start it and end it, twice."""

        async def serve() -> list[str]:
            async with plugins.serving():
                return plugins.starting()

        for _ in range(2):
            assert self.plugin not in asyncio.run(serve())
        assert not plugins.report(self.plugin).failures

    def test_it_is_well_in_a_fresh_city(self, plugins: Plugins) -> None:
        """Its health checks have nothing to say where nothing happened yet."""
        results = {check.record.name: said for check, said in plugins.health() if self._owns(check)}

        assert dict.fromkeys(results) == results

    # ── the card ─────────────────────────────────────────────────────────────────────────────────

    def test_its_sectors_are_read_as_they_were_written(self, plugins: Plugins) -> None:
        """Every example of a sector's bytes gives its record, and the record the bytes; so do fresh bytes."""
        for sector in (each.record for each in plugins.sectors() if self._owns(each)):
            fresh = (sector.initial, decode(sector.record, sector.initial))
            for data, record in (*sector.examples, fresh):
                assert record == decode(sector.record, data)
                assert data == encode(record)

    # ── money ────────────────────────────────────────────────────────────────────────────────────

    def test_its_fee_rules_answer_the_same_again(self, plugins: Plugins) -> None:
        """A rule is a function of its request: asked twice, it says the same, and never a negative amount."""
        for rule in (each.record for each in plugins.fee_rules() if self._owns(each)):
            services = rule.services or [each.record.name for each in plugins.services()]
            for service in services:
                request = PriceRequest(service=service, at=datetime(2018, 9, 1, 8, 30), list_price_fen=200)  # noqa: DTZ001 - local time
                for amount_fen in _AMOUNTS_FEN:
                    answer = rule.apply(request, amount_fen)
                    assert answer is None or isinstance(answer, Adjustment)
                    assert answer == rule.apply(request, amount_fen)

    # ── data ─────────────────────────────────────────────────────────────────────────────────────

    def test_its_tables_are_as_its_migrations_make_them(self, plugins: Plugins, engine: Engine) -> None:
        """Upgraded, the database has what the code declares; taken down, nothing; and up again, all."""
        for schema in (each.record for each in plugins.schemas() if self._owns(each)):
            arguments = (self.plugin, schema.metadata, Path(schema.migrations))
            with reading(engine) as conn:
                assert drift(conn, plugin_owner(*arguments, schema.core_schema)) == []
            downgrade_plugin(engine, *arguments)
            tables = inspect(engine).get_table_names()
            assert not [name for name in tables if name.startswith(f"{self.plugin}_")]
            assert upgrade_plugin(engine, *arguments, schema.core_schema).up_to_date

    def test_it_knows_nothing_about_nobody(self, plugins: Plugins, engine: Engine) -> None:
        """For a card that never was, there is nothing to hand over and nothing to erase."""
        for kind in (each.record for each in plugins.personal_data() if self._owns(each)):
            with engine.begin() as conn:
                assert list(kind.export(conn, _NOBODY)) == []
                assert kind.erase(conn, _NOBODY) == 0

    # ── the outside ──────────────────────────────────────────────────────────────────────────────

    def test_its_endpoints_are_described_and_guarded(self, plugins: Plugins) -> None:
        """Each endpoint has a summary, and what it names is there; none that writes is open to everybody."""
        for route in (each.record for each in plugins.routes() if self._owns(each)):
            assert route.summary.strip(), route.path
            assert route.permission != PUBLIC or set(route.methods) <= {"GET", "HEAD"}, route.path
            assert len(route.bodies) == len(("request", "response")), route.path
            named = name_of(route.endpoint)
            assert not named or callable(imported(named)), route.path

    def test_its_commands_can_be_called(self, plugins: Plugins) -> None:
        """Each command's target is there and is a click command with a line of help."""
        import click

        for command in (each.record for each in plugins.commands() if self._owns(each)):
            module, _, attribute = command.target.partition(":")
            found = getattr(importlib.import_module(module), attribute)
            assert isinstance(found, click.Command), command.target
            assert found.help, command.target

    def test_its_terminal_configuration_is_plain(self, plugins: Plugins) -> None:
        """Terminals get JSON, the same every time."""
        config = plugins.terminal_config()

        assert config == json.loads(json.dumps(config))
        assert config == plugins.terminal_config()

    def _owns(self, owned: Any) -> bool:
        return bool(owned.owner.plugin == self.plugin)


def _running(plugins: Plugins, name: str) -> dict[str, int]:
    families = (
        plugins.sectors, plugins.key_purposes, plugins.card_products, plugins.services, plugins.fee_rules,
        plugins.accounts, plugins.participants, plugins.schemas, plugins.personal_data, plugins.event_types,
        plugins.routes, plugins.permissions, plugins.menu, plugins.jobs, plugins.commands,
    )  # fmt: skip
    return {family.__name__: sum(owned.owner.plugin == name for owned in family()) for family in families}


class LivedDaysContract:
    """The test to inherit where citizens use a plugin online in a simulated city (``citycard_live_day``).

    ``config`` is the city.toml of a city that has the plugin, ``hierarchies`` the key hierarchies it needs.
    """

    plugin: ClassVar[str]
    config: ClassVar[Path]
    hierarchies: ClassVar[Sequence[str]] = ()

    def test_two_days_are_lived_once_each_and_the_books_balance(self, tmp_path: Path) -> None:
        """A day does everything the plugin says, and nothing when it is lived again; so does the next."""
        town = Town.of(tmp_path, self.config, domains=[self.plugin], hierarchies=self.hierarchies)
        try:
            self._live(town)
        finally:
            town.close()

    def _live(self, town: Town) -> None:
        accounts = [town.account(town.card(), 200_000) for _ in range(4)]
        first = town.live_day(self.plugin, accounts)
        assert first
        assert all(count > 0 for count in first.values()), first
        before = _trial_balance(town)
        town.live_day(self.plugin, accounts)
        assert _trial_balance(town) == before
        town.clear()
        town.check_books()
        lines = town.city.plugins.citizen_lines(accounts[0])
        assert {line.owner.plugin for line in lines} == {self.plugin}
        town.pass_time(timedelta(days=1))
        town.live_day(self.plugin, accounts)
        town.clear()
        town.check_books()
        assert len(town.city.plugins.citizen_lines(accounts[0])) >= len(lines)


def _trial_balance(town: Town) -> Any:
    with reading(town.city.engine) as conn:
        return town.city.ledger.trial_balance(conn)
