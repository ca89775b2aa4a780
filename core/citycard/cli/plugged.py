"""The commands that plugins bring. Their names come from entry points; their code is imported when called."""

from __future__ import annotations

import importlib
from typing import Any

import click

__all__ = ["PluggedGroup", "plugin_command", "plugin_names"]


def plugin_names() -> list[str]:
    """List the installed plugins by name; nothing of them is imported."""
    from citycard.kernel.discovery import find, names

    return names(find())


def plugin_command(name: str) -> click.Command | None:
    """Return the group of an installed plugin's commands, or None when no plugin has this name."""
    if name not in plugin_names():
        return None
    return PluggedGroup(name=name, under=name, help=f"Commands of the plugin {name}.")


class PluggedGroup(click.Group):
    """A group whose commands are those that plugins declare below a word, such as ``replay``."""

    def __init__(self, *arguments: Any, under: str, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._under = under
        self._targets: dict[str, tuple[str, str]] | None = None

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted({*super().list_commands(ctx), *self._declared()})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        own = super().get_command(ctx, cmd_name)
        if own is not None or cmd_name not in self._declared():
            return own
        module, _, attribute = self._declared()[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lines = [(name, summary) for name, (_, summary) in sorted(self._declared().items())]
        with formatter.section("Commands"):
            formatter.write_dl(lines or [("none", "No plugin that is installed brings one.")])

    def _declared(self) -> dict[str, tuple[str, str]]:
        if self._targets is None:
            self._targets = {
                command.path[1]: (command.target, command.summary)
                for command in _commands()
                if command.path[0] == self._under
            }
        return self._targets


def _commands() -> list[Any]:
    # Without a city every installed plugin is asked with its default settings: which commands there are
    # does not depend on the city they will be run for.
    from citycard.kernel.choices import Choices
    from citycard.kernel.plugins import Plugins

    plugins = Plugins.open(Choices(enable=tuple(plugin_names())))
    return [owned.record for owned in plugins.commands()]
