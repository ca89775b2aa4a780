"""Two days of shops in Haibin: merchants, sales, a hotel, an order, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from citycard.testing.contract import LivedDaysContract


class TestLivedDays(LivedDaysContract):
    plugin = "retail"
    config = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
