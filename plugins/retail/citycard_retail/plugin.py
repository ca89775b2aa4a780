"""What the core asks of retail; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from datetime import date

    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule
    from citycard.kernel.data import EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.identity import HealthCheck, PluginContext
    from citycard.kernel.outside import Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import CitizenLine, Participant, Service
    from citycard.keys import KeyPurpose
    from citycard_retail.settings import RetailSettings


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="retail", title="Shops and tills", title_zh="小额支付", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_retail.settings import RetailSettings

    return RetailSettings


@hookimpl
def citycard_sectors() -> Iterable[SectorLayout]:
    from citycard_retail.sectors import LAST_SALE

    yield LAST_SALE


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_retail.poskeys import PURPOSE

    yield PURPOSE


@hookimpl
def citycard_services(settings: RetailSettings) -> Iterable[Service]:
    from citycard_retail.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: RetailSettings) -> Iterable[FeeRule]:
    from citycard_retail.prices import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_participants(settings: RetailSettings) -> Iterable[Participant]:
    from citycard_retail.services import participants

    yield from participants(settings)


@hookimpl
def citycard_schema() -> Schema:
    from citycard_retail.tables import SCHEMA

    return SCHEMA


@hookimpl
def citycard_event_types() -> Iterable[EventType]:
    from citycard_retail.events import event_types

    yield from event_types()


@hookimpl
def citycard_terminal_config() -> Iterable[TerminalConfig]:
    from citycard_retail.tillconfig import terminal_config

    yield terminal_config()


@hookimpl
def citycard_jobs() -> Iterable[Job]:
    from citycard_retail.jobs import jobs

    yield from jobs()


@hookimpl
def citycard_live_day(context: PluginContext, day: date, accounts: Sequence[str]) -> Iterable[Lived]:
    from citycard_retail.live import live_day
    from citycard_retail.market import market_of

    yield from live_day(market_of(context.city), day, accounts)


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_retail.web import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_menu() -> Iterable[MenuItem]:
    from citycard_retail.web import MENU

    yield from MENU


@hookimpl
def citycard_routes() -> Iterable[Route]:
    from citycard_retail.web import routes

    yield from routes()


@hookimpl
def citycard_personal_data() -> Iterable[PersonalData]:
    from citycard_retail.citizens import personal_data

    yield from personal_data()


@hookimpl
def citycard_citizen_lines(context: PluginContext, asn: str) -> Iterable[CitizenLine]:
    from citycard_retail.citizens import citizen_lines

    return citizen_lines(context, asn)


@hookimpl
def citycard_health() -> Iterable[HealthCheck]:
    from citycard_retail.health import health_checks

    yield from health_checks()


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard.kernel.outside import Command

    for word, summary in (
        ("apply", "Apply for merchants from a file."),
        ("decide", "Approve or reject an application."),
        ("merchants", "List the merchants."),
        ("statement", "Say what a run came to for a merchant."),
        ("products", "Take in the supermarket's products."),
        ("fee", "Say what fee a sale has."),
        ("pos", "POS that speak ISO 8583: key, serve."),
    ):
        yield Command(path=("retail", word), target=f"citycard_retail.commands:{word}", summary=summary)
