"""One installed plugin on its way from found to running, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import attrs
import pluggy

from citycard.errors import CitycardError, PluginFailed, PluginRefused
from citycard.kernel.declare import (
    Declared,
    Implementations,
    check_name,
    declare,
    identify,
    implementations,
    refuse,
)
from citycard.kernel.discovery import Found
from citycard.kernel.guard import raised, told
from citycard.kernel.identity import PluginInfo
from citycard.kernel.owned import Owner
from citycard.kernel.states import State

__all__ = ["Entry", "unmet"]


@attrs.define(eq=False)
class Entry:
    """A plugin with its state and reason. ``declared`` is there from DECLARED on, until it is released."""

    found: Found
    state: State = State.FOUND
    reason: str = ""
    plugin: Any = None
    hooks: Implementations = attrs.field(factory=dict)
    info: PluginInfo | None = None
    declared: Declared | None = None
    #: Everybody who brings a plugin of this name; more than one bars it.
    rivals: tuple[Found, ...] = ()
    #: Why it may not even be imported; empty when it may.
    barred: str = ""

    @property
    def owner(self) -> Owner:
        return self.found.owner

    def rest(self, state: State, reason: str = "") -> None:
        """Stay in a state, for a reason."""
        self.state, self.reason = state, reason

    def turn_down(self, error: CitycardError) -> None:
        """Take the state and the reason from the error that stopped the plugin."""
        if isinstance(error, PluginFailed):
            self.rest(State.FAILED, f"raised in {error.data['where']}: {error.data['reason']}")
        else:
            self.rest(State.REFUSED, error.data["reason"] if isinstance(error, PluginRefused) else str(error))

    def meet(self, manager: pluggy.PluginManager, core_version: str) -> None:
        """Learn who the plugin is and release it again; raise what is wrong."""
        try:
            self._import(manager, core_version)
        finally:
            self.release(manager)

    def read(
        self, manager: pluggy.PluginManager, section: Mapping[str, Any] | None, core_version: str
    ) -> Declared:
        """Import the plugin alone, register it, and ask it everything; release it when anything is wrong."""
        if self.declared is not None:
            return self.declared
        try:
            self.info = self._import(manager, core_version)
            self.declared = declare(self.hooks, self.owner, self.info, section)
        except CitycardError:
            self.release(manager)
            raise
        except raised as error:  # an object that raises wherever it is touched
            self.release(manager)
            raise self._failed("what it declares", error) from error
        self.rest(State.DECLARED)
        return self.declared

    def _import(self, manager: pluggy.PluginManager, core_version: str) -> PluginInfo:
        check_name(self.owner)
        self.plugin = self._imported()
        self._register(manager)
        self.hooks = implementations(manager, self.plugin, self.owner)
        self.info = identify(self.hooks, self.owner, core_version)
        return self.info

    def _imported(self) -> Any:
        try:
            return self.found.load()
        except raised as error:
            raise self._failed("its import", error) from error

    def _failed(self, where: str, error: BaseException) -> PluginFailed:
        return PluginFailed(
            plugin=self.owner.plugin, distribution=str(self.owner), where=where, reason=told(error)
        )

    def _register(self, manager: pluggy.PluginManager) -> None:
        try:
            manager.register(self.plugin, name=self.owner.plugin)
        except pluggy.PluginValidationError as error:
            # pluggy writes several lines; the last names the argument, and all are about one function.
            raise refuse(self.owner, " ".join(str(error).split())) from error
        except raised as error:
            raise refuse(self.owner, f"it cannot be registered: {told(error)}") from error

    def release(self, manager: pluggy.PluginManager) -> None:
        """Forget everything but that the plugin is installed."""
        if manager.has_plugin(self.owner.plugin):
            manager.unregister(name=self.owner.plugin)
        self.plugin, self.hooks, self.declared = None, {}, None


def unmet(requires: Iterable[str], running: Mapping[str, Owner], states: Mapping[str, State]) -> str:
    """Say which required plugin does not run, and why not; empty when all do."""
    for each in requires:
        # Imported here: few plugins require another one.
        from packaging.requirements import Requirement

        requirement = Requirement(each)
        name = requirement.name
        if name not in running:
            return f"it needs {name!r}, which is {states.get(name, State.MISSING).value}"
        version = running[name].version
        if not requirement.specifier.contains(version, prereleases=True):
            return f"it needs {each!r}, and {running[name]} runs"
    return ""


def required_names(requires: Iterable[str]) -> list[str]:
    """List the names of required plugins."""
    from packaging.requirements import Requirement

    return [Requirement(each).name for each in requires]
