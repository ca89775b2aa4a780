"""The families of records: which hook declares which class, and what each record of it claims."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable
from typing import Any

import attrs

__all__ = ["FAMILIES", "OPEN_GROUPS", "RESERVED", "STICKY", "Family", "family"]

#: Groups of the core's commands that plugins may add to, beside their own name.
OPEN_GROUPS = frozenset({"replay"})

#: Kinds of claim that outlive the plugin: cards in pockets, ledgers and databases still carry them.
STICKY = frozenset({"sector", "service-number", "key-purpose", "account", "event-type", "table-prefix"})

#: Names no plugin may have: the core's commands, pages and table prefixes, and keys of city.toml.
RESERVED = frozenset({
    "access", "account", "agent", "agents", "allow", "api", "auto", "bank", "batch", "bench",
    "blacklist", "card", "cards", "chargeback", "chip", "citizen", "city", "citycard", "clearing",
    "core", "db", "debit", "enable", "entitlement", "exchange", "float", "foreign", "holder",
    "interconnect", "job", "key", "keys", "ledger", "limit", "load", "manifest", "number",
    "online", "other", "outbox", "partner", "partners", "payment", "personalisation", "place", "plugin",
    "plugins", "points", "product", "providers", "public", "purchase", "record", "refund", "replay",
    "run", "sam", "sandbox", "serve", "simulate", "statement", "static", "stock", "subsidies",
    "subsidy", "supervision", "terminal", "topup", "topups", "transfer", "trust", "wallet", "window",
})  # fmt: skip

Keys = Callable[[Any, str], Iterable[tuple[str, str]]]


@attrs.frozen
class Family:
    """One declaring hook: its name, the class of its records, and what each of them claims."""

    name: str
    record: str
    keys: Keys
    single: bool = False

    @property
    def hook(self) -> str:
        return f"citycard_{self.name}"

    def record_class(self) -> type:
        """Import the class of the records; a plugin that gives one has imported it before."""
        module, _, attribute = self.record.partition(":")
        found: type = getattr(importlib.import_module(module), attribute)
        return found


def _named(kind: str) -> Keys:
    return lambda record, _: [(kind, record.name)]


def _within(kind: str, field: str = "name", between: str = ".") -> Keys:
    """Make keys of names that only have to differ within one plugin."""
    return lambda record, plugin: [(kind, f"{plugin}{between}{getattr(record, field)}".rstrip("/"))]


FAMILIES = (
    Family("permissions", "citycard.kernel.outside:Permission", _named("permission")),
    Family("sectors", "citycard.card.sector:SectorLayout", _named("sector")),
    Family("key_purposes", "citycard.keys.hierarchy:KeyPurpose", _named("key-purpose")),
    Family("card_products", "citycard.card.product:CardProduct", _named("card-product")),
    Family(
        "services",
        "citycard.kernel.services:Service",
        lambda record, _: [("service", record.name), ("service-number", str(record.number))],
    ),
    Family("fee_rules", "citycard.clearing.pricing:FeeRule", _within("fee-rule")),
    Family(
        "accounts", "citycard.kernel.accounts:LedgerAccount", lambda record, _: [("account", record.address)]
    ),
    Family(
        "participants", "citycard.kernel.services:Participant", lambda record, _: [("participant", record.id)]
    ),
    Family(
        "schema",
        "citycard.kernel.data:Schema",
        lambda _, plugin: [("table-prefix", f"{plugin}_")],
        single=True,
    ),
    Family("personal_data", "citycard.kernel.data:PersonalData", _within("personal-data")),
    Family("event_types", "citycard.kernel.data:EventType", _named("event-type")),
    Family(
        "routes",
        "citycard.kernel.outside:Route",
        lambda record, plugin: [
            ("route", f"{method} /{plugin}{record.path}".rstrip("/")) for method in record.methods
        ],
    ),
    Family("menu", "citycard.kernel.outside:MenuItem", _within("menu", "path", "")),
    Family("jobs", "citycard.kernel.outside:Job", _within("job")),
    Family(
        "commands", "citycard.kernel.outside:Command", lambda record, _: [("command", " ".join(record.path))]
    ),
    Family("terminal_config", "citycard.kernel.outside:TerminalConfig", _within("terminal-config")),
)

_BY_NAME = {each.name: each for each in FAMILIES}


def family(name: str) -> Family:
    """Return a family by the name of its hook without ``citycard_``."""
    return _BY_NAME[name]
