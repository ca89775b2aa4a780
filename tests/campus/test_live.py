"""Two days at school in Haibin: lessons, meals, who is missing, and nothing twice."""

from __future__ import annotations

from pathlib import Path

from schooltown import SCHOOL

from citycard.testing.contract import LivedDaysContract
from citycard_campus.statements import school_statement


class TestLivedDays(LivedDaysContract):
    plugin = "campus"
    config = Path(__file__).parents[2] / "examples" / "haibin" / "city.toml"


def test_newcomers_have_lunch_from_the_subsidy_on_their_cards(place):
    place.at("12:00")
    accounts = [place.town.account(place.town.card(), 200_000) for _ in range(2)]
    lived = place.town.live_day("campus", accounts)
    assert lived["lunches from the subsidy"] == 5
    place.town.clear()
    [day] = school_statement(place.campus, SCHOOL, place.town.now.date(), place.town.now.date()).days
    assert (day.meals, day.settled_fen, day.waiting_fen, day.purse_fen) == (5, 5000, 0, 0)
    assert place.town.live_day("campus", accounts).get("lunches from the subsidy") is None
