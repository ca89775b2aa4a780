"""Campus: what every plugin has to keep."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from citycard.testing.contract import PluginContract


class TestCampus(PluginContract):
    plugin = "campus"
    settings: ClassVar[Mapping[str, Any]] = {
        "schools": [{"id": "school-3", "number": 3, "name": "No. 3 Middle School", "programme": "meals"}],
        "canteens": [{"id": "canteen-3", "school": "school-3", "name": "Happy Kitchen"}],
        "doors": [{"school": "school-3", "number": 1, "name": "Main gate", "until": "22:00"}],
        "computer": {"minute_fen": 5, "cap_fen": 300},
        "library": {"days": 14},
    }
