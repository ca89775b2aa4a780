"""The one place that wires a deployment together.

- ``config``: ``city.toml``, read strictly
- ``city``: ``City``, made or opened in a folder: store, vault, plugins, ledger, clearing
- ``issuing``: product versions, and the chips that are personalised from them
- ``rating``: what a record should have cost and who gets it, asked of the plugin that owns its service
- ``secrets``: where the vault's passphrase comes from
"""

from __future__ import annotations

from citycard.city.city import City
from citycard.city.config import CityConfig, read_config
from citycard.city.issuing import Issuing

__all__ = ["City", "CityConfig", "Issuing", "read_config"]
