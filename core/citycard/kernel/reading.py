"""Read what the running plugins brought, by its type; ask them, and tell them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

import attrs

from citycard.errors import EventUnknown, PluginFailed
from citycard.kernel.guard import Failures, raised
from citycard.kernel.live import Live, Running
from citycard.kernel.owned import Owned
from citycard.kernel.services import CitizenLine, DebitRequest, Entitlement, Holder, Refusal

if TYPE_CHECKING:
    from citycard.card.product import CardProduct
    from citycard.card.sector import SectorLayout
    from citycard.clearing.pricing import FeeRule, RuleBook
    from citycard.kernel.accounts import LedgerAccount
    from citycard.kernel.data import Event, EventType, PersonalData, Schema
    from citycard.kernel.habits import Lived
    from citycard.kernel.identity import HealthCheck
    from citycard.kernel.outside import Command, Job, MenuItem, Permission, Route, TerminalConfig
    from citycard.kernel.services import Participant, Service
    from citycard.keys.hierarchy import KeyPurpose

__all__ = ["Reading"]


class Reading:
    """The readers of ``Plugins``. Each lists owned records by plugin's name, then in the order declared.

    ``district`` and ``partner`` narrow a list to the plugins that are enabled there.
    """

    _live: Live
    _failures: Failures
    _core_events: Mapping[str, type]
    _told: dict[tuple[str, str], Mapping[str, Any]]

    # ── the card ──

    def sectors(self, district: str | None = None, partner: str | None = None) -> list[Owned[SectorLayout]]:
        """List the sectors that cards can carry."""
        return self._live.read("sectors", district, partner)

    def key_purposes(self) -> list[Owned[KeyPurpose]]:
        """List the purposes that plugins need keys for; the core's own are not among them."""
        return self._live.read("key_purposes", None, None)

    def card_products(
        self, district: str | None = None, partner: str | None = None
    ) -> list[Owned[CardProduct]]:
        """List the kinds of card that can be issued."""
        return self._live.read("card_products", district, partner)

    # ── money ──

    def services(self, district: str | None = None, partner: str | None = None) -> list[Owned[Service]]:
        """List what a card can pay for or be used for."""
        return self._live.read("services", district, partner)

    def service(self, key: int | str) -> Owned[Service] | None:
        """Return the service of a number or name, or None when no running plugin has it."""
        return self._live.services.get(key)

    def fee_rules(self, district: str | None = None, partner: str | None = None) -> list[Owned[FeeRule]]:
        """List the fee rules; ``rules`` gives them ready to price by."""
        return self._live.read("fee_rules", district, partner)

    def rules(self, district: str | None = None, partner: str | None = None) -> RuleBook:
        """Return the rules of a scope, sorted, versioned and ready to price many requests."""
        from citycard.clearing.pricing import RuleBook

        live = self._live
        plugins = live.within(district, partner)
        key = tuple(plugin.owner.plugin for plugin in plugins)
        if key not in live.rule_books:
            rules = (owned.record for plugin in plugins for owned in plugin.records["fee_rules"])
            live.rule_books[key] = RuleBook(rules)
        book: RuleBook = live.rule_books[key]
        return book

    def accounts(self) -> list[Owned[LedgerAccount]]:
        """List the ledger accounts that plugins post to."""
        return self._live.read("accounts", None, None)

    def participants(self) -> list[Owned[Participant]]:
        """List who is paid at the end of the day for the plugins' services."""
        return self._live.read("participants", None, None)

    def entitlements(
        self, holder: Holder, at: datetime, district: str | None = None, partner: str | None = None
    ) -> list[Owned[Entitlement]]:
        """Ask every plugin what it vouches for; one that fails vouches for nothing."""
        owned: list[Owned[Entitlement]] = []
        for plugin in self._live.within(district, partner):
            answer = self._heard(
                plugin, "citycard_entitlements", Entitlement, holder=holder, at=at, context=plugin.context
            )
            owned += [Owned(owner=plugin.owner, record=record) for record in answer]
        return owned

    def veto(self, request: DebitRequest) -> Refusal | None:
        """Ask every plugin that is enabled for a debit; return the first refusal by plugin's name, or None.

        A plugin that raises, or answers with anything but a Refusal or None, refuses.
        """
        for plugin in self._live.within(request.district or None, request.partner or None):
            if "citycard_check_debit" not in plugin.hooks:
                continue
            answer: Refusal | None
            try:
                answer = _call(plugin, "citycard_check_debit", request=request, context=plugin.context)
                if answer is not None and not isinstance(answer, Refusal):
                    raise TypeError(_expected(answer, "Refusal or None"))
            except raised as error:
                self._failures.note(plugin.owner, "citycard_check_debit", error)
                answer = Refusal(
                    code="plugin-failed", reason=f"{plugin.owner.plugin} could not check the debit"
                )
            if answer is not None:
                return attrs.evolve(answer, plugin=plugin.owner.plugin)
        return None

    # ── data ──

    def schemas(self) -> list[Owned[Schema]]:
        """List the plugins' tables and migrations."""
        return self._live.read("schema", None, None)

    def personal_data(self) -> list[Owned[PersonalData]]:
        """List the kinds of personal data that plugins keep."""
        return self._live.read("personal_data", None, None)

    def event_types(self) -> list[Owned[EventType]]:
        """List the events that plugins tell."""
        return self._live.read("event_types", None, None)

    def tell(self, event: Event) -> None:
        """Tell every plugin of an event after its commit; what they raise is counted and logged.

        Raise EventUnknown when nobody declared the event, or its body is of another class.
        """
        live = self._live
        body = self._core_events.get(event.name) or live.event_types.get(event.name)
        if body is None:
            raise EventUnknown(name=event.name, reason="no running plugin declares it")
        if not isinstance(event.body, body):
            raise EventUnknown(name=event.name, reason=_expected(event.body, body.__name__))
        for plugin in live.within(None, None):
            if "citycard_on_event" in plugin.hooks:
                try:
                    _call(plugin, "citycard_on_event", event=event, context=plugin.context)
                except raised as error:
                    self._failures.note(plugin.owner, "citycard_on_event", error)

    def citizen_lines(self, asn: str) -> list[Owned[CitizenLine]]:
        """Ask every plugin what happened to the holder of a card, newest first; a failure says nothing."""
        owned: list[Owned[CitizenLine]] = []
        for plugin in self._live.within(None, None):
            answer = self._heard(
                plugin, "citycard_citizen_lines", CitizenLine, context=plugin.context, asn=asn
            )
            owned += [Owned(owner=plugin.owner, record=record) for record in answer]
        return sorted(owned, key=lambda one: one.record.at, reverse=True)

    def live_day(
        self, day: date, accounts: Sequence[str], seed: int, names: Sequence[str] = ()
    ) -> dict[str, list[Lived]]:
        """Let citizens use the plugins of these names online for a simulated day, or all of them."""
        from citycard.kernel.habits import Lived

        given = {"day": day, "accounts": accounts, "seed": seed}
        return {
            plugin.owner.plugin: self._heard(
                plugin, "citycard_live_day", Lived, context=plugin.context, **given
            )
            for plugin in self._live.within(None, None)
            if not names or plugin.owner.plugin in names
        }

    # ── the outside ──

    def routes(self, district: str | None = None, partner: str | None = None) -> list[Owned[Route]]:
        """List the endpoints, each to be mounted below its plugin's name."""
        return self._live.read("routes", district, partner)

    def permissions(self) -> list[Owned[Permission]]:
        """List the permissions that plugins introduce."""
        return self._live.read("permissions", None, None)

    def menu(self, district: str | None = None, partner: str | None = None) -> list[Owned[MenuItem]]:
        """List the entries of the operator's menu."""
        return self._live.read("menu", district, partner)

    def jobs(self) -> list[Owned[Job]]:
        """List the work that plugins do on a schedule."""
        return self._live.read("jobs", None, None)

    def run_job(self, name: str) -> None:
        """Run one job by ``<plugin>.<job>``; KeyError for a job nobody has, PluginFailed when it raises."""
        plugin, _, job = name.partition(".")
        running = self._live.running[plugin]
        owned = {each.record.name: each for each in running.records["jobs"]}[job]
        owned.record.run(running.context)

    def commands(self) -> list[Owned[Command]]:
        """List the subcommands that plugins bring."""
        return self._live.read("commands", None, None)

    def terminal_config(
        self, district: str | None = None, partner: str | None = None
    ) -> dict[str, dict[str, Mapping[str, Any]]]:
        """Return what terminals of a scope must know, by plugin and section, always in the same order."""
        config: dict[str, dict[str, Mapping[str, Any]]] = {}
        for plugin in self._live.within(district, partner):
            for section in (owned.record for owned in plugin.records["terminal_config"]):
                current = self._current(plugin, section) if section.current else {}
                config.setdefault(plugin.owner.plugin, {})[section.name] = {**section.values, **current}
        return {plugin: dict(sorted(sections.items())) for plugin, sections in config.items()}

    def _current(self, plugin: Running, section: TerminalConfig) -> Mapping[str, Any]:
        """Ask for the current values of a section; while that fails, those that were told last stand.

        So one plugin's mistake keeps no list of another from the terminals. Raise PluginFailed when there are
        none: terminals of a domain must not begin without its list.
        """
        key = plugin.owner.plugin, section.name
        try:
            assert section.current is not None
            self._told[key] = section.current(plugin.context)
        except PluginFailed:
            if key not in self._told:
                raise
        return self._told[key]

    def health(self) -> list[tuple[Owned[HealthCheck], str | None]]:
        """Run every health check; give each with None when all is well, or one sentence."""
        from citycard.kernel.identity import HealthCheck

        results: list[tuple[Owned[HealthCheck], str | None]] = []
        for plugin in self._live.within(None, None):
            for check in self._heard(plugin, "citycard_health", HealthCheck, context=plugin.context):
                try:
                    answer = check.check(plugin.context)
                except raised as error:
                    answer = str(self._failures.note(plugin.owner, f"health {check.name}", error))
                results.append((Owned(owner=plugin.owner, record=check), answer))
        return results

    def _heard(self, plugin: Running, hook: str, expected: type, **available: Any) -> list[Any]:
        """Ask a hook that contributes at run time; a plugin that fails contributes nothing."""
        if hook not in plugin.hooks:
            return []
        try:
            answer = _call(plugin, hook, **available)
            records = list(answer if isinstance(answer, Iterable) else ())
            for record in records:
                if not isinstance(record, expected):
                    raise TypeError(_expected(record, expected.__name__))
        except raised as error:
            self._failures.note(plugin.owner, hook, error)
            return []
        return records


def _call(plugin: Running, hook: str, **available: Any) -> Any:
    implementation = plugin.hooks[hook]
    return implementation.function(*(available[name] for name in implementation.argnames))


def _expected(answer: object, expected: str) -> str:
    return f"it gave {type(answer).__name__}, expected {expected}"
