import datetime as dt

from schooltown import SCHOOL

from citycard.clearing.accepted import closed_runs
from citycard.clearing.deciding import Decision, decide
from citycard.ids import derived_id
from citycard.store import reading
from citycard_campus.cleared import accepted_by_people, accepted_of
from citycard_campus.pots import grant_meals
from citycard_campus.services import NUMBERS
from citycard_campus.settling import decide as decide_use
from citycard_campus.settling import settle, waiting

MEALS = NUMBERS["campus-canteen"]


def eaten(place, *, meal):
    """Let a pupil eat once, and hand nothing in; return the canteen's till."""
    place.fund(10_000)
    card = place.pupil(meal=meal)
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    desk, canteen = place.desk(), place.canteen()
    place.town.load(card, 1000)
    desk.write(card.reader, place.town.now)
    place.town.clear(desk.till)
    canteen.sell(card.reader, place.at("12:00"))
    return canteen.till


def test_a_run_gives_what_it_accepted_with_its_facts(place):
    till = eaten(place, meal="6.00")
    run = place.town.clear(till)
    with reading(place.campus.engine) as conn:
        assert closed_runs(conn, 0) == [1, run.number]
        assert closed_runs(conn, run.number) == []
    (meal,) = accepted_of(place.campus, run.number, [MEALS])
    assert (meal.partner, meal.amount_fen, meal.facts.pot_fen, meal.facts.uses) == ("canteen-3", 400, 600, 1)
    assert accepted_of(place.campus, run.number, [NUMBERS["campus-desk"]]) == []
    assert len(accepted_of(place.campus, 1, [NUMBERS["campus-desk"]])) == 1


def test_a_meal_that_people_accept_later_is_paid_out_of_its_pot_once(place):
    till = eaten(place, meal="6.00")
    place.town.pass_time(dt.timedelta(days=35))
    run = place.town.clear(till)
    assert (run.count("suspended"), place.standing().settled_fen) == (1, 0)
    assert accepted_by_people(place.campus, MEALS, set()) == []

    ruling = Decision(how="accepted", bearer="card", reason="the till was in repair", evidence="letter")
    decide(place.town.city, f"{till.number}-1-1", ruling, actor="li", step=derived_id("step"))
    for _ in range(2):
        settle(place.campus)
    assert (place.standing().settled_fen, place.standing().difference_fen) == (600, 0)
    place.town.clear()
    assert place.town.statement("canteen-3").carried_fen == 1000
    place.town.check_books()


def test_a_suspended_meal_that_only_the_pot_paid_waits_for_somebody(place):
    till = eaten(place, meal="15.00")
    place.town.pass_time(dt.timedelta(days=35))
    run = place.town.clear(till)
    assert (run.count("suspended"), place.standing().waiting_fen) == (1, 1000)
    with reading(place.campus.engine) as conn:
        (use,) = waiting(conn)
    assert "suspended the record (R04)" in use.why
    decide_use(place.campus, use.record, pay=True, actor="anna")
    assert (place.standing().settled_fen, place.standing().left_fen) == (1000, 500)
