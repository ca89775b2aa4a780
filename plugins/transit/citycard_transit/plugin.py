"""What the core asks of transit; the only module with hooks. What is heavy is imported when it is asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from citycard import PluginInfo, hookimpl

if TYPE_CHECKING:
    from citycard.card.product import CardProduct
    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule
    from citycard.kernel.outside import Command, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import Participant, Service
    from citycard.keys import KeyPurpose
    from citycard_transit.settings import TransitSettings


@hookimpl
def citycard_plugin() -> PluginInfo:
    return PluginInfo(name="transit", title="Bus and metro", title_zh="公共交通", core=">=0.1,<0.2")


@hookimpl
def citycard_settings() -> type:
    from citycard_transit.settings import TransitSettings

    return TransitSettings


@hookimpl
def citycard_sectors() -> Iterable[SectorLayout]:
    from citycard_transit.sectors import RAIL

    yield RAIL


@hookimpl
def citycard_key_purposes() -> Iterable[KeyPurpose]:
    from citycard_transit.cardbox import KEY

    yield KEY


@hookimpl
def citycard_card_products(settings: TransitSettings) -> Iterable[CardProduct]:
    from citycard_transit.services import card_products

    yield from card_products(settings)


@hookimpl
def citycard_services(settings: TransitSettings) -> Iterable[Service]:
    from citycard_transit.services import services

    yield from services(settings)


@hookimpl
def citycard_fee_rules(settings: TransitSettings) -> Iterable[FeeRule]:
    from citycard_transit.fares import fee_rules

    yield from fee_rules(settings)


@hookimpl
def citycard_participants(settings: TransitSettings) -> Iterable[Participant]:
    from citycard_transit.services import participants

    yield from participants(settings)


@hookimpl
def citycard_permissions() -> Iterable[Permission]:
    from citycard_transit.routes import PERMISSIONS

    yield from PERMISSIONS


@hookimpl
def citycard_routes(settings: TransitSettings) -> Iterable[Route]:
    from citycard_transit.routes import routes

    yield from routes(settings)


@hookimpl
def citycard_menu() -> Iterable[MenuItem]:
    from citycard_transit.routes import MENU

    yield from MENU


@hookimpl
def citycard_terminal_config(settings: TransitSettings) -> Iterable[TerminalConfig]:
    from citycard_transit.services import terminal_config

    yield terminal_config(settings)


@hookimpl
def citycard_commands() -> Iterable[Command]:
    from citycard.kernel.outside import Command

    replay, explain = "citycard_transit.commands", "citycard_transit.commands:explain"
    yield Command(
        path=("replay", "shenzhen"),
        target=f"{replay}:shenzhen",
        summary="Play a file of published taps, then clear and settle it.",
    )
    yield Command(
        path=("replay", "morning"),
        target=f"{replay}:morning",
        summary="Play a generated morning, then clear and settle it.",
    )
    yield Command(
        path=("transit", "explain"),
        target=explain,
        summary="Say how the price of a ride came to be, rule by rule.",
    )
