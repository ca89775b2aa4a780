"""Bus and metro keep what every plugin has to keep."""

from __future__ import annotations

from citycard.testing.contract import PluginContract


class TestTransit(PluginContract):
    plugin = "transit"
