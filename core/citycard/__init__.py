"""citycard: one card for everything in a city. This module is what a plugin author imports.

A plugin is a distribution with an entry point in the group ``citycard``::

    [project.entry-points.citycard]
    zoo = "citycard_zoo.plugin"

and a module ``plugin.py`` whose functions declare what the plugin brings::

    from citycard import Adjustment, FeeRule, PluginInfo, Service, Stage, hookimpl

    @hookimpl
    def citycard_plugin():
        return PluginInfo(name="zoo", title="City zoo", core=">=0.1,<0.2")

    @hookimpl
    def citycard_services():
        yield Service(name="zoo", number=700, title="Zoo")

    @hookimpl
    def citycard_fee_rules():
        yield FeeRule(
            name="zoo-ticket",
            stage=Stage.BASE,
            services=("zoo",),
            apply=lambda request, amount_fen: Adjustment(amount_fen=2000, reason="day ticket"),
        )

Then ``citycard plugin enable zoo`` switches it on. Every hook, with an example: docs/plugins.md. The fields
of a layout (``unsigned``, ``bcd``, ``moment``, ...) are in ``citycard.codec``; the tests your plugin
inherits are in ``citycard.testing.contract``. Names are imported when
they are used, so ``import citycard`` costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.card import CardProduct, SectorLayout, codec, decode, encode, layout
    from citycard.clearing.context import Share
    from citycard.clearing.pricing import Adjustment, FeeRule, PriceRequest, Quote, Stage
    from citycard.errors import CitycardError, Phrase
    from citycard.ids import derived_id, new_id
    from citycard.kernel.accounts import LedgerAccount
    from citycard.kernel.data import Event, EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.hookspecs import hookimpl
    from citycard.kernel.identity import HealthCheck, PluginContext, PluginInfo
    from citycard.kernel.outside import PUBLIC, Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import (
        CitizenLine,
        DebitRequest,
        Entitlement,
        Holder,
        Participant,
        Refusal,
        Service,
    )
    from citycard.kernel.settings import secret
    from citycard.keys import KeyPurpose
    from citycard.money import parse_yuan, percent_of, split, yuan

__version__ = "0.1.0"

__all__ = [
    "PUBLIC",
    "Adjustment",
    "CardProduct",
    "CitizenLine",
    "CitycardError",
    "Command",
    "DebitRequest",
    "Entitlement",
    "Event",
    "EventType",
    "FeeRule",
    "HealthCheck",
    "Holder",
    "Job",
    "KeyPurpose",
    "LedgerAccount",
    "Lived",
    "MenuItem",
    "Participant",
    "Permission",
    "PersonalData",
    "Phrase",
    "PluginContext",
    "PluginInfo",
    "PriceRequest",
    "Quote",
    "Refusal",
    "Route",
    "Schema",
    "SectorLayout",
    "Service",
    "Share",
    "Stage",
    "TerminalConfig",
    "__version__",
    "codec",
    "decode",
    "derived_id",
    "encode",
    "hookimpl",
    "layout",
    "new_id",
    "parse_yuan",
    "percent_of",
    "secret",
    "split",
    "yuan",
]

# Where each name stands.
_MODULES = {
    "citycard.card": ("CardProduct", "SectorLayout", "decode", "encode", "layout"),
    "citycard.clearing.context": ("Share",),
    "citycard.clearing.pricing": ("Adjustment", "FeeRule", "PriceRequest", "Quote", "Stage"),
    "citycard.errors": ("CitycardError", "Phrase"),
    "citycard.ids": ("derived_id", "new_id"),
    "citycard.kernel.data": ("Event", "EventType", "PersonalData", "Schema"),
    "citycard.kernel.habits": ("Lived",),
    "citycard.kernel.hookspecs": ("hookimpl",),
    "citycard.kernel.identity": ("HealthCheck", "PluginContext", "PluginInfo"),
    "citycard.kernel.outside": (
        "Command",
        "Job",
        "MenuItem",
        "PUBLIC",
        "Permission",
        "Route",
        "TerminalConfig",
    ),
    "citycard.kernel.accounts": ("LedgerAccount",),
    "citycard.kernel.services": (
        "CitizenLine",
        "DebitRequest",
        "Entitlement",
        "Holder",
        "Participant",
        "Refusal",
        "Service",
    ),
    "citycard.kernel.settings": ("secret",),
    "citycard.keys": ("KeyPurpose",),
    "citycard.money": ("parse_yuan", "percent_of", "split", "yuan"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name == "codec":
        return importlib.import_module("citycard.card.codec")
    if name not in _HOME:
        msg = f"module 'citycard' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(importlib.import_module(_HOME[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
