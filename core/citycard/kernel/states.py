"""The states a plugin can be in, and what is told about it."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

import attrs

__all__ = ["PluginReport", "State"]


class State(StrEnum):
    """Where a plugin is in its life; every state but ENABLED comes with a reason."""

    FOUND = "found"  #: installed, and not allowed in city.toml, so that nothing of it was imported
    MISSING = "missing"  #: named in city.toml or in the database, and not installed
    REFUSED = "refused"  #: may not run here: version, requirements, settings, declarations, or a taken claim
    DECLARED = "declared"  #: read and checked
    CLAIMED = "claimed"  #: what it claims is its own
    MIGRATION_DUE = "migration-due"  #: its tables are behind its code
    MIGRATED = "migrated"  #: its tables are up to date
    STARTED = "started"  #: its context and its guarded records are ready
    ENABLED = "enabled"  #: running
    STOPPING = "stopping"  #: requests in flight are being answered, no new one comes in
    DISABLED = "disabled"  #: installed and allowed, and nobody wants it
    FAILED = "failed"  #: its code raised; while running, what raised was refused and the rest goes on


@attrs.frozen(kw_only=True)
class PluginReport:
    """What ``citycard plugin list`` and the plugin page show of one plugin.

    ``claims`` are mappings with ``kind``, ``key`` and ``sticky``; ``failures`` counts what its code raised
    while running; ``scopes`` are the wishes of the city, its districts and its partners.
    """

    name: str
    title: str
    title_zh: str
    description: str
    distribution: str
    version: str
    state: State
    reason: str
    claims: tuple[dict[str, Any], ...]
    scopes: tuple[dict[str, Any], ...]
    running: bool
    failures: int
    requires: tuple[str, ...]
    settings: Any

    @property
    def off_in(self) -> tuple[str, ...]:
        """Name the districts and partners for which it is switched off while the city has it on."""
        off = (one["id"] for one in self.scopes if one["id"] and not one["wanted"])
        return tuple(off) if self.running else ()
