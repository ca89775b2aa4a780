"""The settings: what contradicts itself is told by its field."""

from __future__ import annotations

import pytest

from citycard.errors import SettingsInvalid
from citycard.kernel.settings import structure
from citycard_utilities.errors import BillerUnknown, UtilitySettingsInvalid
from citycard_utilities.settings import Currency, UtilitySettings

WATER = {"id": "water-works", "number": 1, "kind": "water", "name": "Water"}


def read(**content):
    return structure(UtilitySettings, content, where="plugins.utilities")


@pytest.mark.parametrize(
    "content",
    [
        {"billers": [WATER, {**WATER, "number": 2}]},
        {"billers": [WATER, {**WATER, "id": "other"}]},
        {"billers": [{**WATER, "kind": "steam"}]},
        {"billers": [{**WATER, "number": 0}]},
        {"billers": [{**WATER, "surplus": "keep"}]},
        {"billers": [{**WATER, "retry_days": [0]}]},
        {"billers": [{**WATER, "bic": "no"}]},
        {"late_fees": [{"name": "a", "kinds": ["steam"], "bp_per_day": 1}]},
        {
            "late_fees": [
                {"name": "a", "kinds": ["water"], "bp_per_day": 1},
                {"name": "b", "kinds": ["water"], "bp_per_day": 2},
            ]
        },
        {"prices": [{"name": "p", "kind": "water", "tiers": [{"above_units": 0, "fen": 1}]}]},
        {"prices": [{"name": "p", "kind": "gas", "tiers": [{"above_units": 5, "fen": 1}]}]},
        {"kinds": [{"name": "water", "title": "Water", "currency": "HKD"}]},
        {"kinds": [{"name": f"k{n}", "title": "K", "prepaid": True} for n in range(4)]},
        {"currencies": [{"code": "HKD", "fen": 0}]},
        {"concessions": [{"name": "c", "kinds": ["gas"], "card_kinds": [], "percent": 50}]},
    ],
)
def test_settings_that_contradict_themselves_are_refused(content):
    with pytest.raises((SettingsInvalid, UtilitySettingsInvalid)):
        read(**content)


def test_billers_are_found_by_id_and_number_and_others_named():
    settings = read(billers=[WATER])
    assert settings.biller("water-works") is settings.numbered(1)
    for ask in (lambda: settings.biller("x"), lambda: settings.numbered(9)):
        with pytest.raises(BillerUnknown, match="water-works"):
            ask()


def test_a_currency_is_converted_to_whole_fen_half_up():
    hkd = Currency(code="HKD", fen=92)
    assert [hkd.in_fen(minor) for minor in (0, 1, 50, 100, 12_345)] == [0, 1, 46, 92, 11_357]
