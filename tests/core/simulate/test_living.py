"""A living city: what is done online beside the taps, and books that balance every night."""

import datetime as dt

import pytest

from citycard.city import City
from citycard.clock import FixedClock
from citycard.simulate.living import live
from citycard.simulate.making import simulate
from citycard.simulate.plan import SimulationPlan

DAYS = 3


@pytest.fixture
def lived(kiosk_town, tmp_path):
    kiosk_town("town").close()
    clock = FixedClock(dt.datetime(2026, 3, 2, tzinfo=dt.UTC))
    city = City.open(tmp_path / "town", clock=clock)

    def go(seed=1, **more):
        plan = SimulationPlan(cards=60, terminals=10, records=600, days=DAYS, seed=seed, **more)
        truth = simulate(city, plan, tmp_path / "out")
        return live(city, clock, truth, tmp_path / "out", domains=plan.domains)

    yield go
    city.close()


def test_every_night_is_cleared_and_its_books_balance(lived):
    nights = lived()
    assert [night.day for night in nights] == [dt.date(2026, 3, 2 + day) for day in range(DAYS)]
    assert all(night.balanced for night in nights)
    assert sum(night.codes["OK"] for night in nights) == 600
    assert all(night.acts == {"kiosk": {"papers ordered": 6}} for night in nights)
    assert [night.online_fen for night in nights] == [1500] * DAYS
    # What citizens spend online is paid out with the next night's clearing.
    assert nights[-1].settled_fen > 1500


def test_a_plugin_that_raises_is_named_and_the_night_does_not_count_as_balanced(lived):
    nights = lived(seed=998)
    assert [night.failures for night in nights] == [(), ("kiosk",), ()]
    assert [night.balanced for night in nights] == [True, False, True]
