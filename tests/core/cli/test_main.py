from __future__ import annotations

import subprocess
import sys

import pytest


def citycard(*arguments, **environment):
    """Run the command as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", "from citycard.cli.main import main; main()", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", **environment},
    )


def test_help_lists_every_group_of_commands():
    answer = citycard("--help")

    assert answer.returncode == 0
    for group in ("access", "card", "city", "clearing", "key", "plugin", "replay", "serve"):
        assert f"  {group} " in answer.stdout


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("city", "show", "--colour"),
        ("city", "create"),
        ("city", "create", "x", "--config", "absent.toml"),
    ],
)
def test_a_wrong_call_is_one_line_and_exit_code_2(arguments, tmp_path):
    answer = citycard(*arguments)

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert len(answer.stderr.splitlines()) == 1
    assert "Traceback" not in answer.stderr


def test_a_folder_without_a_city_is_one_line_and_exit_code_4(tmp_path):
    answer = citycard("city", "show", "--city", str(tmp_path))

    assert answer.returncode == 4
    assert len(answer.stderr.splitlines()) == 1
    assert "citycard city create" in answer.stderr


def test_the_version_is_that_of_the_distribution():
    from importlib.metadata import version

    assert citycard("--version").stdout.strip().endswith(version("citycard"))


def test_a_call_without_a_word_gets_the_help_and_exit_code_2():
    answer = citycard()

    assert answer.returncode == 2
    assert answer.stdout == ""
    assert "\nCommands:\n" in answer.stderr


def test_a_folder_that_cannot_be_made_is_one_line_and_exit_code_4(tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "city.toml").write_text('[city]\nname = "X"\ncode = "9901"\n')

    answer = citycard(
        "city", "create", str(tmp_path / "file" / "city"), "--config", str(tmp_path / "city.toml")
    )

    assert answer.returncode == 4
    assert "Not a directory" in answer.stderr
    assert len(answer.stderr.splitlines()) == 1
