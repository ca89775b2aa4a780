import datetime as dt

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schooltown import SCHOOL

from citycard_campus.desk import Desk
from citycard_campus.errors import BandClosed, PupilUnknown, RightsEnded
from citycard_campus.pots import grant_meals
from citycard_campus.roll import end

FEED = dt.timedelta(minutes=2)


def test_between_meals_the_purse_pays_and_never_the_pot(place):
    place.fund(10_000)
    card = place.pupil(meal="15.00")
    place.town.load(card, 1000)
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    place.desk().write(card.reader, place.town.now)
    canteen = place.canteen()
    place.at("15:00")
    with pytest.raises(BandClosed, match="lunch 11:00 to 14:00"):
        canteen.sell(card.reader, place.town.now)
    assert canteen.sell(card.reader, place.town.now, list_price_fen=350).amount_fen == 350
    assert place.enrolment(card).pot_fen == 1500
    run = place.town.clear(canteen.till)
    assert (run.count("accepted"), run.notes) == (1, ())


def test_a_list_price_at_noon_changes_no_meal(place):
    card = place.pupil()
    place.town.load(card, 1000)
    place.desk().write(card.reader, place.town.now)
    canteen = place.canteen()
    assert canteen.sell(card.reader, place.at("12:00"), list_price_fen=1).amount_fen == 1000


def test_a_pupil_of_another_school_eats_as_a_guest(place):
    card = place.town.card()
    place.roll(f"school-9,X1,pupil,Lucy,7-1,{card.asn},,2027-07-15,")
    place.town.load(card, 3000)
    Desk(place.campus, place.town.terminal("school-9"), "school-9").write(card.reader, place.town.now)
    canteen = place.canteen()
    assert canteen.sell(card.reader, place.at("12:00")).amount_fen == 2500
    run = place.town.clear(canteen.till)
    assert (run.count("accepted"), run.notes) == (1, ())


def test_the_desk_writes_only_who_is_enrolled_here(place):
    stranger, card = place.town.card(), place.pupil()
    desk = place.desk()
    with pytest.raises(PupilUnknown):
        desk.write(stranger.reader, place.town.now)
    other = Desk(place.campus, place.town.terminal("school-9"), "school-9")
    with pytest.raises(PupilUnknown):
        other.write(card.reader, place.town.now)
    end(place.campus, 1, "moved")
    with pytest.raises(PupilUnknown):
        desk.write(card.reader, place.town.now)
    assert place.roll(f"{SCHOOL},S1,pupil,Li Lei,7-3,{card.asn},,2026-03-01,").changed == 1
    with pytest.raises(RightsEnded, match="2026-03-01"):
        desk.write(card.reader, place.town.now)


@settings(
    max_examples=5,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(grants=st.lists(st.integers(0, 25), min_size=1, max_size=4))
def test_pot_and_purse_together_always_pay_the_meal(place, grants):
    """Whatever was granted before each lunch, a real card pays 10.00 from both, the pot first."""
    if not place.town.cards:
        place.fund(1_000_000)
    turn = len(place.town.cards)
    yuan, no = grants[0], f"H{turn}"
    card = place.pupil(no=no, meal=f"{yuan}.00" if yuan else "")
    place.town.load(card, 10_000)
    desk, canteen = place.desk(), place.canteen()
    left_fen = 0
    for day, yuan in enumerate(grants):
        place.roll(f"{SCHOOL},{no},pupil,Li Lei,7-3,{card.asn},,2027-07-15,{yuan}.00")
        grant_meals(place.campus, place.campus.settings.school(SCHOOL), f"{turn} {day}")
        place.at("12:00")
        desk.write(card.reader, place.town.now)
        before = place.town.balance_fen(card)
        left_fen += yuan * 100
        receipt = canteen.sell(card.reader, place.town.pass_time(FEED))
        paid_fen = min(1000, left_fen)
        left_fen -= paid_fen
        assert receipt.amount_fen == before - place.town.balance_fen(card) == 1000 - paid_fen
        assert place.enrolment(card).pot_fen == left_fen
        place.town.clear(desk.till, canteen.till)
        place.town.pass_time(dt.timedelta(hours=1))
    assert place.standing().difference_fen == 0
    place.town.check_books()
