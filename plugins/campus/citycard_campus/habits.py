"""How schools use cards in a simulated city (docs/simulate.md): something to eat, at any hour.

Between meals it costs what the till says, so that it has a price at every hour a simulated journey begins.
"""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.habits import Habit, HabitTap
from citycard_campus.sectors import MealFacts, Role
from citycard_campus.settings import CampusSettings

__all__ = ["habits"]

_SNACK_FEN = 500
_WEIGHTS = {Role.PUPIL: 50, Role.TEACHER: 8, Role.GUEST: 2}


def habits(settings: CampusSettings) -> Iterator[Habit]:
    """Give a visit to each canteen for each role; the hour makes it breakfast, lunch, dinner or a snack."""
    for canteen in settings.canteens:
        number = settings.school(canteen.school).number
        for role, weight in _WEIGHTS.items():
            facts = MealFacts(school=number, role=role)
            tap = HabitTap(partner=canteen.id, facts=facts, list_price_fen=_SNACK_FEN)
            yield Habit(there=(tap,), weight=weight)
