"""How long the command line takes to answer, each call in a fresh process, beside an empty Python.

    python benchmarks/commands.py [runs]

The peer is ``python -c pass``: what any command in Python has to pay before its first line.
"""

from __future__ import annotations

import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence

GOALS = {"citycard --help": 0.3, "citycard key ceremony --help": 0.3, "citycard plugin list": 0.6}
MAIN = "import sys; from citycard.cli.main import main; main(sys.argv[1:])"


def seconds(command: Sequence[str], runs: int) -> list[float]:
    taken = []
    for _ in range(runs + 1):
        begun = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        taken.append(time.perf_counter() - begun)
    return sorted(taken[1:])  # the first one warms the disk's cache


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 10
    print(
        f"{platform.processor() or platform.machine()}, Python {platform.python_version()}, {runs} runs each"
    )
    calls = {"python -c pass": [sys.executable, "-c", "pass"]}
    for words in GOALS:
        calls[words] = [sys.executable, "-c", MAIN, *words.split()[1:]]
    for words, command in calls.items():
        taken = seconds(command, runs)
        goal = f"   goal {GOALS[words]:.1f} s" if words in GOALS else ""
        print(f"{words:<28} median {statistics.median(taken):.3f} s   worst {taken[-1]:.3f} s{goal}")


if __name__ == "__main__":
    main()
