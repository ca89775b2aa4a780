import datetime as dt

import pytest
from schooltown import SCHOOL

from citycard.city.till import Sale
from citycard_campus.errors import MarkBroken
from citycard_campus.pots import grant_meals, return_rests
from citycard_campus.roll import end
from citycard_campus.sectors import ENROLMENT, DeskFacts, Enrolment, Role

FEED = dt.timedelta(minutes=2)


def test_a_card_carries_what_the_roll_says_and_no_step_twice(place):
    place.fund(10_000)
    card = place.pupil(meal="15.00")
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    desk = place.desk()
    for _ in range(3):
        desk.write(card.reader, place.town.pass_time(FEED))
    after = place.enrolment(card)
    assert (after.role, after.school, after.group, after.until) == (
        Role.PUPIL,
        3,
        "7-3",
        dt.date(2027, 7, 15),
    )
    assert (after.loaded_fen, after.spent_fen, after.uses, after.limited) == (1500, 0, 0, False)
    run = place.town.clear(desk.till)
    assert (run.count("accepted"), run.amount_fen, run.notes) == (3, 0, ())


def test_a_damaged_record_is_put_right_only_when_a_person_says_so(place):
    card = place.pupil()
    desk = place.desk()
    facts = DeskFacts(school=3, role=Role.PUPIL, pupil=1, loaded_fen=0, spent_fen=0, uses=0)
    damaged = Enrolment(role=Role.TEACHER, school=3, pupil=1, until=dt.date(2099, 1, 1), loaded_fen=99_999)
    sale = Sale(service="campus-desk", amount_fen=0, facts=facts, writes={ENROLMENT.name: damaged})
    rogue = place.town.till(place.town.terminal(SCHOOL))
    rogue.serve(card.reader, place.town.now, lambda _: sale)
    with pytest.raises(MarkBroken):
        desk.write(card.reader, place.town.pass_time(FEED))
    desk.write(card.reader, place.town.now, heal=True)
    assert (place.enrolment(card).role, place.enrolment(card).pot_fen) == (Role.PUPIL, 0)


def test_a_card_that_is_enrolled_again_does_not_carry_what_went_back(place):
    place.fund(10_000)
    card = place.pupil(meal="15.00")
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    desk, canteen = place.desk(), place.canteen()
    desk.write(card.reader, place.town.now)
    canteen.sell(card.reader, place.at("12:00"))
    place.town.clear(desk.till, canteen.till)
    end(place.campus, 1, "moved")
    place.town.pass_time(dt.timedelta(days=14))
    assert return_rests(place.campus) == 500
    place.roll(f"{SCHOOL},S1,pupil,Li Lei,7-4,{card.asn},,2027-07-15,")
    desk.refresh()
    desk.write(card.reader, place.town.now)
    after = place.enrolment(card)
    # The 5.00 that went back to the account were carried again, and stand on the card once.
    assert (after.group, after.loaded_fen, after.spent_fen, after.pot_fen) == ("7-4", 2000, 1500, 500)
    assert place.standing().difference_fen == 0
