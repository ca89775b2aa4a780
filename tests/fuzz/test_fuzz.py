"""A short run of every target: made-up bytes by Hypothesis, and guided by coverage where atheris is."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))
import targets

SECONDS = 5
EXAMPLES = 150


@pytest.mark.parametrize("name", targets.TARGETS)
def test_made_up_bytes_are_answered_or_refused(name, record_property):
    count = 0

    @settings(max_examples=EXAMPLES, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(st.binary(max_size=600))
    def try_it(data):
        nonlocal count
        count += 1
        targets.TARGETS[name](data)

    try_it()
    record_property("inputs", count)


@pytest.mark.skipif(
    importlib.util.find_spec("atheris") is None,
    reason="atheris has no wheel for this Python; the same targets got made-up bytes by Hypothesis",
)
def test_a_short_guided_run_breaks_no_promise(record_property):
    command = [
        sys.executable,
        str(Path(__file__).parent),
        "--seconds",
        str(SECONDS),
        "--target",
        "everything",
    ]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    record_property("inputs", int(re.search(r"(\d+) inputs", ended.stdout)[1]))


def test_a_refused_command_that_changes_the_card_is_found():
    right, spent, other = b"\x33\x10", b"\x32\x10", b"\x33\x20"
    targets.unchanged(right, right, b"", b"\x6a\x82")
    targets.unchanged(right, spent, b"", b"\x63\xc2")
    with pytest.raises(AssertionError, match="answered 6a82 and changed"):
        targets.unchanged(right, other, b"", b"\x6a\x82")
