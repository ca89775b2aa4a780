"""A school year: enrolled from a file, fed by the subsidy first, followed through rooms, graduated."""

from schooltown import CANTEEN, PROGRAMME, SCHOOL

from citycard.store import reading
from citycard.wallet import report_programme
from citycard_campus.pots import grant_meals, standing
from citycard_campus.roll import pupil_of


def test_a_pupil_eats_from_the_subsidy_and_then_from_the_purse(place):
    town, campus = place.town, place.campus
    pupil, guest = place.pupil(meal="15.00"), town.card()
    for card in (pupil, guest):
        town.load(card, 5000)
    place.fund(100_000)
    school = campus.settings.school(SCHOOL)

    granted = grant_meals(campus, school, "2026-03")
    assert (granted.granted, granted.granted_fen) == (1, 1500)
    desk, canteen = place.desk(), place.canteen()
    desk.write(pupil.reader, town.now)

    noon = place.at("12:00")
    first = canteen.sell(pupil.reader, noon)
    town.pass_time(place.at("12:05") - noon)
    second = canteen.sell(pupil.reader, town.now)
    dear = canteen.sell(guest.reader, town.now)
    assert (first.amount_fen, second.amount_fen, dear.amount_fen) == (0, 500, 2500)

    place.at("20:00")
    town.clear(desk.till, canteen.till)
    town.clear()  # what the pot owes the canteen is paid with the run that follows
    statement = town.statement(CANTEEN)
    assert (statement.net_fen, statement.carried_fen) == (0, 1500)
    with reading(town.city.engine) as conn:
        pots = standing(campus, conn, school)
        programme = report_programme(conn, town.city.ledger, PROGRAMME)
        assert pupil_of(conn, pupil.asn).student_no == "S1"
    assert (pots.loaded_fen, pots.settled_fen, pots.left_fen, pots.difference_fen) == (1500, 1500, 0, 0)
    assert (programme.spent_fen, programme.difference_fen) == (1500, 0)
    town.check_books()
