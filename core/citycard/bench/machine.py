"""What a figure was measured on: without it, no figure says anything."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import attrs

__all__ = ["Machine", "this_machine"]


@attrs.frozen(kw_only=True)
class Machine:
    """The machine: processor, cores that this process may use, memory in MiB, system and Python."""

    processor: str
    cores: int
    memory_mib: int
    system: str
    python: str


def this_machine() -> Machine:
    """Look at the machine that this process runs on."""
    return Machine(
        processor=_processor(),
        cores=len(os.sched_getaffinity(0)),
        memory_mib=os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // (1024 * 1024),
        system=platform.platform(),
        python=platform.python_version(),
    )


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        name, _, value = line.partition(":")
        if name.strip() == "model name":
            return value.strip()
    return platform.machine()
