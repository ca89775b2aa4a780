"""What an operator may write into city.toml, and how a mistake is told."""

from __future__ import annotations

import pytest

from citycard.errors import SettingsInvalid
from citycard.kernel.settings import structure
from citycard_tourism.errors import NameUnknown
from citycard_tourism.settings import TourismSettings


def read(section):
    return structure(TourismSettings, section, where="plugins.tourism")


def changed(section, kind, **values):
    return section | {kind: [section[kind][0] | values, *section[kind][1:]]}


def test_a_city_without_venues_is_fine():
    assert read({}).venues == ()


@pytest.mark.parametrize(
    ("kind", "values", "told"),
    [
        ("venues", {"id": "science-museum"}, "declared twice"),
        ("venues", {"number": 2}, "declared twice"),
        ("venues", {"number": 0}, "number"),
        ("venues", {"capacity": -1}, "capacity"),
        ("venues", {"colour": "red"}, "colour"),
        ("shows", {"venue": "moon"}, "'moon' is not declared"),
        ("shows", {"times": ["25:00"]}, "times"),
        ("shows", {"times": []}, "times"),
        ("shows", {"price_fen": "3000"}, "price_fen"),
        ("shows", {"capacity": 0}, "capacity"),
        ("shows", {"people_most": 256}, "people_most"),
        ("plans", {"venues": []}, "venues"),
        ("plans", {"weights": {"moon": 1}}, "'moon' is not declared"),
        ("plans", {"weights": {"city-museum": 0}}, "not all 0"),
        ("plans", {"weights": {"city-museum": -1, "science-museum": 2}}, "0 or more"),
        ("plans", {"extend_fen": 100}, "extend_days"),
        ("plans", {"keep_percent": 101}, "keep_percent"),
        ("concessions", {"only_for": ["dwarf"]}, "'dwarf' is not declared"),
        ("concessions", {"services": ["metro"]}, "services"),
        ("groups", {"shows": ["moon"]}, "'moon' is not declared"),
        ("groups", {"people": 1}, "people"),
        ("libraries", {"venue": "moon"}, "'moon' is not declared"),
        ("schemes", {"rate_fen": 0}, "rate_fen"),
        ("acceptances", {"scheme": "city-museum"}, "'city-museum' is not declared"),
    ],
)
def test_a_mistake_names_its_place(settings_section, kind, values, told):
    with pytest.raises(SettingsInvalid, match=told):
        read(changed(settings_section, kind, **values))


def test_names_and_numbers_find_the_same(settings_section):
    settings = read(settings_section)
    assert settings.venue("bookshop") is settings.venue(5)
    assert settings.show("film") is settings.show(2)
    assert settings.plan("gym") is settings.plan(2)
    with pytest.raises(NameUnknown, match="there are dinosaurs, film"):
        settings.show("x" * 200)
    with pytest.raises(NameUnknown):
        settings.library("bookshop")


def test_rights_are_bits_in_the_order_of_the_settings(settings_section):
    settings = read(settings_section)
    assert settings.given(["child", "student", "stranger"]) == 0b101
    assert settings.entitlements(0b101) == {"child", "student"}
    assert settings.entitlements(0xFFFF) == {"student", "over-65", "child"}
