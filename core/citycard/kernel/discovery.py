"""Which plugins are installed, told by entry points alone: nothing of a plugin is imported here."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import metadata
from typing import Any

import attrs

from citycard.kernel.owned import Owner

__all__ = ["GROUP", "Found", "find"]

GROUP = "citycard"


@attrs.frozen(kw_only=True)
class Found:
    """An installed plugin: its name, the distribution it comes from, and how to import it."""

    name: str
    owner: Owner
    load: Callable[[], Any] = attrs.field(repr=False, eq=False)

    @classmethod
    def inline(cls, name: str, plugin: Any, *, distribution: str = "inline", version: str = "0") -> Found:
        """Present a module or object as if it were installed, for a test of a single plugin."""
        owner = Owner(plugin=name, distribution=distribution, version=version)
        return cls(name=name, owner=owner, load=lambda: plugin)


def find() -> list[Found]:
    """List the plugins that are installed now, by name and distribution.

    A distribution that was installed while the process runs is seen. One name may come from two
    distributions; whoever uses the list has to refuse that.
    """
    found = map(_found, metadata.entry_points(group=GROUP))
    known = {(plugin.name, plugin.owner.distribution): plugin for plugin in found}
    return [known[key] for key in sorted(known)]


def _found(entry: metadata.EntryPoint) -> Found:
    # Asked once: the file is read anew each time. Without a readable METADATA there is neither name nor
    # version, and the entry points still name themselves.
    told = entry.dist.metadata if entry.dist else None
    owner = Owner(
        plugin=entry.name,
        distribution=(told and told["Name"]) or "an unnamed distribution",
        version=(told and told["Version"]) or "of no version",
    )
    return Found(name=entry.name, owner=owner, load=entry.load)


def names(found: Iterable[Found]) -> list[str]:
    """List the names of installed plugins, each once."""
    return sorted({plugin.name for plugin in found})
