"""Community: what every plugin has to keep."""

from __future__ import annotations

from citycard.testing.contract import PluginContract


class TestCommunity(PluginContract):
    plugin = "community"
    settings = {  # noqa: RUF012 - the form that the contract asks for
        "hours": [{"number": 1, "name": "daytime"}],
        "communities": [
            {
                "id": "sunrise",
                "number": 7,
                "name": "Sunrise Court",
                "partner": "sunrise-pm",
                "zones": [
                    {"number": 0, "name": "Gate", "shared": True},
                    {"number": 1, "name": "East building"},
                ],
                "doors": [{"id": "east", "name": "East door", "zone": 1, "terminal": "990100000012"}],
                "car_parks": [{"number": 1, "name": "Garage", "spaces": 3, "gates": ["990100000014"]}],
                "visitors": {"hours": 1},
            }
        ],
        "clinics": [
            {"id": "sunrise-clinic", "number": 1, "name": "Sunrise clinic", "communities": ["sunrise"]}
        ],
    }
