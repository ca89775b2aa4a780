import pytest
from schooltown import CANTEEN, HEADER, SCHOOL, SETTINGS, SchoolTown

from citycard.testing.town import Town
from citycard_campus.attendance import import_timetable
from citycard_campus.campus import Campus
from citycard_campus.routes import ROUTES

JSON = {"accept": "application/json"}
TIMETABLE = (
    "school,class,weekday,begins,ends,room,title,from,until\n"
    f"{SCHOOL},7-3,1,08:30,09:15,12,Mathematics,2026-03-01,2026-07-10\n"
)


def filled(path):
    for name, value in (
        ("{number:int}", "1"),
        ("{card}", "0" * 20),
        ("{school}", SCHOOL),
        ("{record}", "990100000001-1-1"),
    ):
        path = path.replace(name, value)
    return f"/campus{path}"


@pytest.fixture(scope="module")
def empty(tmp_path_factory):
    """Give a town in which nobody is enrolled, for tests that change nothing."""
    folder = tmp_path_factory.mktemp("empty")
    town = Town.make(folder, domains=["campus"], settings={"campus": SETTINGS})
    yield SchoolTown(town, Campus.of(town.city))
    town.close()


def test_everybody_sees_schools_and_what_meals_cost(place):
    found = place.town.client("public").get("/campus/schools", headers=JSON).json()
    assert [one["id"] for one in found["schools"]] == [SCHOOL, "school-9"]
    assert found["meals"][0]["pupil_fen"] == 1000


def test_nobody_without_a_role_gets_anything_else(place):
    public = place.town.client("public")
    for route in ROUTES:
        if route.permission != "public":
            answer = public.request(route.methods[0], filled(route.path), headers=JSON)
            assert answer.status_code == 401, route.path


@pytest.mark.parametrize(
    ("role", "subject", "path", "status"),
    [
        ("partner", SCHOOL, f"/campus/schools/{SCHOOL}/statement", 200),
        ("partner", CANTEEN, f"/campus/schools/{SCHOOL}/statement", 403),
        ("operator", "", "/campus/schools/school-7/statement", 404),
        ("operator", "", f"/campus/schools/{SCHOOL}/statement?since=yesterday", 422),
        ("operator", "", f"/campus/schools/{SCHOOL}/statement?since=2026-03-02&until=2026-03-01", 422),
        ("citizen", "1" * 20, f"/campus/guardians/{'2' * 20}/children", 403),
        ("citizen", "1" * 20, f"/campus/guardians/{'1' * 20}/children", 200),
        ("citizen", "1" * 20, "/campus/members", 403),
        ("clerk", "", "/campus/members?school=school-7", 404),
        ("auditor", "", "/campus/doubts", 200),
    ],
)
def test_each_sees_what_is_its_own(empty, role, subject, path, status):
    assert empty.town.client(role, subject).get(path, headers=JSON).status_code == status


def test_members_are_listed_with_names_and_ended_once(place):
    card = place.pupil()
    clerk = place.town.client("clerk")
    (member,) = clerk.get("/campus/members", headers=JSON).json()["members"]
    assert (member["name"], member["card"], member["left_on"]) == ("Li Lei", card.asn, None)
    for _ in range(2):
        ended = clerk.post(f"/campus/members/{member['number']}/end", json={"why": "moved"}).json()
        assert (ended["left_on"], ended["why"]) == ("2026-03-02", "moved")
    assert len(place.events("campus.enrolment-ended")) == 1
    for nobody in (999, 10**24):
        assert clerk.post(f"/campus/members/{nobody}/end", json={"why": "moved"}).status_code == 404


@pytest.mark.parametrize(
    ("path", "body", "told"),
    [
        ("/campus/roll", {"name": "roll.csv"}, "text"),
        ("/campus/roll", {"name": "roll.csv", "text": "school,name\n"}, "no column student_no"),
        ("/campus/roll", {"name": "roll.csv", "text": 'a"b,\n"'}, "cannot be read"),
        ("/campus/timetable", {"name": "t.csv", "text": HEADER}, "no column weekday"),
        ("/campus/members/1/end", {"why": 7}, "why"),
        (f"/campus/schools/{SCHOOL}/grants", {}, "batch"),
        ("/campus/schools/school-9/grants", {"batch": "x"}, "names no programme"),
        (f"/campus/schools/{SCHOOL}/grants", {"batch": "x"}, "programme"),
        ("/campus/doubts/990100000001-1-1/decision", {"pay": "yes"}, "pay"),
        ("/campus/doubts/990100000001-1-1/decision", {"pay": True}, "no use of a meal pot"),
        (f"/campus/pots/{'1' * 20}/reopen", {}, "nobody is enrolled"),
        ("/campus/members/1/limit", {"guardian": "1", "day_limit_fen": -1}, "day_limit_fen"),
        ("/campus/members/1/limit", {"guardian": "1", "day_limit_fen": 1}, "no child"),
        ("/campus/members/1/limit", {"guardian": "1"}, "day_limit_fen"),
    ],
)
def test_what_is_wrong_is_named(empty, path, body, told):
    answer = empty.town.client("operator").post(path, json=body, headers=JSON)
    assert 400 <= answer.status_code < 500
    assert told in answer.text


def test_a_file_that_is_too_large_is_refused(place):
    answer = place.town.client("clerk").post("/campus/roll", json={"name": "x", "text": "x" * 5_000_000})
    assert answer.status_code == 413


def test_a_school_tells_presences_of_its_own_pupils(place):
    card = place.pupil()
    import_timetable(place.campus, TIMETABLE, file="timetable.csv")
    school = place.town.client("partner", SCHOOL)
    body = {"school": SCHOOL, "card": card.asn, "room": 12, "at": "2026-03-02T08:25:00"}
    for _ in range(2):
        assert school.post("/campus/presences", json=body).json()["title"] == "Mathematics"
    for wrong, status in (({"room": 13}, 404), ({"card": "1" * 20}, 404), ({"school": "school-9"}, 403)):
        assert school.post("/campus/presences", json=body | wrong).status_code == status
    place.at("08:41")
    place.town.city.plugins.run_job("campus.tell-missing")
    assert place.events("campus.lesson-missed") == []
    other = place.town.client("partner", "school-9").post(
        "/campus/presences", json=body | {"school": "school-9"}
    )
    assert other.status_code == 404


def test_the_endpoints_are_described(place):
    described = place.town.client("operator").get("/openapi.json").json()
    assert f"/campus{ROUTES[1].path}" in described["paths"]
