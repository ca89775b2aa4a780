import datetime as dt

import pytest
from schooltown import SCHOOL

from citycard_campus.errors import DayLimitReached, LessonUnknown, NotEnrolled, PurseTooSmall
from citycard_campus.guardians import limit_day
from citycard_campus.rooms import ComputerRoom, Gate, LessonRoom


def enrolled(place, *, fen=1000, guardian=""):
    card = place.pupil(guardian=guardian)
    place.town.load(card, fen)
    desk = place.desk()
    desk.write(card.reader, place.town.now)
    return card, desk


def test_a_session_needs_a_purse_that_holds_the_cap(place):
    card, _ = enrolled(place, fen=200)
    room = ComputerRoom(place.campus, place.town.terminal(SCHOOL), SCHOOL, 7)
    with pytest.raises(PurseTooSmall):
        room.tap(card.reader, place.town.now)
    assert place.town.balance_fen(card) == 200


def test_a_session_is_not_begun_when_the_limit_does_not_leave_its_cap(place):
    mother = place.town.card()
    card, desk = enrolled(place, guardian=mother.asn)
    limit_day(place.campus, mother.asn, 1, 299)
    desk.write(card.reader, place.town.pass_time(dt.timedelta(minutes=2)))
    room = ComputerRoom(place.campus, place.town.terminal(SCHOOL), SCHOOL, 7)
    with pytest.raises(DayLimitReached):
        room.tap(card.reader, place.town.now)


def test_what_a_session_cost_counts_into_the_day(place):
    card, desk = enrolled(place)
    room = ComputerRoom(place.campus, place.town.terminal(SCHOOL), SCHOOL, 7)
    room.tap(card.reader, place.town.pass_time(dt.timedelta(minutes=2)))
    assert room.tap(card.reader, place.town.pass_time(dt.timedelta(minutes=12))).amount_fen == 50
    assert place.enrolment(card).spent_today(place.town.now.date()) == 50
    run = place.town.clear(desk.till, room.till)
    assert (run.count("accepted"), run.notes) == (3, ())


def test_a_card_of_nobody_opens_no_room_door_or_lesson(place):
    card = place.town.card()
    place.town.load(card, 1000)
    for act in (
        ComputerRoom(place.campus, place.town.terminal(SCHOOL), SCHOOL, 7).tap,
        Gate(place.campus, place.town.terminal(SCHOOL), SCHOOL, 1).enter,
        LessonRoom(place.campus, place.town.terminal(SCHOOL), SCHOOL, 12).attend,
    ):
        with pytest.raises(NotEnrolled):
            act(card.reader, place.town.now)
    assert place.town.balance_fen(card) == 1000


def test_a_pupil_of_one_school_is_a_stranger_in_another(place):
    card, _ = enrolled(place)
    with pytest.raises(NotEnrolled):
        Gate(place.campus, place.town.terminal("school-9"), "school-9", 1).enter(card.reader, place.town.now)


def test_a_room_with_a_line_says_that_there_is_no_lesson(place):
    card, _ = enrolled(place)
    with pytest.raises(LessonUnknown, match="class 7-3 has no lesson in room 12"):
        LessonRoom(place.campus, place.town.terminal(SCHOOL), SCHOOL, 12).attend(card.reader, place.town.now)
