"""Installed is not allowed is not enabled; switching takes effect everywhere and leaves nothing behind."""

from __future__ import annotations

import gc

import attrs
import pytest

from citycard import Event, FeeRule, Holder, Service
from citycard.errors import PluginNeeded, PluginRefused, PluginUnknown
from citycard.kernel import Plugins, State
from citycard.kernel.choices import Choices
from citycard.kernel.discovery import Found
from citycard.kernel.owned import Owner
from citycard.kernel.services import DebitRequest


@attrs.frozen
class Nothing:
    """The body of an event without anything in it."""


def never(*_):
    msg = "this plugin must not be touched"
    raise AssertionError(msg)


def test_a_plugin_that_is_not_allowed_is_not_even_imported(city, states):
    owner = Owner(plugin="zoo", distribution="citycard-zoo", version="1.0")
    plugins = city(Found(name="zoo", owner=owner, load=never), allow=["park"], enable=["zoo"])

    assert states(plugins)["zoo"] == (
        "found",
        "not allowed: add 'zoo' to allow under [plugins] in city.toml",
    )
    with pytest.raises(PluginRefused, match=r"plugin zoo \(citycard-zoo 1.0\) is refused: not allowed"):
        plugins.enable("zoo", by="a test")


def test_a_plugin_that_nobody_wants_is_not_imported(city, states):
    owner = Owner(plugin="zoo", distribution="citycard-zoo", version="1.0")
    plugins = city(Found(name="zoo", owner=owner, load=never), enable=[])

    assert states(plugins)["zoo"] == ("disabled", "citycard plugin enable zoo switches it on")


def test_a_name_that_is_nowhere_is_unknown_and_the_known_ones_are_told(plugin, city):
    plugins = city(plugin("zoo"))

    for switch in (plugins.enable, plugins.disable):
        with pytest.raises(PluginUnknown, match="no plugin is named 'park'; here are: zoo"):
            switch("park", by="a test")


def test_a_disabled_plugin_is_never_called(plugin, city, at):
    calls = []

    def citycard_check_debit(request):
        calls.append("veto")

    def citycard_on_event(event):
        calls.append("event")

    def citycard_entitlements(holder, at):
        calls.append("entitlements")
        return []

    def citycard_health(context):
        calls.append("health")
        return []

    hooks = (citycard_check_debit, citycard_on_event, citycard_entitlements, citycard_health)
    zoo = plugin("zoo", *hooks, services=[Service(name="zoo", number=700, title="Zoo")])
    told = {"city.opened": Nothing}
    plugins = city(zoo, core_events=told)

    def ask_everything():
        plugins.veto(DebitRequest(asn="1", service="zoo", amount_fen=1, at=at))
        plugins.tell(Event(name="city.opened", body=Nothing()))
        plugins.entitlements(Holder(asn="1"), at)
        plugins.health()
        return plugins.services()

    assert len(ask_everything()) == 1
    assert calls == ["veto", "event", "entitlements", "health"]

    calls.clear()
    plugins.disable("zoo", by="a test")

    assert ask_everything() == []
    assert calls == []


def test_switching_again_and_again_leaves_nothing_behind(plugin, city):
    zoo = plugin(
        "zoo",
        services=[Service(name="zoo", number=700, title="Zoo")],
        fee_rules=[FeeRule(name="ticket", stage=10, apply=never)],
        on_event=never,
    )
    plugins = city(zoo, plugin("park"))

    def once():
        plugins.disable("zoo", by="a test")
        plugins.enable("zoo", by="a test")

    once()
    gc.collect()
    before = len(gc.get_objects())
    for _ in range(20):
        once()
    gc.collect()

    assert {"zoo", "park"} == {name for name, _ in plugins._manager.list_name_plugin()}
    assert len(plugins._manager.hook.citycard_services.get_hookimpls()) == 1
    assert len(plugins.services()) == 1
    assert len(plugins.fee_rules()) == 1
    assert len(gc.get_objects()) - before < 500


