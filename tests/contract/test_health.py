"""Health: what every plugin has to keep."""

from __future__ import annotations

from typing import Any, ClassVar

from citycard.testing.contract import PluginContract


class TestHealth(PluginContract):
    plugin = "health"
    settings: ClassVar[dict[str, Any]] = {
        "products": [
            {"name": "health-card", "title": "Health card", "kind": 56},
            {"name": "health-senior", "title": "Senior", "kind": 57, "entitlements": ["senior"]},
        ],
        "clinics": [{"id": "clinic-east", "name": "East Clinic"}],
        "insurers": [{"id": "medicare", "name": "Medical Insurance Fund"}],
        "levels": [{"number": 1, "name": "Doctor", "fee_fen": 500}],
        "concessions": [{"name": "seniors", "only_for": ["senior"], "percent": 50}],
        "items": [{"code": "blood", "title": "Blood count", "coverage": "A", "price_fen": 3000}],
        "plans": [
            {
                "name": "employee",
                "title": "Employees",
                "insurer": "medicare",
                "deductible_fen": 1000,
                "ceiling_fen": 100000,
                "percents": {"A": 80},
            }
        ],
        "vaccines": [{"code": "mmr", "title": "MMR", "cvx": "03", "doses": [{"age_days": 240}]}],
        "sports": {"venues": [{"id": "swim-hall", "name": "Swimming hall", "price_fen": 3000}]},
    }
