"""The one place that wires a deployment together.

- ``config``: ``city.toml``, read strictly
- ``city``: ``City``, made or opened in a folder: store, vault, plugins, ledger, clearing
- ``issuing``: product versions, and the chips that are personalised from them
- ``rating``: what a record should have cost and who gets it, asked of the plugin that owns its service
- ``vaults``: the vault, in a file or in a token, and those of hierarchies with their own root; ``secrets``:
  where its passphrase or PIN comes from

What plugins declare and the city makes real:

- ``declared``: partners and ledger accounts, opened once
- ``configuration``: what terminals must know, numbered and signed
- ``events``: told to the plugins after the commit
- ``jobs``, ``leases``: work on a schedule, by one process at a time; ``rounds`` does it in a server
- ``sealing``: the ledger's seals, and whether it still is what was sealed
- ``entitlements``: what a card's holder is entitled to, and who says so
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.city.config import CityConfig, read_config
    from citycard.city.configuration import Configuration
    from citycard.city.entitlements import Right
    from citycard.city.issuing import Issuing
    from citycard.city.rounds import Rounds

__all__ = ["City", "CityConfig", "Configuration", "Issuing", "Right", "Rounds", "read_config"]

_HOME = {
    "City": "city",
    "CityConfig": "config",
    "Configuration": "configuration",
    "Issuing": "issuing",
    "Right": "entitlements",
    "Rounds": "rounds",
    "read_config": "config",
}


def __getattr__(name: str) -> Any:
    # A command that only lists plugins must not import chips and keys.
    if name not in _HOME:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    return getattr(importlib.import_module(f"{__name__}.{_HOME[name]}"), name)
