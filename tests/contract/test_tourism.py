"""Culture and leisure: what every plugin has to keep."""

from __future__ import annotations

from citycard.testing.contract import PluginContract


class TestTourism(PluginContract):
    plugin = "tourism"
