"""Water, power and heat: what every plugin has to keep."""

from __future__ import annotations

from types import MappingProxyType

from citycard.testing.contract import PluginContract

BILLER = {"id": "gas-works", "number": 3, "kind": "gas", "name": "Haibin Gas"}


class TestUtilities(PluginContract):
    plugin = "utilities"
    settings = MappingProxyType(
        {
            "billers": [BILLER],
            "late_fees": [{"name": "late", "kinds": ["gas"], "bp_per_day": 5}],
            "prices": [{"name": "gas", "kind": "gas", "tiers": [{"above_units": 0, "fen": 263}]}],
            "concessions": [{"name": "elders", "kinds": ["gas"], "card_kinds": [3], "percent": 90}],
        }
    )
