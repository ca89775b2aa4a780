"""What a city may say of its communities, and how it is told what is wrong."""

import copy

import pytest

from citycard.errors import SettingsInvalid
from citycard.kernel.settings import shown, structure
from citycard_community.errors import CommunityUnknown
from citycard_community.settings import CommunitySettings

GOOD = {
    "hours": [{"number": 1, "name": "day"}],
    "communities": [
        {
            "id": "sunrise",
            "number": 7,
            "name": "Sunrise",
            "partner": "pm",
            "zones": [{"number": 0, "name": "Gate", "shared": True}, {"number": 3, "name": "East"}],
            "doors": [{"id": "east", "name": "East door", "zone": 3, "terminal": "990100000012"}],
            "car_parks": [{"number": 1, "name": "Garage", "spaces": 3, "gates": ["990100000014"]}],
        }
    ],
    "clinics": [{"id": "clinic", "number": 1, "name": "Clinic", "communities": ["sunrise"]}],
}


def read(settings):
    return structure(CommunitySettings, settings, where="city.toml: plugins.community")


def changed(change):
    settings = copy.deepcopy(GOOD)
    change(settings)
    return settings


def first(settings):
    return settings["communities"][0]


def test_they_are_found_by_what_terminals_and_cards_say():
    settings = read(GOOD)
    community = settings.community("sunrise")
    assert settings.numbered(7) is community
    assert settings.door("990100000012") == (community, community.doors[0])
    assert settings.gate("990100000014") == (community, community.car_parks[0])
    assert settings.clinic(1).id == "clinic"
    assert (
        settings.numbered(8)
        is settings.door("1" * 12)
        is settings.gate("1" * 12)
        is settings.clinic(2)
        is None
    )
    assert (community.building(3).name, community.building(0), community.car_park(9)) == ("East", None, None)
    assert community.home_zones(3) == 0b1001
    with pytest.raises(CommunityUnknown, match="there are: sunrise"):
        settings.community("sunset")


def test_terminals_read_back_what_was_published():
    settings = read(GOOD)
    assert structure(CommunitySettings, shown(settings), where="x", texts=True) == settings


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda s: s["communities"].append(first(s)), "community 'sunrise'"),
        (lambda s: first(s)["zones"].append({"number": 3, "name": "x"}), "zone 3"),
        (lambda s: first(s)["doors"].append(first(s)["doors"][0]), "door 'east'"),
        (lambda s: first(s)["car_parks"][0].update(gates=["990100000012"]), "terminal '990100000012'"),
        (lambda s: s["hours"].append({"number": 1, "name": "x"}), "class of hours 1"),
        (lambda s: first(s)["doors"][0].update(zone=4), r"door east: zone 4 .* are \[0, 3\]"),
        (lambda s: first(s).update(visitors={"hours": 9}), "hours 9"),
        (lambda s: s["clinics"][0].update(communities=["moon"]), "communities 'moon'"),
        (lambda s: first(s).update(number=0), "number"),
        (lambda s: first(s).update(zones=[]), "zones"),
        (lambda s: first(s).update(colour="red"), "colour"),
        (lambda s: first(s)["zones"][0].update(number=32), "number"),
        (lambda s: first(s).update(fee={"due_day": 31}), "due_day"),
        (lambda s: first(s)["car_parks"][0].update(unit_minutes=0), "unit_minutes"),
        (lambda s: first(s)["car_parks"][0].update(gates=["9"]), "gates"),
        (lambda s: s["hours"][0].update(weekdays=[8]), "weekdays"),
        (lambda s: s["hours"][0].update(opens="morning"), "opens"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_refused_by_name(change, said):
    with pytest.raises(SettingsInvalid, match=said):
        read(changed(change))


def test_nothing_is_needed():
    assert read({}) == CommunitySettings()
