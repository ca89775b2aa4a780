"""Two days of bills in Haibin: sent, paid, collected, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from citycard.testing.contract import LivedDaysContract


class TestLivedDays(LivedDaysContract):
    plugin = "utilities"
    config = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
