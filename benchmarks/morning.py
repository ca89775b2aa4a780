"""How long does a whole morning take, from the file of taps to the bank instruction?

Run it as ``python benchmarks/morning.py FILE`` for a published file (docs/replay.md), or without a file for
the generated morning. The goal for the published 37,000 taps is 40 s on two cores and 1 GiB.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

GOAL_S, GOAL_MIB = 40.0, 1024


def machine() -> str:
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        names = [
            line.partition(":")[2].strip() for line in info.read_text().splitlines() if "model name" in line
        ]
        model = names[0] if names else model
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}"


def main() -> None:
    taps = ["shenzhen", sys.argv[1]] if len(sys.argv) > 1 else ["morning"]
    with tempfile.TemporaryDirectory() as folder:
        # A process of its own, so that its memory is what a user's would be.
        command = Path(sys.executable).with_name("citycard")
        done = subprocess.run(
            [str(command), "replay", *taps, "--city", f"{folder}/city", "--json"],
            stdout=subprocess.PIPE,
            check=True,
        )
    answer = json.loads(done.stdout)
    print(machine())
    print(f"{answer['played']} taps, {answer['cards']} cards, {answer['records']} records")
    for phase, seconds in answer["phases"].items():
        print(f"  {phase:<8} {seconds:6.1f} s")
    print(f"  {'in all':<8} {answer['seconds']:6.1f} s   goal {GOAL_S:.0f} s")
    print(f"{answer['taps_per_second']:.0f} taps a second, {answer['peak_mib']} MiB   goal {GOAL_MIB} MiB")


if __name__ == "__main__":
    main()
