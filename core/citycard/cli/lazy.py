"""Click groups: one loads a command only when it is called, so that ``--help`` imports nothing."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

__all__ = ["LazyGroup", "ListedGroup"]


class ListedGroup(click.Group):
    """Hold commands whose lines in ``--help`` are the beginnings of their own help, never cut off."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        lines = [(name, _line(self.get_command(ctx, name))) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(lines)


def _line(command: click.Command | None) -> str:
    """Return the first sentence of a command's help, without what comes after a semicolon."""
    text = " ".join((command.help if command is not None and command.help else "").split("\n\n")[0].split())
    return text.partition(". ")[0].partition(";")[0].removesuffix(".") + "."


class LazyGroup(click.Group):
    """Hold commands by name: where each stands (``module:attribute``), and its line in ``--help``."""

    def __init__(
        self, *arguments: Any, table: Mapping[str, tuple[str, str]] | None = None, **options: Any
    ) -> None:
        super().__init__(*arguments, **options)
        self._table = dict(table or {})

    def lines(self) -> dict[str, str]:
        """Return the name and the help line of every command."""
        return {name: line for name, (_, line) in self._table.items()}

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self.lines())

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._table:
            return None
        module, _, attribute = self._table[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(self.lines().items()))
