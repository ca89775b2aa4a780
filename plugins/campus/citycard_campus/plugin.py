"""What the core asks of campus; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from datetime import date

    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule
    from citycard.kernel.accounts import LedgerAccount
    from citycard.kernel.data import Event, EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.identity import HealthCheck, PluginContext
    from citycard.kernel.outside import Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import CitizenLine, Participant, Service
    from citycard.keys import KeyPurpose
    from citycard_campus.settings import CampusSettings


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="campus", title="Campus", title_zh="教育消费", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_campus.settings import CampusSettings

    return CampusSettings


@hookimpl
def citycard_sectors() -> Iterable[SectorLayout]:
    from citycard_campus.sectors import ENROLMENT, SESSION

    yield from (ENROLMENT, SESSION)


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_campus.marks import KEY

    yield KEY


@hookimpl
def citycard_services(settings: CampusSettings) -> Iterable[Service]:
    from citycard_campus.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: CampusSettings) -> Iterable[FeeRule]:
    from citycard_campus.fares import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_accounts(settings: CampusSettings) -> Iterable[LedgerAccount]:
    from citycard_campus.services import accounts

    yield from accounts(settings)


@hookimpl
def citycard_participants(settings: CampusSettings) -> Iterable[Participant]:
    from citycard_campus.services import participants

    yield from participants(settings)


@hookimpl
def citycard_schema() -> Schema:
    from citycard_campus.tables import SCHEMA

    return SCHEMA


@hookimpl
def citycard_personal_data() -> Iterable[PersonalData]:
    from citycard_campus.personal import PERSONAL_DATA

    yield from PERSONAL_DATA


@hookimpl
def citycard_event_types() -> Iterable[EventType]:
    from citycard_campus.events import EVENTS

    yield from EVENTS


@hookimpl
def citycard_on_event(event: Event, context: PluginContext) -> None:
    from citycard_campus.jobs import hear

    hear(event, context)


@hookimpl
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    from citycard_campus.campus import Campus
    from citycard_campus.guardians import lines

    yield from lines(Campus(context.city, context.settings), asn)


@hookimpl
def citycard_health() -> Iterable[HealthCheck]:
    from citycard_campus.jobs import CHECKS

    yield from CHECKS


@hookimpl
def citycard_live_day(context: PluginContext, day: date, accounts: Sequence[str]) -> Iterable[Lived]:
    from citycard_campus.campus import Campus
    from citycard_campus.live import live_day

    yield from live_day(Campus.of(context.city), day, accounts)


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_campus.permissions import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_routes() -> Iterable[Route]:
    from citycard_campus.routes import PAGES, ROUTES

    yield from (*ROUTES, *PAGES)


@hookimpl
def citycard_menu(settings: CampusSettings) -> Iterable[MenuItem]:
    from citycard_campus.permissions import menu

    yield from menu(settings)


@hookimpl
def citycard_jobs() -> Iterable[Job]:
    from citycard_campus.jobs import JOBS

    yield from JOBS


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard_campus.permissions import COMMANDS

    yield from COMMANDS


@hookimpl
def citycard_terminal_config(settings: CampusSettings) -> Iterable[TerminalConfig]:
    from citycard_campus.services import terminal_config

    yield terminal_config(settings)
