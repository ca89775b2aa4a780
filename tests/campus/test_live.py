"""Two days at school in Haibin: lessons, meals, who is missing, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from citycard.testing.contract import LivedDaysContract


class TestLivedDays(LivedDaysContract):
    plugin = "campus"
    config = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
