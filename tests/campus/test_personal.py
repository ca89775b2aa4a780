from schooltown import SCHOOL

from citycard.store import reading, writing
from citycard_campus.attendance import attend, import_timetable
from citycard_campus.guardians import children
from citycard_campus.lending import LibraryDesk
from citycard_campus.personal import PERSONAL_DATA
from citycard_campus.roll import pupil_of

TIMETABLE = (
    "school,class,weekday,begins,ends,room,title,from,until\n"
    f"{SCHOOL},7-3,1,08:30,09:15,12,Mathematics,2026-03-01,2026-07-10\n"
)


def handed_over(place, asn):
    with reading(place.campus.engine) as conn:
        return {kind.name: list(kind.export(conn, asn)) for kind in PERSONAL_DATA}


def test_what_is_known_is_handed_over_and_forgotten(place):
    mother = place.town.card()
    card, other = place.pupil(guardian=mother.asn), place.pupil(no="S2", guardian=mother.asn)
    place.town.load(card, 100)
    place.desk().write(card.reader, place.town.now)
    import_timetable(place.campus, TIMETABLE, file="timetable.csv")
    with writing(place.campus.engine) as conn:
        attend(place.campus, conn, pupil_of(conn, card.asn), 12, place.at("08:25"))
    library = LibraryDesk(place.campus, place.town.terminal(SCHOOL), SCHOOL)
    library.lend(card.reader, place.town.now, "B-1")
    library.take_back(card.reader, place.town.pass_time(place.at("09:00") - place.town.now), "B-1")

    known = handed_over(place, card.asn)
    assert known["enrolments"][0]["student_no"] == "S1"
    assert known["attendance"] == [{"attended": "Mathematics", "day": "2026-03-02"}]
    assert known["loans"][0]["lent"] == "B-1"
    assert len(handed_over(place, mother.asn)["enrolments"]) == 2

    for expected in ([1, 1, 1], [0, 0, 0]):
        with writing(place.campus.engine) as conn:
            assert [kind.erase(conn, card.asn) for kind in PERSONAL_DATA] == expected
    assert handed_over(place, card.asn) == {"attendance": [], "loans": [], "enrolments": []}
    assert [child.card for child in children(place.campus, mother.asn)] == [other.asn]
    with writing(place.campus.engine) as conn:
        assert sum(kind.erase(conn, mother.asn) for kind in PERSONAL_DATA) == 1
    assert children(place.campus, mother.asn) == []
