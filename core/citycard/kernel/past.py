"""The plugins as they were under settings of earlier: to price by, not to run."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

import attrs
import pluggy

from citycard.errors import CitycardError
from citycard.kernel import hookspecs
from citycard.kernel.entries import Entry
from citycard.kernel.guard import Failures
from citycard.kernel.identity import PluginContext
from citycard.kernel.live import Live, Running
from citycard.kernel.reading import Reading

__all__ = ["Past", "as_it_was"]

log = logging.getLogger("citycard.kernel")


class Past(Reading):
    """Plugins that may be read and asked, and are never switched."""

    def __init__(self, live: Live, failures: Failures, core_events: Mapping[str, type]) -> None:
        self._live = live
        self._failures = failures
        self._core_events = core_events
        self._told = {}


def as_it_was(
    entry: Entry,
    section: Mapping[str, Any],
    core_version: str,
    failures: Failures,
    context: PluginContext,
) -> Running | None:
    """Ask a plugin once more what it brings, with settings of earlier; None when it does not take them now.

    It is asked in a plugin manager of its own, so that nobody else sees it.
    """
    manager = pluggy.PluginManager("citycard")
    manager.add_hookspecs(hookspecs)
    again = Entry(found=entry.found)
    try:
        declared = again.read(manager, section, core_version)
    except CitycardError as refused:
        log.warning("plugin %s cannot price by settings of earlier: %s", entry.owner, refused)
        return None
    at = attrs.evolve(context, settings=declared.settings)
    return Running.of(entry.owner, declared, again.hooks, at, failures)
