import datetime as dt

import pytest
from schooltown import SCHOOL

from citycard.store import reading, writing
from citycard_campus.attendance import (
    absences_of,
    attend,
    import_timetable,
    lesson_for,
    lessons_on,
    presences_of,
    tell_missing,
)
from citycard_campus.errors import FileNotRoll, LessonUnknown
from citycard_campus.roll import end, pupil_of

HEADER = "school,class,weekday,begins,ends,room,title,from,until\n"
MATHS = f"{SCHOOL},7-3,1,08:30,09:15,12,Mathematics,2026-03-01,2026-07-10\n"
MONDAY = dt.date(2026, 3, 2)


def read(place, *lines):
    return import_timetable(place.campus, HEADER + "".join(lines), file="timetable.csv")


def test_a_timetable_is_taken_over_again_and_changed(place):
    assert (read(place, MATHS).added, read(place, MATHS).known) == (1, 1)
    assert read(place, MATHS.replace(",12,", ",14,")).changed == 1
    with reading(place.campus.engine) as conn:
        assert [one.room for one in lessons_on(place.campus, conn, MONDAY)] == [14]
        assert lessons_on(place.campus, conn, MONDAY + dt.timedelta(days=1)) == []
        assert lessons_on(place.campus, conn, dt.date(2026, 7, 13)) == []


def test_each_bad_line_is_told_and_the_others_are_taken(place):
    lines = {
        MATHS: "",
        MATHS.replace("school-3", "school-7"): "no school 'school-7'",
        MATHS.replace(",1,", ",8,"): "weekday is '8': expected a number from 1 to 7",
        MATHS.replace("08:30", "half past"): "begins is 'half past'",
        MATHS.replace("09:15", "08:00"): "expected an hour after 08:30",
        MATHS.replace(",12,", ",0,"): "room is '0'",
        MATHS.replace(",12,", ",70000,"): "room is '70000'",
        MATHS.replace("Mathematics", ""): "title has 0 characters",
        MATHS.replace("2026-07-10", "2026-02-01"): "a day not before 2026-03-01",
        MATHS.replace("2026-03-01", "March"): "from is 'March'",
        MATHS.replace("Mathematics", "Physics"): "in line 2 already",
    }
    report = read(place, *lines)
    bad = {line.line: line.reason for line in report.bad}
    assert (report.added, sorted(bad)) == (1, list(range(3, len(lines) + 2)))
    for line, expected in enumerate(lines.values(), 2):
        assert expected in bad.get(line, "")
    with pytest.raises(FileNotRoll):
        import_timetable(place.campus, "nothing", file="timetable.csv")


def test_a_tap_counts_from_before_the_lesson_until_its_end(place):
    read(place, MATHS)
    hours = {"08:09": False, "08:10": True, "09:14": True, "09:15": False}
    with reading(place.campus.engine) as conn:
        for clock, counts in hours.items():
            at = dt.datetime.combine(MONDAY, dt.time.fromisoformat(clock))
            if counts:
                assert lesson_for(place.campus, conn, 3, "7-3", 12, at).title == "Mathematics"
                continue
            with pytest.raises(LessonUnknown):
                lesson_for(place.campus, conn, 3, "7-3", 12, at)


def test_nobody_is_missing_who_was_there_left_or_is_in_another_class(place):
    there, gone, other = (place.pupil(no=no, group=group) for no, group in
                          (("S1", "7-3"), ("S2", "7-3"), ("S3", "7-4")))  # fmt: skip
    read(place, MATHS)
    with writing(place.campus.engine) as conn:
        attend(place.campus, conn, pupil_of(conn, there.asn), 12, place.at("08:25"))
        number = pupil_of(conn, there.asn).number
    with reading(place.campus.engine) as conn:
        left = pupil_of(conn, gone.asn).number
    end(place.campus, left, "moved")
    place.at("08:45")
    assert tell_missing(place.campus) == 0
    with reading(place.campus.engine) as conn:
        assert len(presences_of(conn, number)) == 1
        assert pupil_of(conn, other.asn).group == "7-4"


def test_who_comes_late_is_told_missing_and_taken_back_once(place):
    card = place.pupil()
    read(place, MATHS)
    place.at("08:40")
    assert [tell_missing(place.campus) for _ in range(2)] == [1, 0]
    for _ in range(2):
        with writing(place.campus.engine) as conn:
            one = pupil_of(conn, card.asn)
            attend(place.campus, conn, one, 12, place.at("08:50"))
    with reading(place.campus.engine) as conn:
        (missed,) = absences_of(conn, one.number)
    assert missed.taken_back_at == dt.datetime.combine(MONDAY, dt.time(8, 50))
    assert len(place.events("campus.absence-taken-back")) == 1


def test_there_are_no_lessons_on_a_free_day(place):
    import attrs

    read(place, MATHS)
    school = attrs.evolve(place.campus.settings.school(SCHOOL), free_days=("2026-03-02",))
    free = attrs.evolve(place.campus, settings=attrs.evolve(place.campus.settings, schools=(school,)))
    with reading(place.campus.engine) as conn:
        assert lessons_on(free, conn, MONDAY) == []
