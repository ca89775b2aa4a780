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
    entries = {(entry.name, _distribution(entry)): entry for entry in metadata.entry_points(group=GROUP)}
    return [_found(entries[key]) for key in sorted(entries)]


def _distribution(entry: metadata.EntryPoint) -> str:
    # A dist-info without a readable METADATA has no name; its entry points still name themselves.
    return (entry.dist.metadata["Name"] if entry.dist else None) or "an unnamed distribution"


def _found(entry: metadata.EntryPoint) -> Found:
    version = (entry.dist.metadata["Version"] if entry.dist else None) or "of no version"
    owner = Owner(plugin=entry.name, distribution=_distribution(entry), version=version)
    return Found(name=entry.name, owner=owner, load=entry.load)


def names(found: Iterable[Found]) -> list[str]:
    """List the names of installed plugins, each once."""
    return sorted({plugin.name for plugin in found})
