"""A bad plugin is refused by name, with a reason, and everybody else runs on."""

from __future__ import annotations

import sys

import pytest

from citycard.errors import CitycardError, PluginFailed, PluginRefused
from citycard.kernel import State
from citycard.kernel.discovery import Found, find

BAD = {
    "importing": (State.FAILED, "raised in its import: RuntimeError: no such table at import"),
    "exiting": (State.FAILED, "raised in its import: SystemExit: 3"),
    "missing": (
        State.FAILED,
        "raised in its import: ModuleNotFoundError: No module named 'no_such_module_anywhere'",
    ),
    "future": (State.REFUSED, "it works with citycard >=99, and this is citycard 0.1.0"),
    "misspelt": (State.REFUSED, "there is no hook citycard_sektors: did you mean citycard_sectors?"),
    "arguments": (State.REFUSED, "'setting'"),
    "needy": (State.REFUSED, "it needs 'nowhere', which is missing"),
    "garbage": (State.REFUSED, "citycard_routes gives a str, expected Route"),
    "late": (State.FAILED, "raised in citycard_services: RuntimeError: after the first record"),
    "endless": (State.REFUSED, "citycard_services gives more than 10000 records"),
    "wrapping": (State.REFUSED, "citycard_sectors is a wrapper"),
    "unmarked": (State.REFUSED, "citycard_sectors is not marked with @hookimpl"),
    "coroutine": (State.REFUSED, "citycard_sectors is async"),
    "nobody": (State.REFUSED, "it does not implement citycard_plugin"),
    "wrongly": (State.REFUSED, "citycard_plugin gives a str, expected PluginInfo"),
    "clearing": (State.REFUSED, "the name 'clearing' belongs to the core"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_bad_plugin_is_refused_with_a_reason_and_the_others_run_on(name, on_disk, city, states):
    installed = on_disk("good", name)()

    plugins = city(*installed)

    state, reason = BAD[name]
    assert states(plugins)["good"] == ("enabled", "")
    assert [owned.record.name for owned in plugins.services()] == ["good"]
    assert states(plugins)[name][0] == state
    assert reason in states(plugins)[name][1]


@pytest.mark.parametrize("name", BAD)
def test_enabling_a_bad_plugin_raises_an_error_that_names_it_and_changes_nothing(name, on_disk, city):
    plugins = city(*on_disk("good", name)(), enable=["good"])
    epoch = plugins.epoch

    with pytest.raises(CitycardError) as refused:
        plugins.enable(name, by="a test")

    assert isinstance(refused.value, (PluginRefused, PluginFailed))
    assert f"plugin {name} (citycard-{name} 1.0)" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert epoch == plugins.epoch
    assert not plugins.enabled(name)
    assert plugins.enabled("good")


def test_all_bad_plugins_together_do_not_stop_a_good_one(on_disk, city):
    plugins = city(*on_disk("good", *BAD)())

    assert [each.name for each in plugins.reports() if each.state is State.ENABLED] == ["good"]
    assert all(each.reason for each in plugins.reports() if each.state is not State.ENABLED)


def test_two_plugins_that_claim_one_sector_are_both_refused_and_both_named(on_disk, city, states):
    plugins = city(*on_disk("good", "park", "farm")())

    message = (
        "sector 'meadow' is claimed by citycard-farm 1.0 and by citycard-park 0.2: "
        "neither gets it; disable or remove one of them"
    )
    assert {
        "farm": ("refused", message),
        "good": ("enabled", ""),
        "park": ("refused", message),
    } == states(plugins)


def test_a_name_that_two_distributions_bring_is_refused_and_neither_is_imported(on_disk, city, states):
    plugins = city(*on_disk("good", "citycard-twin-one", "citycard-twin-two")())

    assert states(plugins)["twin"] == (
        "refused",
        "plugin 'twin' is claimed by citycard-twin-one 1.0 and by citycard-twin-two 1.0: remove one of them",
    )
    assert "citycard_twin_one" not in sys.modules
    with pytest.raises(PluginRefused, match="citycard-twin-two"):
        plugins.enable("twin", by="a test")


def test_an_entry_point_that_is_named_otherwise_than_its_plugin_is_refused(on_disk, city, states):
    plugins = city(*on_disk("renamed")())

    assert states(plugins)["alias"] == (
        "refused",
        "it calls itself 'renamed', and its entry point is named 'alias'",
    )


def _raise(*_arguments, **_named):
    msg = "broken on purpose"
    raise RuntimeError(msg)


@pytest.mark.parametrize(
    "hook",
    [
        "accounts", "card_products", "commands", "event_types", "fee_rules", "jobs", "key_purposes", "menu",
        "participants", "permissions", "personal_data", "routes", "schema", "sectors", "services", "settings",
        "terminal_config",
    ],
)  # fmt: skip
def test_a_plugin_that_raises_in_any_declaring_hook_is_failed_and_the_others_run(hook, plugin, city, states):
    plugins = city(plugin("bad", **{hook: _raise}), plugin("zoo"))

    assert {
        "bad": ("failed", f"raised in citycard_{hook}: RuntimeError: broken on purpose"),
        "zoo": ("enabled", ""),
    } == states(plugins)


def test_an_object_whose_attributes_raise_is_refused(plugin, city, states):
    class Hostile:
        def __getattr__(self, name):
            raise OSError(name)

        @property
        def citycard_plugin(self):
            return _raise()

    plugins = city(Found.inline("hostile", Hostile(), distribution="citycard-hostile"), plugin("zoo"))

    assert states(plugins)["hostile"][0] in {"refused", "failed"}
    assert states(plugins)["zoo"] == ("enabled", "")


def test_a_module_that_does_not_compile_fails_its_plugin_only(plugin, city, states, tmp_path, monkeypatch):
    info = tmp_path / "citycard_syntax-1.0.dist-info"
    info.mkdir()
    (tmp_path / "citycard_syntax.py").write_text("def citycard_plugin(:")
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: citycard-syntax\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[citycard]\nsyntax = citycard_syntax\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    syntax = [found for found in find() if found.name == "syntax"]

    plugins = city(*syntax, plugin("zoo"))

    assert states(plugins)["syntax"][0] == "failed"
    assert "raised in its import: SyntaxError" in states(plugins)["syntax"][1]
    assert states(plugins)["zoo"] == ("enabled", "")
