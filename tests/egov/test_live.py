"""Two days of city hall in Haibin: residents, applications, subsidies, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from citycard.testing.contract import LivedDaysContract


class TestLivedDays(LivedDaysContract):
    plugin = "egov"
    config = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
