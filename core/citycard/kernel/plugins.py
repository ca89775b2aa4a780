"""The plugins of one city: found, read, checked, switched, asked. Nothing here is global."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import attrs
import pluggy

from citycard import __version__
from citycard.clock import Clock, SystemClock
from citycard.errors import CitycardError, PluginNeeded, PluginRefused, PluginUnknown
from citycard.kernel import hookspecs
from citycard.kernel.choices import PluginChoices
from citycard.kernel.claims import taken
from citycard.kernel.discovery import Found, find
from citycard.kernel.entries import Entry, required_names, unmet
from citycard.kernel.guard import Failures
from citycard.kernel.identity import PluginContext
from citycard.kernel.lifecycle import Lifecycle
from citycard.kernel.lifespans import Traffic
from citycard.kernel.live import Live
from citycard.kernel.memory import Memory, Scope, Wish, forget_wish, read_epoch, read_memory, write_wish
from citycard.kernel.owned import Owner
from citycard.kernel.past import Past, as_it_was
from citycard.kernel.reading import Reading
from citycard.kernel.reports import missing, report
from citycard.kernel.settings import public, with_secrets
from citycard.kernel.states import PluginReport, State
from citycard.store.engine import reading, writing

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

__all__ = ["Changes", "Plugins"]


@attrs.frozen
class Changes:
    """What a reconciliation did: the plugins it started and stopped, by name."""

    started: tuple[str, ...] = ()
    stopped: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.started or self.stopped)


class Plugins(Reading, Lifecycle):
    """One city's plugins.

    ``choices`` is the city's configuration (allow, enable, settings); ``engine`` its database, without which
    nothing outlives the object; ``core_events`` the classes of the events that the core itself tells;
    ``city`` is what plugins find in their context. Nothing is imported before ``reconcile`` (or ``open``),
    and nothing at all that the city does not allow.
    """

    def __init__(
        self,
        choices: PluginChoices,
        engine: Engine | None = None,
        *,
        folder: Path | None = None,
        clock: Clock | None = None,
        core_events: Mapping[str, type] | None = None,
        installed: Callable[[], Iterable[Found]] = find,
        core_version: str = __version__,
        city: Any = None,
    ) -> None:
        self.choices = choices
        self.engine = engine
        self._folder = folder
        self._clock = clock or SystemClock()
        self._core_events = dict(core_events or {})
        self._installed = installed
        self._core_version = core_version
        self._city = city
        self._manager = pluggy.PluginManager("citycard")
        self._manager.add_hookspecs(hookspecs)
        self._entries: dict[str, Entry] = {}
        self._memory = Memory()
        self._live = Live()
        self._seen: int | None = None
        self._failures = Failures()
        self._told = {}
        self._traffic = Traffic()
        self._lock = RLock()
        super().__init__()

    @classmethod
    def open(cls, choices: PluginChoices, engine: Engine | None = None, **options: object) -> Plugins:
        """Find the installed plugins and start those that are wanted; ``options`` are those of the class."""
        plugins = cls(choices, engine, **options)  # type: ignore[arg-type]
        plugins.refresh()
        return plugins

    # ── what is there ──

    @property
    def epoch(self) -> int:
        """Return the number of switchings that this object has acted on; it grows with each."""
        return self._memory.epoch

    def reports(self) -> list[PluginReport]:
        """Report on every plugin that is installed, or named in city.toml or the database, by name."""
        with self._lock:
            named = {*(self.choices.allow or ()), *self.choices.enable}
            named |= {name for name, _ in self._memory.wishes}
            named |= {owner.plugin for owner in self._memory.claims.values()}
            absent = [missing(name, self._memory, self.choices) for name in named - set(self._entries)]
            here = [self._report(entry) for entry in self._entries.values()]
            return sorted(absent + here, key=lambda each: each.name)

    def _report(self, entry: Entry) -> PluginReport:
        name = entry.owner.plugin
        known = report(entry, self._memory, self._failures, running=name in self._live.running)
        if known.state is State.ENABLED and name in self.starting():
            return attrs.evolve(known, state=State.MIGRATED, reason="it is being opened")
        if known.state is State.DISABLED and name in self.draining_routes():
            return attrs.evolve(known, state=State.STOPPING, reason="its last requests are being answered")
        return known

    def sections(self) -> dict[str, Mapping[str, Any]]:
        """Give what every plugin that runs read its settings from, without secrets."""
        return {
            name: public(type(running.declared.settings), running.declared.section)
            for name, running in sorted(self._live.running.items())
        }

    def under(self, sections: Mapping[str, Mapping[str, Any]]) -> Reading:
        """Give the plugins as they were with these sections: to price by, not to run.

        One that is off now is there, one that came since is not. One that is not installed any more, or does
        not take such settings now, is as it is. Secrets, which sections do not have, are those of now.
        """
        with self._lock:
            now, running = self.sections(), {}
            for name, section in sections.items():
                entry, runs = self._entries.get(name), self._live.running.get(name)
                if runs is not None and (entry is None or now[name] == section):
                    running[name] = runs
                elif entry is not None and not entry.barred:
                    context = PluginContext(
                        plugin=name,
                        engine=self.engine,
                        folder=self._folder,
                        clock=self._clock,
                        city=self._city,
                    )
                    kept = with_secrets(section, self.choices.plugins.get(name) or {}, now.get(name))
                    before = as_it_was(entry, kept, self._core_version, self._failures, context) or runs
                    if before is not None:
                        running[name] = before
            live = Live(running=running, memory=self._memory)
            return Past(live, self._failures, self._core_events)

    def report(self, name: str) -> PluginReport:
        """Report on one plugin; raise PluginUnknown with the names there are."""
        reports = {each.name: each for each in self.reports()}
        if name not in reports:
            raise PluginUnknown(plugin=name, known=", ".join(sorted(reports)) or "none")
        return reports[name]

    def enabled(self, name: str, district: str | None = None, partner: str | None = None) -> bool:
        """Tell whether a plugin runs, and is on in a scope when one is given."""
        return any(plugin.owner.plugin == name for plugin in self._live.within(district, partner))

    def owner_of(self, kind: str, key: str) -> Owner | None:
        """Return who has claimed a thing, running or not, so that a disabled plugin can be named."""
        with self._lock:
            return self._held().get((kind, key))

    # ── finding, starting, stopping ──

    def discover(self) -> None:
        """Look which plugins are installed; import none. Running ones are left alone."""
        with self._lock:
            groups: dict[str, list[Found]] = {}
            for found in self._installed():
                groups.setdefault(found.name, []).append(found)
            for name, rivals in groups.items():
                known = self._entries.get(name)
                if known is None or (known.declared is None and known.owner != rivals[0].owner):
                    known = self._entries[name] = Entry(found=rivals[0])
                if known.declared is None:
                    known.rivals = tuple(rivals)
                    self._gate(known)
            for name in set(self._entries) - set(groups):
                # What was uninstalled under a running server runs until it is switched off or restarted.
                if self._entries[name].declared is None:
                    del self._entries[name]

    def reconcile(self, conn: Connection | None = None, *, remember: bool = True) -> Changes:
        """Start what is wanted and does not run, stop what runs and is not wanted; never raise for a plugin.

        ``conn`` is a transaction on the city's database; without one, its own is opened. With ``remember``,
        new sticky claims are written to it. What does not start has a state and a reason, and is tried again
        when the next reconciliation comes.
        """
        with self._lock:
            if conn is None and self.engine is not None:
                with writing(self.engine) as own:
                    return self.reconcile(own, remember=remember)
            self._memory = self._recall(conn)
            self._seen = self._memory.epoch
            self.discover()
            wanted = {name for name in self._entries if self._memory.anywhere(name)}
            stopped = self._stop(sorted(set(self._live.running) - wanted))
            started = self._start(sorted(wanted - set(self._live.running)), conn)
            self._live = attrs.evolve(self._live, memory=self._memory)
            if conn is not None and remember:
                self._remember(conn)
            return Changes(tuple(started), tuple(stopped))

    def refresh(self) -> Changes:
        """Reconcile when somebody switched something since the last time; cheap enough for every second.

        Reads without waiting for a writer, and writes only when a plugin claims something for the first time.
        """
        with self._lock:
            if self.engine is None:
                return self.reconcile() if self._seen != self._memory.epoch else Changes()
            with reading(self.engine) as conn:
                if self._memory.stored and read_epoch(conn) == self._seen:
                    return Changes()
                changes = self.reconcile(conn, remember=False)
            if any(self._new_claims(plugin) for plugin in self._live.running.values()):
                with writing(self.engine) as conn:
                    self._remember(conn)
            return changes

    def _recall(self, conn: Connection | None) -> Memory:
        memory = read_memory(conn) if conn is not None else self._memory
        for name in self.choices.enable:
            if (name, Scope()) not in memory.wishes:
                wish = Wish(
                    plugin=name,
                    scope=Scope(),
                    wanted=True,
                    changed_at=self._clock.now(),
                    changed_by="city.toml",
                )
                memory = attrs.evolve(memory, wishes={**memory.wishes, (name, Scope()): wish})
        return memory

    # ── switching ──

    def enable(
        self, name: str, *, by: str, district: str | None = None, partner: str | None = None
    ) -> PluginReport:
        """Switch a plugin on for the city, a district or a partner; bring its tables up to date first.

        Everything is checked before anything is changed: raise PluginUnknown, PluginRefused, PluginFailed,
        ClaimTaken or MigrationRefused with the reason.
        """
        with self._lock:
            self.refresh()
            self.report(name)
            if name not in self._live.running:
                self._prove(name)
            self._wish(name, Scope.of(district, partner), wanted=True, by=by)
            self.refresh()
            return self._proven(name)

    def disable(
        self, name: str, *, by: str, district: str | None = None, partner: str | None = None
    ) -> PluginReport:
        """Switch a plugin off for the city (then it is off everywhere), a district or a partner.

        Its tables stay, and so do its sticky claims. Raise PluginUnknown, or PluginNeeded when plugins that
        are on in that scope need it.
        """
        with self._lock:
            self.refresh()
            self.report(name)
            self._refuse_needed(name, district, partner)
            self._wish(name, Scope.of(district, partner), wanted=False, by=by)
            self.refresh()
            return self.report(name)

    def reset(self, name: str, *, district: str | None = None, partner: str | None = None) -> PluginReport:
        """Take back a district's or a partner's own switch, so that the next wider one counts there again.

        Where it has none, nothing changes. Raise PluginUnknown, or PluginNeeded when the plugin would be off
        in that scope and plugins that are on there need it.
        """
        scope = Scope.of(district, partner)
        assert scope != Scope(), "the city's own switch has none above it"
        with self._lock:
            self.refresh()
            self.report(name)
            after = self._memory.without_wish(name, scope)
            if not after.wanted(name, district, partner):
                self._refuse_needed(name, district, partner)
            if self.engine is None:
                self._memory = after
            else:
                with writing(self.engine) as conn:
                    forget_wish(conn, name, scope)
            self.refresh()
            return self.report(name)

    def _refuse_needed(self, name: str, district: str | None, partner: str | None) -> None:
        dependents = [
            other
            for other, plugin in sorted(self._live.running.items())
            if name in required_names(plugin.requires)
            and (not (district or partner) or self._memory.wanted(other, district, partner))
        ]
        if dependents:
            raise PluginNeeded(plugin=name, dependents=", ".join(dependents))

    def described(self, name: str) -> PluginReport:
        """Report on a plugin as ``report`` does, after reading who it is; nothing is claimed or checked."""
        with self._lock:
            self.report(name)
            entry = self._entries.get(name)
            if entry is not None and not entry.barred and entry.info is None:
                entry.meet(self._manager, self._core_version)
            return self.report(name)

    def check(self, name: str) -> PluginReport:
        """Read a plugin and check all it says, without switching it on; raise what ``enable`` would raise."""
        with self._lock:
            self.refresh()
            self.report(name)
            if name not in self._live.running:
                self._prove(name, migrate=False)
                entry = self._entries[name]
                checked = report(entry, self._memory, self._failures, running=False)
                entry.release(self._manager)
                self._gate(entry)
                return checked
            return self.report(name)

    def _prove(self, name: str, *, migrate: bool = True) -> None:
        """Do everything that starting a plugin does, except starting it, and raise what is wrong."""
        entry = self._entries.get(name)
        if entry is None:
            raise PluginRefused(plugin=name, distribution="not installed", reason="install its distribution")
        if entry.barred:
            raise PluginRefused(plugin=name, distribution=str(entry.owner), reason=entry.barred)
        try:
            declared = entry.read(self._manager, self.choices.plugins.get(name), self._core_version)
            owners = {other: plugin.owner for other, plugin in self._live.running.items()}
            states = {other: each.state for other, each in self._entries.items()}
            lack = unmet(declared.info.requires, owners, states)
            if lack:
                raise PluginRefused(plugin=name, distribution=str(entry.owner), reason=lack)
            conflict = taken({name: (entry.owner, declared.claims)}, self._held()).get(name)
            if conflict is not None:
                raise conflict
            if migrate:
                self._migrate(entry)
        except CitycardError as error:
            entry.release(self._manager)
            entry.turn_down(error)
            raise

    def _migrate(self, entry: Entry) -> None:
        if self.engine is None or entry.declared is None:
            return
        for schema in entry.declared.records["schema"]:
            from citycard.store.migrate import upgrade_plugin

            name = entry.owner.plugin
            upgrade_plugin(self.engine, name, schema.metadata, schema.migrations, schema.core_schema)

    def _proven(self, name: str) -> PluginReport:
        entry = self._entries[name]
        if name not in self._live.running:
            raise PluginRefused(plugin=name, distribution=str(entry.owner), reason=entry.reason)
        return self.report(name)

    def _wish(self, name: str, scope: Scope, *, wanted: bool, by: str) -> None:
        wish = Wish(plugin=name, scope=scope, wanted=wanted, changed_at=self._clock.now(), changed_by=by)
        if self.engine is None:
            self._memory = self._memory.with_wish(wish)
            return
        with writing(self.engine) as conn:
            write_wish(conn, wish)