def test_a_switch_in_one_process_is_seen_by_another_at_its_next_refresh(plugin, city):
    zoo = plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")])
    here, there = city(zoo, enable=[]), city(zoo, enable=[])
    assert there.services() == []

    here.enable("zoo", by="a test")
    changes = there.refresh()

    assert changes.started == ("zoo",)
    assert len(there.services()) == 1
    assert here.epoch == there.epoch
    assert not there.refresh()

    here.disable("zoo", by="a test")

    assert there.refresh().stopped == ("zoo",)


def test_switching_off_wins_over_the_configuration_until_switched_on_again(plugin, city):
    city(plugin("zoo")).disable("zoo", by="mei")

    later = city(plugin("zoo"), enable=["zoo"])

    assert not later.enabled("zoo")
    assert later.report("zoo").reason == "switched off by mei; citycard plugin enable zoo switches it on"


def test_a_plugin_starts_after_those_it_needs_and_they_cannot_be_switched_off_under_it(plugin, city):
    zoo, aviary = plugin("zoo", version="1.4"), plugin("aviary", requires=["zoo>=1.2"])
    plugins = city(aviary, zoo)

    assert plugins.enabled("aviary")
    with pytest.raises(
        PluginNeeded, match="plugin zoo cannot be disabled: aviary need it; disable them first"
    ):
        plugins.disable("zoo", by="a test")

    plugins.disable("aviary", by="a test")
    assert State.DISABLED is plugins.disable("zoo", by="a test").state


@pytest.mark.parametrize(
    ("installed", "reason"),
    [
        ([], "it needs 'zoo>=1.2', which is missing"),
        ([("zoo", "1.1")], "it needs 'zoo>=1.2', and citycard-zoo 1.1 runs"),
    ],
)
def test_a_plugin_without_what_it_needs_is_refused(plugin, city, installed, reason):
    found = [plugin(name, version=version) for name, version in installed]
    plugins = city(plugin("aviary", requires=["zoo>=1.2"]), *found)

    assert reason.replace("'zoo>=1.2', which", "'zoo', which") == plugins.report("aviary").reason


def test_plugins_that_need_each_other_are_refused(plugin, city, states):
    plugins = city(plugin("zoo", requires=["aviary"]), plugin("aviary", requires=["zoo"]), plugin("park"))

    assert [states(plugins)[name][0] for name in ("aviary", "park", "zoo")] == [
        "refused",
        "enabled",
        "refused",
    ]


def test_enabling_what_needs_a_disabled_plugin_is_refused(plugin, city):
    plugins = city(plugin("zoo"), plugin("aviary", requires=["zoo"]), enable=[])

    with pytest.raises(PluginRefused, match="it needs 'zoo', which is disabled"):
        plugins.enable("aviary", by="a test")


def test_check_reads_a_plugin_without_switching_it(plugin, city):
    plugins = city(plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")]), enable=[])

    report = plugins.check("zoo")

    assert [claim["kind"] for claim in report.claims] == ["service", "service-number"]
    assert State.DISABLED is plugins.report("zoo").state
    assert plugins.services() == []
    assert plugins.owner_of("service-number", "700") is None


def test_two_cities_in_one_process_do_not_see_each_other(plugin, city, fresh_engine):
    zoo = plugin("zoo", services=[Service(name="zoo", number=700, title="Zoo")])
    shenzhen, shanghai = city(zoo, enable=[]), city(zoo, enable=[], engine=fresh_engine())

    shenzhen.enable("zoo", by="a test")
    shanghai.refresh()

    assert len(shenzhen.services()) == 1
    assert shanghai.services() == []
    assert shenzhen.owner_of("service", "zoo") is not None
    assert shanghai.owner_of("service", "zoo") is None
    assert shenzhen._manager is not shanghai._manager


def test_without_a_database_switching_works_as_long_as_the_object_lives(plugin):
    plugins = Plugins.open(Choices(), installed=lambda: [plugin("zoo")])

    assert State.ENABLED is plugins.enable("zoo", by="a test").state
    assert State.DISABLED is plugins.disable("zoo", by="a test").state


def test_a_distribution_that_appears_while_the_city_runs_can_be_enabled(plugin, city):
    installed = []
    plugins = Plugins.open(Choices(), installed=lambda: list(installed))
    installed.append(plugin("zoo"))

    plugins.discover()

    assert State.ENABLED is plugins.enable("zoo", by="a test").state
