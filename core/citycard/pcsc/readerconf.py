"""What pcscd must be told so that it opens virtual readers: its ``reader.conf``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import attrs

__all__ = ["DRIVER", "SLOTS_OF_A_DRIVER", "Slot", "reader_conf", "write_reader_conf"]

DRIVER = Path("/usr/lib/pcsc/drivers/serial/libifdvpcd.so")
"""Where Debian's package vsmartcard-vpcd puts the driver."""
SLOTS_OF_A_DRIVER = 2
"""Each loaded driver has two slots, on a port and the one above."""


@attrs.frozen(kw_only=True)
class Slot:
    """One slot of a virtual reader: its name among the readers, and the port a card connects to."""

    reader: str
    port: int


def reader_conf(name: str, port: int, driver: Path = DRIVER) -> str:
    """Return the entry of a reader with two slots, on ``port`` and the one above."""
    return (
        f'FRIENDLYNAME "{name}"\nDEVICENAME   /dev/null:0x{port:04X}\n'
        f"LIBPATH      {driver}\nCHANNELID    0x{port:04X}\n"
    )


def write_reader_conf(
    folder: Path, ports: Sequence[int], *, name: str = "City", driver: Path = DRIVER
) -> list[Slot]:
    """Write ``folder``/citycard for readers at ``ports``, and return their slots in order.

    The driver keeps its slots once for each loaded file, so each reader gets a copy of the driver of its own,
    beside the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    entries, slots = [], []
    for index, port in enumerate(ports):
        own = folder.parent / f"libifdvpcd-{index}.so"
        shutil.copyfile(driver, own)
        title = f"{name} {chr(ord('A') + index)}"
        entries.append(reader_conf(title, port, own))
        slots += [
            Slot(reader=f"{title} 00 {slot:02X}", port=port + slot) for slot in range(SLOTS_OF_A_DRIVER)
        ]
    (folder / "citycard").write_text("\n".join(entries), encoding="ascii")
    return slots
