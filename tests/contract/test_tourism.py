"""Culture and leisure: what every plugin has to keep."""

from __future__ import annotations

from typing import Any, ClassVar

from citycard.testing.contract import PluginContract


class TestTourism(PluginContract):
    plugin = "tourism"
    settings: ClassVar[dict[str, Any]] = {
        "rights": ["student"],
        "venues": [
            {"id": "museum", "name": "Museum", "number": 1, "capacity": 100},
            {"id": "library", "name": "Library", "number": 2, "kind": "library"},
            {"id": "gym", "name": "Gym", "number": 3, "kind": "gym"},
        ],
        "shows": [
            {
                "name": "stars",
                "number": 1,
                "title": "The stars",
                "venue": "museum",
                "price_fen": 3000,
                "times": ["10:00", "14:00"],
                "capacity": 40,
            }
        ],
        "plans": [
            {"name": "year", "number": 1, "title": "A year", "venues": ["museum"], "price_fen": 10_000},
            {
                "name": "gym",
                "number": 2,
                "title": "Gym",
                "kind": "membership",
                "venues": ["gym", "museum"],
                "price_fen": 90_000,
                "extend_fen": 30_000,
                "extend_days": 30,
            },
        ],
        "concessions": [{"name": "students", "only_for": ["student"], "percent": 50}],
        "groups": [{"name": "parties", "people": 10, "percent": 80}],
        "libraries": [{"venue": "library"}],
        "schemes": [
            {
                "venue": "museum",
                "title": "Stars",
                "points_per_yuan": 1,
                "rate_fen": 2,
            }
        ],
        "acceptances": [{"scheme": "museum", "venue": "gym", "fen": 2}],
    }
