import datetime as dt

import pytest
from schooltown import SCHOOL

from citycard_campus.attendance import import_timetable, tell_missing
from citycard_campus.errors import GuardianUnknown, PupilRefused
from citycard_campus.guardians import children, limit_day, lines
from citycard_campus.pots import grant_meals

TIMETABLE = (
    "school,class,weekday,begins,ends,room,title,from,until\n"
    f"{SCHOOL},7-3,1,08:30,09:15,12,Mathematics,2026-03-01,2026-07-10\n"
)


def test_a_guardian_sees_a_missed_lesson_and_the_pupil_the_meals(place):
    place.fund(10_000)
    mother = place.town.card()
    card = place.pupil(meal="15.00", guardian=mother.asn)
    import_timetable(place.campus, TIMETABLE, file="timetable.csv")
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    desk, canteen = place.desk(), place.canteen()
    desk.write(card.reader, place.town.now)
    place.at("08:45")
    tell_missing(place.campus)
    canteen.sell(card.reader, place.at("12:00"))
    place.town.clear(desk.till, canteen.till)

    (missed,) = lines(place.campus, mother.asn)
    assert (missed.title, missed.title_zh, missed.amount_fen) == (
        "Li Lei missed Mathematics",
        "Li Lei缺课:Mathematics",
        None,
    )
    assert [(line.title, line.amount_fen) for line in lines(place.campus, card.asn)] == [
        ("The meal pot paid at school", -1000),
        ("You missed Mathematics", None),
    ]
    (child,) = children(place.campus, mother.asn)
    assert (child.pot_left_fen, len(child.meals), len(child.absences)) == (500, 1, 1)
    assert list(lines(place.campus, place.town.card().asn)) == []


@pytest.mark.parametrize("fen", [-1, 1_000_001])
def test_a_limit_that_is_none_is_refused(place, fen):
    with pytest.raises(PupilRefused, match="day_limit_fen"):
        limit_day(place.campus, "1" * 20, 1, fen)


def test_a_pupil_without_a_guardian_is_nobodys_to_limit(place):
    card = place.pupil()
    for guardian in ("", card.asn):
        with pytest.raises(GuardianUnknown):
            limit_day(place.campus, guardian, 1, 100)


def test_a_limit_is_of_each_day(place):
    mother = place.town.card()
    card = place.pupil(guardian=mother.asn)
    limit_day(place.campus, mother.asn, 1, 1000)
    place.town.load(card, 5000)
    place.desk().write(card.reader, place.town.now)
    canteen = place.canteen()
    for _ in range(2):
        assert canteen.sell(card.reader, place.at("12:00")).amount_fen == 1000
        assert place.enrolment(card).left_on(place.town.now.date()) == 0
        place.town.pass_time(dt.timedelta(hours=3))
