"""Take plugins from found to running and back; every step that fails leaves a state and a reason."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from citycard.clock import Clock
from citycard.errors import CitycardError
from citycard.kernel.choices import PluginChoices
from citycard.kernel.claims import Claim, core_claims, same, taken
from citycard.kernel.entries import Entry, unmet
from citycard.kernel.families import STICKY
from citycard.kernel.guard import Failures
from citycard.kernel.identity import PluginContext
from citycard.kernel.live import Live, Running
from citycard.kernel.memory import Memory, Scope, read_memory, write_claims
from citycard.kernel.owned import Owner
from citycard.kernel.serving import Serving
from citycard.kernel.states import State

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["Lifecycle"]

log = logging.getLogger("citycard.plugins")


class Lifecycle(Serving):
    """The part of ``Plugins`` that starts and stops; ``_live`` changes only after all checks of a plugin."""

    choices: PluginChoices
    engine: Engine | None
    _folder: Path | None
    _city: Any
    _clock: Clock
    _core_version: str
    _manager: pluggy.PluginManager
    _entries: dict[str, Entry]
    _memory: Memory
    _live: Live
    _failures: Failures

    def _gate(self, entry: Entry) -> None:
        """Say where a plugin rests that does not run; one that is barred is never imported."""
        name = entry.owner.plugin
        allow = self.choices.allow
        entry.barred = ""
        if allow is not None and name not in allow:
            entry.barred = f"not allowed: add {name!r} to allow under [plugins] in city.toml"
            entry.rest(State.FOUND, entry.barred)
        elif len(entry.rivals) > 1:
            both = " and by ".join(str(rival.owner) for rival in entry.rivals)
            entry.barred = f"plugin {name!r} is claimed by {both}: remove one of them"
            entry.rest(State.REFUSED, entry.barred)
        else:
            wish = self._memory.wishes.get((name, Scope()))
            switched = f"switched off by {wish.changed_by}; " if wish and not wish.wanted else ""
            entry.rest(State.DISABLED, f"{switched}citycard plugin enable {name} switches it on")

    def _start(self, names: list[str], conn: Connection | None) -> list[str]:
        ready = {name: self._entries[name] for name in names if self._read(self._entries[name])}
        self._check_claims(ready)
        started: list[str] = []
        while ready:
            owners = {name: plugin.owner for name, plugin in self._live.running.items()}
            states = {name: entry.state for name, entry in self._entries.items()}
            lacking = {name: unmet(_requires(entry), owners, states) for name, entry in ready.items()}
            turn = [name for name, lack in lacking.items() if not lack]
            if not turn:
                for name, entry in ready.items():
                    entry.release(self._manager)
                    entry.rest(State.REFUSED, lacking[name])
                    log.warning("plugin %s is refused: %s", entry.owner, lacking[name])
                break
            started += [name for name in turn if self._run(ready.pop(name), conn)]
        return started

    def _read(self, entry: Entry) -> bool:
        if entry.barred:
            return False
        section = self.choices.plugins.get(entry.owner.plugin)
        try:
            entry.read(self._manager, section, self._core_version)
        except CitycardError as error:
            entry.turn_down(error)
            log.warning("%s", error)
            return False
        return True

    def _check_claims(self, ready: dict[str, Entry]) -> None:
        claims = {name: (entry.owner, _claims(entry)) for name, entry in ready.items()}
        for name, error in taken(claims, self._held()).items():
            entry = ready.pop(name)
            entry.release(self._manager)
            entry.turn_down(error)
            log.warning("plugin %s is refused: %s", entry.owner, error)
        for entry in ready.values():
            entry.rest(State.CLAIMED)

    def _held(self) -> dict[Claim, Owner]:
        held = core_claims() | dict(self._memory.claims)
        for plugin in self._live.running.values():
            held |= dict.fromkeys(plugin.declared.claims, plugin.owner)
        return held

    def _run(self, entry: Entry, conn: Connection | None) -> bool:
        assert entry.declared is not None
        due = self._behind(entry, conn)
        if due:
            entry.release(self._manager)
            entry.rest(State.MIGRATION_DUE, due)
            log.warning("plugin %s: %s", entry.owner, due)
            return False
        name = entry.owner.plugin
        self._failures.forget(name)
        context = PluginContext(
            plugin=name,
            settings=entry.declared.settings,
            engine=self.engine,
            folder=self._folder,
            clock=self._clock,
            city=self._city,
        )
        running = Running.of(entry.owner, entry.declared, entry.hooks, context, self._failures)
        entry.rest(State.STARTED)
        self._live = Live(running={**self._live.running, name: running}, memory=self._memory)
        if self.engine is None:
            # Without a database a claim sticks as long as this object lives.
            self._memory = self._memory.with_claims(entry.owner, entry.declared.claims)
        entry.rest(State.ENABLED)
        return True

    def _behind(self, entry: Entry, conn: Connection | None) -> str:
        """Say why a plugin's tables are not those it was written for; empty when they are."""
        assert entry.declared is not None
        if conn is None or not entry.declared.records["schema"]:
            return ""
        from citycard.store.revisions import schema_state
        from citycard.store.schema import plugin_owner

        schema = entry.declared.records["schema"][0]
        name = entry.owner.plugin
        try:
            state = schema_state(
                conn, plugin_owner(name, schema.metadata, schema.migrations, schema.core_schema)
            )
        except CitycardError as error:
            return str(error)
        entry.rest(State.MIGRATED)
        if state.up_to_date:
            return ""
        at = state.current or "not there"
        return f"its tables are {at}, it needs {state.head}: citycard plugin enable {name} upgrades them"

    def _stop(self, names: list[str]) -> list[str]:
        for name in names:
            running = dict(self._live.running)
            stopped = running.pop(name)
            self._live = Live(running=running, memory=self._memory)
            self._drain(stopped)
            entry = self._entries[name]
            entry.release(self._manager)
            self._failures.forget(name)
            self._gate(entry)
        return names

    # ── remembering ──

    def _new_claims(self, plugin: Running) -> bool:
        """Tell whether a plugin runs on a sticky claim that the database does not have as its own."""
        kept = self._memory.claims
        sticky = [claim for claim in plugin.declared.claims if claim[0] in STICKY]
        return any(claim not in kept or not same(kept[claim], plugin.owner) for claim in sticky)

    def _remember(self, conn: Connection) -> None:
        """Write sticky claims that are new, unless somebody else was faster; then that plugin stops."""
        fresh = read_memory(conn)
        if not fresh.stored:
            return
        for name, plugin in sorted(self._live.running.items()):
            if not self._new_claims(plugin):
                continue
            lost = taken({name: (plugin.owner, plugin.declared.claims)}, fresh.claims).get(name)
            if lost is not None:
                self._stop([name])
                self._entries[name].turn_down(lost)
                log.warning("plugin %s is refused: %s", plugin.owner, lost)
                continue
            write_claims(conn, plugin.owner, plugin.declared.claims, self._clock.now())
            self._memory = self._memory.with_claims(plugin.owner, plugin.declared.claims)
        self._live = attrs.evolve(self._live, memory=self._memory)


def _requires(entry: Entry) -> tuple[str, ...]:
    return entry.info.requires if entry.info else ()


def _claims(entry: Entry) -> tuple[Claim, ...]:
    return entry.declared.claims if entry.declared else ()
