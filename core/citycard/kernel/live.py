"""The plugins that run right now, as one value that is replaced whole and never edited in place."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import attrs

from citycard.kernel.declare import Declared, Implementations
from citycard.kernel.families import FAMILIES
from citycard.kernel.guard import Failures
from citycard.kernel.identity import PluginContext
from citycard.kernel.memory import Memory
from citycard.kernel.owned import Owned, Owner

__all__ = ["Live", "Running"]


@attrs.frozen(kw_only=True)
class Running:
    """A plugin that runs: its owned records by family, and the hooks that are called while it runs."""

    owner: Owner
    declared: Declared
    context: PluginContext
    hooks: Implementations
    records: Mapping[str, tuple[Owned[Any], ...]]

    @classmethod
    def of(
        cls,
        owner: Owner,
        declared: Declared,
        hooks: Implementations,
        context: PluginContext,
        failures: Failures,
    ) -> Running:
        """Own every record of a plugin and guard its functions."""
        records = {
            family.name: tuple(
                failures.owned(_signed(record, owner), owner, _where(family.name, record))
                for record in declared.records[family.name]
            )
            for family in FAMILIES
        }
        return cls(owner=owner, declared=declared, context=context, hooks=hooks, records=records)

    @property
    def requires(self) -> tuple[str, ...]:
        return self.declared.info.requires


@attrs.frozen(kw_only=True, slots=False)
class Live:
    """Everything that runs, by plugin's name, and who wants what where."""

    running: Mapping[str, Running] = attrs.field(factory=dict)
    memory: Memory = attrs.field(factory=Memory)

    def within(self, district: str | None, partner: str | None) -> list[Running]:
        """List the plugins that run in a scope, by name; without a scope, all of them."""
        names = sorted(self.running)
        if district or partner:
            names = [name for name in names if self.memory.wanted(name, district, partner)]
        return [self.running[name] for name in names]

    def read(self, family: str, district: str | None, partner: str | None) -> list[Owned[Any]]:
        """List the records of a family in a scope, by plugin and then as declared."""
        return [owned for plugin in self.within(district, partner) for owned in plugin.records[family]]

    @cached_property
    def services(self) -> Mapping[int | str, Owned[Any]]:
        """Index the services by number and by name."""
        owned = self.read("services", None, None)
        return {key: each for each in owned for key in (each.record.number, each.record.name)}

    @cached_property
    def event_types(self) -> Mapping[str, type]:
        """Index the classes of event bodies by the event's name."""
        return {each.record.name: each.record.body for each in self.read("event_types", None, None)}

    @cached_property
    def rule_books(self) -> dict[tuple[str, ...], Any]:
        """Keep the rule books made so far, by the names of the plugins whose rules are in them."""
        return {}


def _signed(record: Any, owner: Owner) -> Any:
    """Write the plugin's name into records that have an owner of their own."""
    if any(field.name == "owner" for field in attrs.fields(type(record))):
        return attrs.evolve(record, owner=owner.plugin)
    return record


def _where(family: str, record: Any) -> str:
    name = getattr(record, "name", None) or getattr(record, "path", None) or ""
    return f"{family} {' '.join(name) if isinstance(name, tuple) else name}".strip()
