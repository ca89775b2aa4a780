from __future__ import annotations

import click
from click.testing import CliRunner

from citycard.cli.lazy import LazyGroup, ListedGroup

TABLE = {
    "config": ("citycard.cli.terminal:group", "Load the terminals' commands."),
    "broken": ("citycard.nowhere:at_all", "Stand nowhere."),
}


def test_help_says_every_command_and_loads_none():
    answer = CliRunner().invoke(LazyGroup("group", table=TABLE), ["--help"])

    assert answer.exit_code == 0
    assert "broken  Stand nowhere." in answer.output
    assert "config  Load the terminals' commands." in answer.output


def test_a_command_is_loaded_when_it_is_called():
    answer = CliRunner().invoke(LazyGroup("group", table=TABLE), ["config", "--help"])

    assert answer.exit_code == 0
    assert "Commands:" in answer.output


def test_a_name_that_is_not_in_the_table_is_a_wrong_call():
    assert CliRunner().invoke(LazyGroup("group", table=TABLE), ["absent"]).exit_code == 2


def test_a_command_is_listed_with_its_whole_first_sentence():
    group = ListedGroup("group")
    sentence = "Make the rest of job NUMBER, however many words it takes to say that to whoever asks"
    group.add_command(click.Command("run", help=f"{sentence}; again.\n\nMore."))
    group.add_command(click.Command("bare"))

    answer = CliRunner().invoke(group, ["--help"], terminal_width=200)

    assert f"run   {sentence}.\n" in answer.output
    assert "..." not in answer.output.partition("Commands:")[2]
