import attrs
from schooltown import SCHOOL

from citycard.store import writing
from citycard_campus.jobs import JOBS
from citycard_campus.pots import grant_meals
from citycard_campus.tables import pot


def test_every_job_may_run_twice_for_one_turn(place):
    place.fund(10_000)
    place.pupil(meal="15.00")
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    for job in (*JOBS, *JOBS):
        place.town.city.plugins.run_job(f"campus.{job.name}")
    standing = attrs.asdict(place.standing())
    assert (standing["loaded_fen"], standing["ledger_fen"]) == (1500, 1500)


def test_the_health_check_says_when_book_and_ledger_differ(place):
    def said():
        return {check.record.name: word for check, word in place.town.city.plugins.health()}["meal-pots"]

    place.fund(10_000)
    card = place.pupil(meal="15.00")
    grant_meals(place.campus, place.campus.settings.school(SCHOOL), "2026-03")
    place.desk().write(card.reader, place.town.now)
    assert said() is None
    with writing(place.campus.engine) as conn:
        conn.execute(pot.update().values(loaded_fen=pot.c.loaded_fen + 1))
    assert said() == "meal pots and ledger differ: school-3 by 1 fen"
