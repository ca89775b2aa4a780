"""A plugin says who it is before anything else, and what it says must fit where it is."""

from __future__ import annotations

import pytest

from citycard import HealthCheck, PluginInfo
from citycard.errors import DeclarationInvalid


@pytest.mark.parametrize("name", ["Zoo", "z", "zoo-park", "zoo_park", "1zoo", "", "x" * 21])
def test_a_name_must_fit_as_table_prefix_path_and_command(name):
    with pytest.raises(
        DeclarationInvalid, match=r"PluginInfo.name is .* expected 2 to 20 lower-case letters"
    ):
        PluginInfo(name=name, title="Zoo", core=">=0.1")


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("title", " ", "some words"),
        ("core", "about one", "a range of versions such as '>=0.1,<0.2'"),
        ("core", 1, "a range of versions"),
        ("requires", "transit >", "a plugin's name, with a range if need be"),
    ],
)
def test_what_a_plugin_says_of_itself_is_checked_field_by_field(field, value, expected):
    with pytest.raises(DeclarationInvalid) as refused:
        PluginInfo(**{"name": "zoo", "title": "Zoo", "core": ">=0.1", field: value})

    assert f"PluginInfo.{field} is" in str(refused.value)
    assert expected in str(refused.value)


@pytest.mark.parametrize(
    ("core", "version", "state"),
    [
        (">=0.1,<0.2", "0.1.0", "enabled"),
        (">=0.1,<0.2", "0.1.5.dev3", "enabled"),
        (">=0.1,<0.2", "0.2.0", "refused"),
        (">=0.2", "0.1.0", "refused"),
        ("~=1.4", "1.9", "enabled"),
    ],
)
def test_the_range_of_core_versions_decides(core, version, state, plugin, city, states):
    plugins = city(plugin("zoo", core=core), core_version=version)

    assert state == states(plugins)["zoo"][0]
    if state == "refused":
        reason = f"it works with citycard {core}, and this is citycard {version}"
        assert reason == states(plugins)["zoo"][1]


def test_a_plugin_that_gives_another_name_than_its_entry_point_is_refused(plugin, city, states):
    def citycard_plugin():
        return PluginInfo(name="park", title="Park", core=">=0.1")

    plugins = city(plugin("zoo", citycard_plugin))

    assert states(plugins)["zoo"] == ("refused", "it calls itself 'park', and its entry point is named 'zoo'")


def test_a_record_that_cannot_be_made_refuses_the_plugin_with_the_field(plugin, city, states):
    def citycard_plugin():
        return PluginInfo(name="zoo", title="", core=">=0.1")

    plugins = city(plugin("zoo", citycard_plugin))

    assert states(plugins)["zoo"] == (
        "refused",
        "citycard_plugin: PluginInfo.title is '': expected some words",
    )


def test_health_checks_are_asked_and_a_check_that_raises_is_unwell(plugin, city):
    def fine(context):
        return None

    def hungry(context):
        return f"the lions of {context.plugin} are hungry"

    def broken(context):
        raise OSError("the gate is jammed")

    def citycard_health(context):
        assert context.engine is not None
        for check in (fine, hungry, broken):
            yield HealthCheck(name=check.__name__, title="Lions", check=check)

    plugins = city(plugin("zoo", citycard_health))

    said = {check.record.name: sentence for check, sentence in plugins.health()}
    assert said == {
        "fine": None,
        "hungry": "the lions of zoo are hungry",
        "broken": "plugin zoo (citycard-zoo 1.0) failed in health broken: OSError: the gate is jammed",
    }
    assert plugins.report("zoo").failures == 1


def test_a_health_hook_that_raises_leaves_the_others_asked(plugin, city):
    def citycard_health():
        yield HealthCheck(name="well", title="Well", check=lambda _: None)

    def broken(context):
        raise OSError

    plugins = city(plugin("bad", health=broken), plugin("zoo", citycard_health))

    assert [check.record.name for check, _ in plugins.health()] == ["well"]
    assert plugins.report("bad").failures == 1
