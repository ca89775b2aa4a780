"""Shops and tills: what every plugin has to keep."""

from __future__ import annotations

from citycard.testing.contract import PluginContract


class TestRetail(PluginContract):
    plugin = "retail"
