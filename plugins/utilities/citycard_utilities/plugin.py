"""What the core asks of utilities; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from citycard import (
        CitizenLine,
        Command,
        Event,
        EventType,
        FeeRule,
        HealthCheck,
        Job,
        KeyPurpose,
        Lived,
        MenuItem,
        Participant,
        Permission,
        PersonalData,
        PluginContext,
        Route,
        Schema,
        SectorLayout,
        Service,
        TerminalConfig,
    )
    from citycard_utilities.settings import UtilitySettings

_RUN_CLOSED = "clearing.run-closed"


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="utilities", title="Water, power and heat", title_zh="公用事业", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_utilities.settings import UtilitySettings

    return UtilitySettings


@hookimpl
def citycard_health() -> Iterable[HealthCheck]:
    from citycard_utilities.jobs import checks

    yield from checks()


@hookimpl
def citycard_sectors(settings: UtilitySettings) -> Iterable[SectorLayout]:
    from citycard_utilities.sectors import sectors

    yield from sectors(settings)


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_utilities.macs import KEYS

    yield from KEYS


@hookimpl
def citycard_services(settings: UtilitySettings) -> Iterable[Service]:
    from citycard_utilities.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: UtilitySettings) -> Iterable[FeeRule]:
    from citycard_utilities.rules import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_participants(settings: UtilitySettings) -> Iterable[Participant]:
    from citycard_utilities.services import participants

    yield from participants(settings)


@hookimpl
def citycard_schema() -> Schema:
    from citycard import Schema
    from citycard_utilities.tables import tables

    return Schema(metadata=tables, migrations=Path(__file__).parent / "migrations")


@hookimpl
def citycard_personal_data() -> Iterable[PersonalData]:
    from citycard_utilities.personal import PERSONAL

    yield from PERSONAL


@hookimpl
def citycard_event_types() -> Iterable[EventType]:
    from citycard_utilities.events import EVENT_TYPES

    yield from EVENT_TYPES


@hookimpl
def citycard_on_event(event: Event, context: PluginContext) -> None:
    if event.name == _RUN_CLOSED:
        from citycard_utilities.jobs import after_run

        after_run(context.city, context.settings)


@hookimpl
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    from citycard_utilities.notices import citizen_lines

    yield from citizen_lines(context, asn)


@hookimpl
def citycard_live_day(context: PluginContext, day: date, accounts: Sequence[str]) -> Iterable[Lived]:
    from citycard_utilities.live import live_day

    yield from live_day(context.city, context.settings, day, accounts)


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_utilities.permissions import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_menu() -> Iterable[MenuItem]:
    from citycard_utilities.permissions import MENU

    yield from MENU


@hookimpl
def citycard_routes(settings: UtilitySettings) -> Iterable[Route]:
    from citycard_utilities.routes import routes

    yield from routes(settings)


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard_utilities.commandlist import COMMANDS

    yield from COMMANDS


@hookimpl
def citycard_jobs() -> Iterable[Job]:
    from citycard_utilities.jobs import JOBS

    yield from JOBS


@hookimpl
def citycard_terminal_config(settings: UtilitySettings) -> Iterable[TerminalConfig]:
    from citycard_utilities.services import terminal_config

    yield terminal_config(settings)
