"""The plugin kernel: how a plugin is found, read, checked, given what it claims, switched on and off.

For plugin authors (all of it comes from ``citycard`` itself):

- ``hookspecs``: every hook with its signature and its failure rule
- ``identity``, ``services``, ``accounts``, ``data``, ``outside``: the records that hooks declare
- ``settings``: strict settings classes, secrets

For the city, the web and the command line:

- ``plugins``: ``Plugins``, one city's plugins: typed readers, veto, events, switching
- ``owned``, ``states``: where a record comes from, and what is told about a plugin

Inside:

- ``discovery``: entry points and the allow list, before anything is imported
- ``families``, ``declare``, ``entries``: which hook gives which record, and the checking of what it gave
- ``claims``, ``memory``, ``tables``: who owns what, who wants what, and where both are remembered
- ``lifecycle``, ``live``, ``reading``: starting and stopping, what runs, and reading it by type
- ``serving``, ``lifespans``: what a server needs
- ``guard``: what a plugin's code raises at run time, isolated and counted
- ``reports``: what is told about each plugin
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.kernel.owned import Owned, Owner
    from citycard.kernel.plugins import Plugins
    from citycard.kernel.states import PluginReport, State

__all__ = ["Owned", "Owner", "PluginReport", "Plugins", "State"]

_HOME = {
    "Owned": "owned",
    "Owner": "owned",
    "PluginReport": "states",
    "Plugins": "plugins",
    "State": "states",
}


def __getattr__(name: str) -> Any:
    # citycard.kernel.settings is used for city.toml too; that must not import pluggy and the rest.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
