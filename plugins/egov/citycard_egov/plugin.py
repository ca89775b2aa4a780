"""What the core asks of egov; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule
    from citycard.kernel.data import EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.identity import HealthCheck, PluginContext
    from citycard.kernel.outside import Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import CitizenLine, Entitlement, Holder, Participant, Service
    from citycard.keys import KeyPurpose
    from citycard_egov.settings import EgovSettings


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="egov", title="City hall", title_zh="电子政务", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_egov.settings import EgovSettings

    return EgovSettings


@hookimpl
def citycard_health() -> Iterable[HealthCheck]:
    from citycard_egov.health import CHECKS

    yield from CHECKS


@hookimpl
def citycard_sectors() -> Iterable[SectorLayout]:
    from citycard_egov.sectors import RESIDENT

    yield RESIDENT


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_egov.office import IDENTITY_KEY, INDEX_KEY
    from citycard_egov.sectors import RESIDENT_KEY

    yield from (IDENTITY_KEY, RESIDENT_KEY, INDEX_KEY)


@hookimpl
def citycard_services(settings: EgovSettings) -> Iterable[Service]:
    from citycard_egov.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: EgovSettings) -> Iterable[FeeRule]:
    from citycard_egov.fees import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_entitlements(holder: Holder, at: datetime, context: PluginContext) -> Iterable[Entitlement]:
    from citycard_egov.office import Office
    from citycard_egov.rights import entitlements_of

    yield from entitlements_of(Office.within(context), holder.asn, at.date())


@hookimpl
def citycard_participants(settings: EgovSettings) -> Iterable[Participant]:
    from citycard_egov.services import participants

    yield from participants(settings)


@hookimpl
def citycard_schema() -> Schema:
    from citycard.kernel.data import Schema
    from citycard_egov.tables import MIGRATIONS, metadata

    return Schema(metadata=metadata, migrations=MIGRATIONS)


@hookimpl
def citycard_personal_data() -> Iterable[PersonalData]:
    from citycard_egov.personal import PERSONAL_DATA

    yield PERSONAL_DATA


@hookimpl
def citycard_event_types() -> Iterable[EventType]:
    from citycard_egov.events import EVENT_TYPES

    yield from EVENT_TYPES


@hookimpl
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    from citycard_egov.lines import citizen_lines
    from citycard_egov.office import Office

    yield from citizen_lines(Office.within(context), asn)


@hookimpl
def citycard_live_day(context: PluginContext, day: date, accounts: Sequence[str]) -> Iterable[Lived]:
    from citycard_egov.live import live_day
    from citycard_egov.office import Office

    yield from live_day(Office.of(context.city), day, accounts)


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_egov.permissions import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_routes(settings: EgovSettings) -> Iterable[Route]:
    from citycard_egov.routes import routes

    yield from routes(settings)


@hookimpl
def citycard_menu(settings: EgovSettings) -> Iterable[MenuItem]:
    from citycard_egov.permissions import menu

    yield from menu(settings)


@hookimpl
def citycard_jobs() -> Iterable[Job]:
    from citycard_egov.jobs import JOBS

    yield from JOBS


@hookimpl
def citycard_terminal_config(settings: EgovSettings) -> Iterable[TerminalConfig]:
    from citycard_egov.services import terminal_config

    yield terminal_config(settings)


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard.kernel.outside import Command

    for word, module, summary in (
        ("register", "commands", "The resident register: import, conflicts, settle, show."),
        ("card", "cardcommands", "Cards at a window: activate, prove, reset-pin."),
        ("application", "commands", "Applications: the queue of an office, and what is overdue."),
        ("subsidy", "plancommands", "Payment plans: import, approve, pay, report."),
        ("notice", "plancommands", "Public disclosure: publish, withdraw, show."),
        ("exchange", "nodecommands", "The city's side of the exchange: key, ask, log, verify."),
        ("node", "nodecommands", "A node of the exchange: init, peer, import, serve, log, verify."),
    ):
        yield Command(path=("egov", word), target=f"citycard_egov.{module}:{word}", summary=summary)
