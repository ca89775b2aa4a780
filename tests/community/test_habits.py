"""How a simulated city uses its communities: every tap has a price and fits its service."""

import datetime as dt

from citycard.card.codec import encode
from citycard.clearing.pricing import PriceRequest
from citycard.simulate.delivering import clear_simulation
from citycard.simulate.making import simulate
from citycard.simulate.plan import SimulationPlan
from citycard_community.habits import habits_of
from citycard_community.openings import read_openings
from citycard_community.services import facts_asked, services


def test_every_habit_is_priced_and_its_facts_fit(estate):
    rules = estate.city.rules
    seen = 0
    for service in services(estate.settings):
        if service.habits is None:
            continue
        habits = list(service.habits())
        assert habits == list(habits_of(estate.settings, service.name))
        for tap in (tap for habit in habits for tap in habit.there):
            assert type(tap.facts) is service.facts
            assert len(encode(tap.facts)) <= 48
            noon = dt.datetime(2026, 3, 2, 12, 0)
            asked = PriceRequest(service=service.name, at=noon, facts=facts_asked(tap.facts))
            assert rules.quote(asked).amount_fen in {0, 1000}
            seen += 1
    assert seen == 2 + 2


def test_simulated_cards_open_no_door_for_which_they_have_no_right(estate, tmp_path):
    plan = SimulationPlan(
        cards=20, terminals=20, records=200, start=dt.date(2026, 3, 2), domains=("community",)
    )
    truth = simulate(estate.city, plan, tmp_path / "out")
    clear_simulation(estate.city, tmp_path / "out", truth)
    [community] = estate.settings.communities
    seen = read_openings(estate.city, community, community.doors, plan.start, plan.start)
    assert seen == ()
