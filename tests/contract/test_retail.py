"""Shops and tills: what every plugin has to keep."""

from __future__ import annotations

from typing import Any, ClassVar

from citycard.testing.contract import PluginContract


class TestRetail(PluginContract):
    plugin = "retail"
    settings: ClassVar[dict[str, Any]] = {
        "reductions": [
            {"name": "seniors", "percent": 95, "categories": ["supermarket"], "card_kinds": [3]},
            {"name": "staff", "percent": 90, "only_for": ["city-staff"]},
        ],
        "fees_account": "6200990100000200001",
        "fees_bic": "CITYCNBJXXX",
        "shopping": {"kiosk": "corner-kiosk", "supermarket": "harbour-market"},
    }
