"""Throw made-up bytes at everything that reads bytes from outside, guided by coverage.

    python tests/fuzz [--minutes 10] [--seconds N] [--target NAME]

The targets of ``targets.py`` share the time; ``everything`` takes turns among them in one process. Needs
``pip install atheris``. What breaks a promise is shown with the bytes that did it, and the exit code is 1;
4 when atheris is missing. Nothing is kept between runs.
"""

from __future__ import annotations

import argparse
import importlib.util
import re
import subprocess
import sys
import tempfile
from pathlib import Path

NAMES = ("card", "blank", "sam", "sectors", "images", "sector_images", "batches", "statements")
LONGEST = 600


def say(line: str) -> None:
    """Write a line at once: a long run is watched."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def one(name: str, seconds: float) -> None:
    """Fuzz one target in this process; atheris ends it."""
    import atheris

    with atheris.instrument_imports(include=["citycard"]):
        import targets

    options = [f"-max_total_time={max(1, round(seconds))}", f"-max_len={LONGEST}", "-len_control=10"]
    target = targets.everything if name == "everything" else targets.TARGETS[name]
    atheris.Setup([sys.argv[0], *options], target)
    atheris.Fuzz()


def run(name: str, seconds: float) -> int:
    """Fuzz one target in a process of its own; return how many inputs it got, 0 when it failed."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, str(Path(__file__).parent), "--only", name, "--seconds", str(seconds)]
        ended = subprocess.run(
            command, capture_output=True, text=True, errors="replace", cwd=folder, check=False
        )
        said = ended.stdout + ended.stderr
        done = re.search(r"Done (\d+) (?:runs )?in", said)
        if ended.returncode or not done:
            say(said[-4000:])
            for crash in Path(folder).glob("crash-*"):
                say(f"{name}: the bytes that did it: {crash.read_bytes().hex()}")
            return 0
        return int(done[1])


def main() -> int:
    parser = argparse.ArgumentParser(prog="python tests/fuzz")
    parser.add_argument("--minutes", type=float, default=10.0, help="how long in all (default: 10)")
    parser.add_argument("--seconds", type=float, help="the same in seconds")
    choices = (*NAMES, "everything")
    parser.add_argument("--target", choices=choices, action="append", help="only this one; may be repeated")
    parser.add_argument("--only", choices=choices, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    seconds = asked.minutes * 60 if asked.seconds is None else asked.seconds
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write("atheris is missing: pip install atheris (it has wheels for CPython on Linux)\n")
        return 4
    if asked.only:
        one(asked.only, seconds)
    names = asked.target or NAMES
    failed = 0
    for name in names:
        inputs = run(name, seconds / len(names))
        failed += not inputs
        say(f"{name:<14} {inputs:>9} inputs" if inputs else f"{name:<14} broke a promise")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
