"""Two days of a community in Haibin: flats, fees, passes, visitors, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from citycard.testing.contract import LivedDaysContract


class TestLivedDays(LivedDaysContract):
    plugin = "community"
    config = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
