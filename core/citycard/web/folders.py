"""Folders that are found by looking: ``static/``, ``locale/`` and ``templates/`` beside a plugin's module."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from citycard.kernel.discovery import GROUP

__all__ = ["plugin_folders"]


def plugin_folders(names: Iterable[str], kind: str) -> dict[str, Path]:
    """Find the folder called ``kind`` of those plugins that have one; only imported modules are looked at."""
    wanted = set(names)
    found = {}
    for entry in metadata.entry_points(group=GROUP):
        module = sys.modules.get(entry.module)
        if entry.name not in wanted or not getattr(module, "__file__", None):
            continue
        folder = Path(str(module.__file__)).parent / kind  # type: ignore[union-attr]
        if folder.is_dir():
            found[entry.name] = folder
    return found
