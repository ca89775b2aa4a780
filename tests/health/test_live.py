"""Two days of health in Haibin: appointments, visits, sports, and nothing twice."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from citycard.store import reading
from citycard.testing.town import Town

HAIBIN = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"
DOMAIN = "health"


@pytest.fixture
def town(tmp_path):
    made = Town.of(tmp_path, HAIBIN, domains=[DOMAIN], hierarchies=["health"])
    yield made
    made.close()


def books(town):
    with reading(town.city.engine) as conn:
        return town.city.ledger.trial_balance(conn)


def test_two_days_are_lived_once_each_and_the_books_balance(town):
    accounts = [town.account(town.card(), 200_000) for _ in range(4)]
    first = town.live_day(DOMAIN, accounts)
    assert first
    assert all(count > 0 for count in first.values()), first
    before = books(town)
    town.live_day(DOMAIN, accounts)
    assert books(town) == before
    town.clear()
    town.check_books()
    lines = town.city.plugins.citizen_lines(accounts[0])
    assert {line.owner.plugin for line in lines} == {DOMAIN}
    town.pass_time(dt.timedelta(days=1))
    town.live_day(DOMAIN, accounts)
    town.clear()
    town.check_books()
    assert len(town.city.plugins.citizen_lines(accounts[0])) >= len(lines)
