"""City hall: what every plugin has to keep, with offices, services, rights and a party of the exchange."""

from __future__ import annotations

from typing import Any, ClassVar

from citycard.testing.contract import PluginContract


class TestEgov(PluginContract):
    plugin = "egov"
    settings: ClassVar[dict[str, Any]] = {
        "departments": [
            {"id": "civil-affairs", "title": "Civil Affairs", "tells": ["name", "born"]},
            {"id": "police", "title": "Police", "tells": ["address"]},
        ],
        "services": [
            {
                "id": "certificate",
                "number": 7,
                "title": "Certificate",
                "department": "civil-affairs",
                "fee_fen": 1000,
                "fields": ["name"],
                "form": ["reason"],
                "steps": [{"title": "Check", "department": "police", "working_days": 3}],
            }
        ],
        "rights": [{"name": "over-65", "title": "Over 65", "field": "born", "since_age": 65, "mark": 0}],
        "concessions": [{"name": "old-age", "rights": ["over-65"], "percent": 50}],
        "windows": [{"id": "hall", "title": "Hall"}],
        "nodes": [{"id": "school", "title": "School", "url": "http://127.0.0.1:1", "key": "00" * 32}],
    }
