"""What the core asks of health; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from datetime import date

    from citycard import (
        CardProduct,
        CitizenLine,
        Command,
        EventType,
        FeeRule,
        HealthCheck,
        Job,
        KeyPurpose,
        LedgerAccount,
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
    from citycard_health.settings import HealthSettings


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="health", title="Health", title_zh="居民健康", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_health.settings import HealthSettings

    return HealthSettings


@hookimpl
def citycard_sectors() -> Iterable[SectorLayout]:
    from citycard_health.sectors import EMERGENCY

    yield EMERGENCY


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_health.services import EMERGENCY_KEY

    yield EMERGENCY_KEY


@hookimpl
def citycard_card_products(settings: HealthSettings) -> Iterable[CardProduct]:
    from citycard_health.services import card_products

    yield from card_products(settings)


@hookimpl
def citycard_services(settings: HealthSettings) -> Iterable[Service]:
    from citycard_health.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: HealthSettings) -> Iterable[FeeRule]:
    from citycard_health.fees import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_accounts(settings: HealthSettings) -> Iterable[LedgerAccount]:
    from citycard_health.services import accounts

    yield from accounts(settings)


@hookimpl
def citycard_participants(settings: HealthSettings) -> Iterable[Participant]:
    from citycard_health.services import participants

    yield from participants(settings)


@hookimpl
def citycard_schema() -> Schema:
    from citycard import Schema
    from citycard_health.tables import tables

    return Schema(metadata=tables, migrations=Path(__file__).parent / "migrations")


@hookimpl
def citycard_personal_data() -> Iterable[PersonalData]:
    from citycard_health.privacy import PERSONAL_DATA

    yield PERSONAL_DATA


@hookimpl
def citycard_event_types() -> Iterable[EventType]:
    from citycard_health.events import EVENT_TYPES

    yield from EVENT_TYPES


@hookimpl
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    from citycard_health.lines import citizen_lines

    yield from citizen_lines(context.city, context.settings, asn)


@hookimpl
def citycard_health() -> Iterable[HealthCheck]:
    from citycard_health.jobs import health_checks

    yield from health_checks()


@hookimpl
def citycard_jobs() -> Iterable[Job]:
    from citycard_health.jobs import JOBS

    yield from JOBS


@hookimpl
def citycard_live_day(context: PluginContext, day: date, accounts: Sequence[str]) -> Iterable[Lived]:
    from citycard_health.live import live_day

    yield from live_day(context.city, context.settings, day, accounts)


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_health.permissions import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_routes(settings: HealthSettings) -> Iterable[Route]:
    from citycard_health.routes import routes

    yield from routes(settings)


@hookimpl
def citycard_menu(settings: HealthSettings) -> Iterable[MenuItem]:
    from citycard_health.permissions import menu

    yield from menu(settings)


@hookimpl
def citycard_terminal_config(settings: HealthSettings) -> Iterable[TerminalConfig]:
    from citycard_health.services import terminal_config

    yield terminal_config(settings)


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard import Command

    summaries = {
        "insured": "Take in the insurer's file of who is insured.",
        "schedule": "Take in a file of doctors' schedules.",
        "day": "Write who is expected at a clinic on a day, for its tills.",
        "claims": "Close an insurer's month and write its claim file.",
        "settle": "Pass on what insurers paid to the clinics.",
        "export": "Write a patient's summary as a FHIR document.",
        "import": "Take in a patient's summary from a FHIR document.",
        "sports": "Open the programme that pays sports from the social-security account.",
        "report": "Say what clinics, insurers and venues took and owe.",
    }
    for word, summary in summaries.items():
        target = f"citycard_health.commands:{word}_command"
        yield Command(path=("health", word), target=target, summary=summary)
