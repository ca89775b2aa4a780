"""What the core asks of community; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from datetime import date, datetime

    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule
    from citycard.kernel.data import Event, EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.identity import PluginContext
    from citycard.kernel.outside import Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import CitizenLine, Entitlement, Holder, Participant, Service
    from citycard.keys import KeyPurpose
    from citycard_community.settings import CommunitySettings


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="community", title="Community", title_zh="数字社区", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_community.settings import CommunitySettings

    return CommunitySettings


@hookimpl
def citycard_sectors() -> Iterable[SectorLayout]:
    from citycard_community.sectors import RIGHTS, STAY

    yield RIGHTS
    yield STAY


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_community.rights import KEY

    yield KEY


@hookimpl
def citycard_services(settings: CommunitySettings) -> Iterable[Service]:
    from citycard_community.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: CommunitySettings) -> Iterable[FeeRule]:
    from citycard_community.fees import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_participants(settings: CommunitySettings) -> Iterable[Participant]:
    from citycard_community.services import participants

    yield from participants(settings)


@hookimpl
def citycard_entitlements(holder: Holder, at: datetime, context: PluginContext) -> Iterable[Entitlement]:
    from citycard_community.entitlements import residents

    yield from residents(holder, at, context)


@hookimpl
def citycard_schema() -> Schema:
    from citycard_community.tables import SCHEMA

    return SCHEMA


@hookimpl
def citycard_event_types() -> Iterable[EventType]:
    from citycard_community.events import event_types

    yield from event_types()


@hookimpl
def citycard_terminal_config(settings: CommunitySettings) -> Iterable[TerminalConfig]:
    from citycard_community.running import terminal_config

    yield terminal_config(settings)


@hookimpl
def citycard_personal_data() -> Iterable[PersonalData]:
    from citycard_community.personal import personal_data

    yield from personal_data()


@hookimpl
def citycard_on_event(event: Event, context: PluginContext) -> None:
    from citycard_community.cleared import hear

    hear(event, context)


@hookimpl
def citycard_jobs() -> Iterable[Job]:
    from citycard_community.jobs import jobs

    yield from jobs()


@hookimpl
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    from citycard_community.lines import lines

    yield from lines(context, asn)


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_community.permissions import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_routes() -> Iterable[Route]:
    from citycard_community.api import api_routes
    from citycard_community.routes import page_routes

    yield from api_routes()
    yield from page_routes()


@hookimpl
def citycard_menu(settings: CommunitySettings) -> Iterable[MenuItem]:
    from citycard_community.routes import menu

    yield from menu(settings)


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard.kernel.outside import Command

    summaries = {
        "units": "Take over a file of units with their owners.",
        "fees": "Print the property fees that a community is owed.",
        "openings": "Print who opened the doors of a community.",
    }
    for name, summary in summaries.items():
        yield Command(path=("community", name), target=f"citycard_community.commands:{name}", summary=summary)


@hookimpl
def citycard_live_day(context: PluginContext, day: date, accounts: Sequence[str]) -> Iterable[Lived]:
    from citycard_community.live import live_day

    if context.settings.communities and accounts:
        yield from live_day(context.city, context.settings, day, accounts)
