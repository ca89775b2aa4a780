"""The tests that plugins inherit notice what they are there for."""

from __future__ import annotations

from itertools import count
from types import ModuleType

import pytest

from citycard import Adjustment, Command, FeeRule, PluginInfo, Route, Stage, hookimpl
from citycard.kernel import Plugins
from citycard.kernel.choices import Choices
from citycard.kernel.discovery import Found
from citycard.testing.contract import PluginContract


class Contract(PluginContract):
    plugin = "zoo"


@pytest.fixture
def plugins():
    """Open a city with a plugin that gives the records named."""

    def opened(**records):
        module = ModuleType("zoo")
        module.citycard_plugin = hookimpl(lambda: PluginInfo(name="zoo", title="Zoo", core=">=0.1"))
        for hook, answer in records.items():
            setattr(module, f"citycard_{hook}", hookimpl(_giving(answer)))
        return Plugins.open(Choices(enable=("zoo",)), installed=lambda: [Found.inline("zoo", module)])

    return opened


def _giving(answer):
    return lambda: answer


def test_a_rule_that_answers_differently_each_time_is_noticed(plugins):
    turns = count()
    moody = FeeRule(
        name="moody",
        stage=Stage.BASE,
        services=("zoo",),
        apply=lambda *_: Adjustment(amount_fen=next(turns), reason="mood"),
    )

    with pytest.raises(AssertionError):
        Contract().test_its_fee_rules_answer_the_same_again(plugins(fee_rules=[moody]))


def test_an_endpoint_that_lets_everybody_change_something_is_noticed(plugins):
    open_door = Route(path="/feed", endpoint=print, permission="public", summary="Feed", methods=("POST",))

    with pytest.raises(AssertionError, match="/feed"):
        Contract().test_its_endpoints_are_described_and_guarded(plugins(routes=[open_door]))


@pytest.mark.parametrize("target", ["os:getcwd", "citycard:no_such_name", "no_such_module:command"])
def test_a_command_that_is_not_there_is_noticed(target, plugins):
    command = Command(path=("zoo", "feed"), target=target, summary="Feed")

    with pytest.raises((AssertionError, AttributeError, ModuleNotFoundError)):
        Contract().test_its_commands_can_be_called(plugins(commands=[command]))


def test_a_plugin_that_does_not_run_is_noticed(plugins):
    with pytest.raises(AssertionError, match="citycard_routes gives an int"):
        Contract().test_it_is_found_and_runs(plugins(routes=7))


def test_a_plugin_that_keeps_the_contract_passes(plugins):
    good = plugins(fee_rules=[FeeRule(name="none", stage=Stage.FEE, apply=lambda *_: None)])

    Contract().test_its_fee_rules_answer_the_same_again(good)
    Contract().test_it_can_be_switched_off_and_on_again(good)
    Contract().test_its_lifespan_opens_and_closes(good)
    Contract().test_it_is_well_in_a_fresh_city(good)
    Contract().test_its_terminal_configuration_is_plain(good)
