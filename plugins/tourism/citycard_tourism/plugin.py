"""What the core asks of tourism; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule
    from citycard.kernel.data import Event, EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.identity import HealthCheck, PluginContext
    from citycard.kernel.outside import Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import CitizenLine, Entitlement, Holder, Participant, Service
    from citycard.keys import KeyPurpose
    from citycard_tourism.settings import TourismSettings


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="tourism", title="Culture and leisure", title_zh="旅游娱乐", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_tourism.settings import TourismSettings

    return TourismSettings


@hookimpl
def citycard_sectors() -> Iterable[SectorLayout]:
    from citycard_tourism.sectors import SECTORS

    yield from SECTORS


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_tourism.seals import PURPOSE

    yield PURPOSE


@hookimpl
def citycard_services(settings: TourismSettings) -> Iterable[Service]:
    from citycard_tourism.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: TourismSettings) -> Iterable[FeeRule]:
    from citycard_tourism.fares import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_participants(settings: TourismSettings) -> Iterable[Participant]:
    from citycard_tourism.services import participants

    yield from participants(settings)


@hookimpl
def citycard_entitlements(holder: Holder, at: dt.datetime, context: PluginContext) -> Iterable[Entitlement]:
    from citycard_tourism.office import Office
    from citycard_tourism.vouching import vouched

    yield from vouched(Office.of(context), holder.asn, at.date())


@hookimpl
def citycard_schema() -> Schema:
    from citycard.kernel.data import Schema
    from citycard_tourism.tables import metadata

    return Schema(metadata=metadata, migrations=Path(__file__).parent / "migrations")


@hookimpl
def citycard_personal_data() -> Iterable[PersonalData]:
    from citycard_tourism.personal import PERSONAL

    yield PERSONAL


@hookimpl
def citycard_event_types() -> Iterable[EventType]:
    from citycard_tourism.events import EVENTS

    yield from EVENTS


@hookimpl
def citycard_on_event(event: Event, context: PluginContext) -> None:
    if event.name == "clearing.run-closed":
        from citycard_tourism.office import Office
        from citycard_tourism.takings import give_due
        from citycard_tourism.visits import keep_visits

        office = Office.of(context)
        keep_visits(office)
        # What a purse paid can be given back once its record was cleared.
        give_due(office)


@hookimpl
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    from citycard_tourism.lines import citizen_lines
    from citycard_tourism.office import Office

    yield from citizen_lines(Office.of(context), asn)


@hookimpl
def citycard_live_day(context: PluginContext, day: dt.date, accounts: Sequence[str]) -> Iterable[Lived]:
    from citycard_tourism.live import live_day
    from citycard_tourism.office import Office

    yield from live_day(Office.of(context), day, accounts)


@hookimpl
def citycard_health() -> Iterable[HealthCheck]:
    from citycard_tourism.health import CHECKS

    yield from CHECKS


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_tourism.web import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_routes(settings: TourismSettings) -> Iterable[Route]:
    from citycard_tourism.pages import pages
    from citycard_tourism.web import routes

    yield from routes(settings)
    yield from pages(settings)


@hookimpl
def citycard_menu(settings: TourismSettings) -> Iterable[MenuItem]:
    from citycard_tourism.pages import menu

    yield from menu(settings)


@hookimpl
def citycard_jobs() -> Iterable[Job]:
    from citycard_tourism.jobs import JOBS

    yield from JOBS


@hookimpl
def citycard_terminal_config(settings: TourismSettings) -> Iterable[TerminalConfig]:
    from citycard_tourism.services import terminal_config

    yield terminal_config(settings)


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard.kernel.outside import Command

    for name, summary in (
        ("setup", "Make the points schemes that city.toml declares."),
        ("slots", "Show the slots of a show on a day, and set how many places one has."),
        ("visits", "Count visits by venue and by what let people in, as a table or CSV."),
        ("returns", "Take in a file of books that a machine took back."),
    ):
        target = f"citycard_tourism.commands:{name}"
        yield Command(path=("tourism", name), target=target, summary=summary)
