from __future__ import annotations

import attrs
import numpy as np

from citycard.simulate.plan import SimulationPlan
from citycard.simulate.rides import BLOCK, blocks, ride
from citycard.simulate.tariff import Tariff

PLAN = SimulationPlan(cards=2 * BLOCK + 100, terminals=100, records=90_001, days=3)


def test_blocks_make_all_records_and_none_depends_on_another(kiosk_town):
    tariff = Tariff.of(kiosk_town("town"))
    forward = [ride(PLAN, tariff, 2, *block) for block in blocks(PLAN)]
    backward = [ride(PLAN, tariff, 2, *block) for block in reversed(blocks(PLAN))][::-1]
    assert sum(len(one.card) for one in forward) == PLAN.records
    for one, other in zip(forward, backward, strict=True):
        assert all(
            np.array_equal(mine, its)
            for mine, its in zip(attrs.astuple(one), attrs.astuple(other), strict=True)
        )


def test_a_card_counts_its_taps_in_the_order_of_time(kiosk_town):
    rides = ride(PLAN, Tariff.of(kiosk_town("town")), 2, *blocks(PLAN)[0])
    same = np.diff(rides.card) == 0
    assert (np.diff(rides.counter)[same] == 1).all()
    assert (np.diff(rides.seconds)[same] >= 0).all()
    assert (rides.counter[1:][~same] == 0).all()


def test_most_people_tap_in_the_morning_and_in_the_evening(kiosk_town):
    rides = ride(PLAN, Tariff.of(kiosk_town("town")), 2, *blocks(PLAN)[0])
    by_hour = np.bincount(rides.seconds % 86_400 // 3600, minlength=24)
    assert by_hour[8] > 2 * by_hour[11]
    assert by_hour[18] > 1.5 * by_hour[11]
    assert by_hour[2] == 0


def test_nobody_is_so_long_on_the_way_that_a_tap_comes_a_day_after_the_day_that_is_counted(kiosk_town):
    tariff = Tariff.of(kiosk_town("town"))
    slow = attrs.evolve(tariff, seconds=np.full_like(tariff.seconds, 5 * 3600))
    plan = SimulationPlan(cards=50, terminals=100, records=200, days=1)
    for seed in range(5):
        rides = ride(attrs.evolve(plan, seed=seed), slow, 2, 0, plan.cards)
        assert len(rides.card) == plan.records
        assert rides.seconds.max() < 2 * 86_400
