import datetime as dt

import pytest

from citycard.errors import CitycardError
from citycard.kernel.settings import structure
from citycard_campus.errors import SchoolUnknown
from citycard_campus.settings import CampusSettings, Door

SCHOOL = {"id": "school-3", "number": 3, "name": "No. 3 Middle School"}


def made(**content):
    return structure(CampusSettings, content, where="plugins.campus")


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ({"schools": [SCHOOL, SCHOOL]}, "declared twice"),
        ({"schools": [SCHOOL, SCHOOL | {"id": "other"}]}, "number: 3 is declared twice"),
        ({"schools": [SCHOOL | {"id": "No 3"}]}, r"schools\[0\].*'id'"),
        ({"schools": [SCHOOL | {"number": 70_000}]}, r"number"),
        ({"schools": [SCHOOL | {"free_days": ["May Day"]}]}, "free_days"),
        ({"canteens": [{"id": "c", "name": "C", "school": "school-7"}]}, "not declared; there are none"),
        ({"doors": [{"school": "school-3", "number": 1, "name": "Gate"}]}, "not declared"),
        ({"schools": [SCHOOL], "doors": [{"school": "school-3", "number": 1, "name": "G", "roles": ["a"]}]},
         "roles"),
        ({"computer": {"minute_fen": -1}}, "minute_fen"),
        ({"library": {"days": 0}}, "days"),
        ({"bands": [{"name": "x", "since": "9", "until": "10:00", "pupil_fen": 1, "teacher_fen": 1,
                     "guest_fen": 1}]}, "since"),
        ({"bands": [{"name": "x", "since": "09:00", "until": "08:00", "pupil_fen": 1, "teacher_fen": 1,
                     "guest_fen": 1}]}, "ends before it begins"),
        ({"bands": [{"name": name, "since": since, "until": "12:00", "pupil_fen": 1, "teacher_fen": 1,
                     "guest_fen": 1} for name, since in (("a", "09:00"), ("b", "11:00"))]}, "begins in a"),
        ({"no_such": 1}, "no_such"),
    ],
)  # fmt: skip
def test_what_contradicts_itself_is_named(content, told):
    with pytest.raises(CitycardError, match=told):
        made(**content)


def test_a_school_is_found_by_id_and_number():
    settings = made(schools=[SCHOOL])
    assert settings.school("school-3") is settings.school(3)
    assert settings.school(3).pot == "campus/pots/school-3"
    with pytest.raises(SchoolUnknown, match="there are school-3"):
        settings.school("school-9")


def test_a_door_opens_through_the_minute_it_closes_in():
    door = Door(school="school-3", number=1, name="Gate", since="06:00", until="22:00")
    hours = {"05:59:59": False, "06:00:00": True, "22:00:59": True, "22:01:00": False}
    for clock, opens in hours.items():
        at = dt.datetime.combine(dt.date(2026, 3, 2), dt.time.fromisoformat(clock))
        assert (clock, door.opens("pupil", at)) == (clock, opens)
        assert not door.opens("guest", at)
