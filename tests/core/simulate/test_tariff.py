from __future__ import annotations

import datetime as dt

import numpy as np
import pytest

from citycard.errors import HabitsMissing
from citycard.simulate.plan import SimulationPlan
from citycard.simulate.tariff import Tariff
from citycard.simulate.world import World

MIDNIGHT = dt.datetime(2026, 3, 2)
NINE, TEN = 9 * 3600 + 59 * 60, 10 * 3600


def test_a_tap_costs_what_the_citys_own_rules_say_at_its_hour(kiosk_town):
    city = kiosk_town("town")
    tariff = Tariff.of(city)
    plan = SimulationPlan(cards=10, terminals=20, records=20, start=MIDNIGHT.date())
    prices = World.of(city, plan).prices(city)
    taps = np.array([np.flatnonzero(tariff.list_price_fen == fen)[0] for fen in (250, 400, 400)])
    products = np.zeros(3, dtype=np.int64)
    assert prices.of(taps, products, np.array([NINE, NINE, TEN])).tolist() == [250, 200, 400]


def test_habits_are_laid_out_there_and_back(kiosk_town):
    tariff = Tariff.of(kiosk_town("town"))
    assert tariff.partners == ("kiosk-north", "kiosk-south")
    assert tariff.lengths.tolist() == [1, 2, 2]
    assert tariff.list_price_fen.tolist() == [250, 250, 400, 380, 380, 400, 0, 300, 0, 300]
    assert tariff.starts.tolist() == [0, 1, 2, 4, 6, 8]
    assert np.allclose(tariff.chances, [2 / 6, 5 / 6, 1.0])


def test_evenly_every_domain_has_as_many_journeys(kiosk_town):
    tariff = Tariff.of(kiosk_town("town"), evenly=True)
    assert np.allclose(tariff.chances, [2 / 6, 5 / 6, 1.0])


def test_only_the_domains_that_are_named_are_tapped(kiosk_town):
    with pytest.raises(HabitsMissing):
        Tariff.of(kiosk_town("town"), ("transit",))
