"""Two days of health in Haibin: appointments, visits, sports, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from citycard.testing.contract import LivedDaysContract


class TestLivedDays(LivedDaysContract):
    plugin = "health"
    config = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
    hierarchies = ("health",)
