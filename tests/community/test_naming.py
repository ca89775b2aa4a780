"""Names on pages: configured ones in the reader's language, and numbers for what is not declared any more."""

import datetime as dt

import attrs
import pytest

from citycard_community.naming import Names
from citycard_community.openings import DoorOpening
from citycard_community.settings import CarPark, Community, CommunitySettings, Door, Zone

SETTINGS = CommunitySettings(
    communities=(
        Community(
            id="sunrise",
            number=7,
            name="Sunrise Court",
            name_zh="朝阳苑",
            partner="pm",
            zones=(
                Zone(number=1, name="East building", name_zh="东楼"),
                Zone(number=2, name="West"),
            ),
            doors=(Door(id="east", name="East door", name_zh="东楼门", zone=1, terminal="990100000012"),),
            car_parks=(CarPark(number=1, name="Garage", name_zh="地库", spaces=3),),
        ),
    )
)


@attrs.frozen(kw_only=True)
class Flat:
    community: str = "sunrise"
    building: int = 1
    room: str = "101"


@attrs.frozen(kw_only=True)
class Pass:
    community: str = "sunrise"
    car_park: int = 1


def opening(terminal):
    at = dt.datetime(2026, 3, 1, 8)
    return DoorOpening(record=f"{terminal}-1-1", at=at, door="east", card="", kind="owner")


@pytest.mark.parametrize(
    ("chinese", "flat", "unnamed", "door", "park"),
    [
        (
            False,
            "Sunrise Court, East building, 101",
            "Sunrise Court, West, 9",
            "East door",
            "Garage",
        ),
        (True, "朝阳苑东楼101", "朝阳苑West9", "东楼门", "地库"),
    ],
)
def test_names_are_in_the_readers_language(chinese, flat, unnamed, door, park):
    names = Names(SETTINGS, chinese)
    assert names.place(Flat()) == flat
    assert names.place(Flat(building=2, room="9")) == unnamed
    assert names.door(opening("990100000012")) == door
    assert names.car_park(Pass()) == park


def test_what_is_not_declared_any_more_is_called_by_its_number():
    names = Names(SETTINGS, chinese=False)
    assert names.place(Flat(community="gone")) == "gone 1-101"
    assert names.place(Flat(building=9)) == "Sunrise Court, 9, 101"
    assert names.door(opening("990100000099")) == "east"
    assert [names.car_park(one) for one in (Pass(community="gone"), Pass(car_park=8))] == ["1", "8"]
