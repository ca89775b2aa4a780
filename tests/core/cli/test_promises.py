"""What docs/commands.md promises of every command, asked of all of them: JSON, whole lines, named files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from citycard.cli.main import _run, cli
from citycard.cli.options import NewFile
from citycard.cli.plugged import plugin_names

# They tell nothing but that it is done; serve runs until it is stopped, and so does what plugins serve.
WITHOUT_JSON = {"access revoke", "plugin run", "serve"}
# Folders and files that a command makes, or that are the city.
MADE = {"folder", "out", "shares", "hold"}


def commands(group: click.Group = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        if isinstance(command, click.Group):
            yield from commands(command, (*path, name))
        else:
            yield " ".join((*path, name)), command


COMMANDS = dict(commands())
SERVING_OF_PLUGINS = {
    name for name in COMMANDS if name.split()[0] in plugin_names() and name.split()[-1] == "serve"
}


def options(command: click.Command) -> set[str]:
    return {word for parameter in command.params for word in parameter.opts}


def test_every_command_answers_in_json_but_for_those_that_the_page_names():
    without = {name for name, command in COMMANDS.items() if "--json" not in options(command)}
    assert without - SERVING_OF_PLUGINS == WITHOUT_JSON
    page = (Path(__file__).parents[3] / "docs" / "commands.md").read_text(encoding="utf-8")
    assert all(f"`{name}`" in page for name in WITHOUT_JSON)


def test_who_does_it_is_asked_where_a_history_notes_it():
    office = (
        "activate block issue lost migrate pay-out renew replace return settle stop transfer unblock update"
    )
    named = {f"card {name}" for name in office.split()}
    named |= {"job open", "stock hand", "stock receive", "stock spoil"}
    assert {name for name in named if "--by" not in options(COMMANDS[name])} == set()


def test_a_command_says_which_json_it_gives():
    silent = {name for name, command in COMMANDS.items() if not said(command)}
    assert silent - WITHOUT_JSON - SERVING_OF_PLUGINS == set()


def said(command: click.Command) -> bool:
    return "json" in (command.help or "").lower()


def test_a_file_is_there_or_is_made_and_no_command_takes_a_name_for_granted():
    loose = [
        f"{name} {parameter.name}"
        for name, command in COMMANDS.items()
        for parameter in command.params
        if isinstance(parameter.type, click.Path)
        and not (parameter.type.exists or isinstance(parameter.type, NewFile) or parameter.name in MADE)
    ]
    assert loose == []


@pytest.mark.parametrize(
    "words",
    [
        "card read --image {}",
        "card migrate --old {} --new {}",
        "chip show {}",
        "city create town --config {}",
        "clearing receive {}",
        "key ceremony verify {}",
        "key ceremony start c.json --custodian a --custodian b --officer Li {} --witness Zhou {}",
        "key import {} --person a --person b",
        "sam update 1 --image {}",
    ],
)
def test_a_file_that_is_named_and_missing_is_a_wrong_call(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert _run(words.format(*["gone.file"] * words.count("{}")).split()) == 2
    assert "'gone.file' does not exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    ["chip new {}", "key ceremony signer {}", "terminal lists --full --out {}", "sam issue 1 --image {}"],
)
def test_no_command_makes_the_folder_of_a_file(tmp_path, capsys, words):
    assert _run(words.format(tmp_path / "nowhere" / "one").split()) == 2
    assert "nowhere' does not exist" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        "account pay 01019901000000000001 canteen -12.34",
        "account pay 01019901000000000001 canteen --note x -5",
        "account pay-out 01019901000000000001 --amount -5",
        "topup order 01019901000000000001 -5",
    ],
)
def test_an_amount_below_zero_is_a_wrong_call_that_says_so(tmp_path, monkeypatch, capsys, words):
    monkeypatch.chdir(tmp_path)
    assert _run(words.split()) == 2
    told = capsys.readouterr().err
    assert "an amount is yuan without a sign, such as 12.34" in told
    assert len(told.splitlines()) == 1


def test_every_group_lists_its_commands_in_whole_sentences(capsys):
    for group in sorted({name.rpartition(" ")[0] for name in COMMANDS}):
        assert _run([*group.split(), "--help"]) == 0
        listed = capsys.readouterr().out.partition("Commands:")[2]
        assert "..." not in listed
