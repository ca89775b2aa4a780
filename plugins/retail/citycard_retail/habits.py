"""A day of shopping for the simulated city: breakfast at a kiosk, lunch, groceries in the evening."""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.habits import Habit, HabitTap
from citycard_retail.sectors import SaleFacts
from citycard_retail.settings import RetailSettings

__all__ = ["shopping_habits"]

#: What people pay (fen) by category, and how often beside one another.
_BASKETS = {
    "kiosk": ((300, 450, 800), 6),
    "convenience": ((650, 1290, 2480), 8),
    "restaurant": ((1800, 2600, 4500), 5),
    "supermarket": ((3990, 8650, 15_800), 4),
    "shop": ((5900, 12_900), 1),
}


def shopping_habits(settings: RetailSettings) -> Iterator[Habit]:
    """Give the habits of the categories for which the settings name a partner."""
    for category in settings.categories:
        if category.name not in settings.shopping:
            continue
        prices, weight = _BASKETS.get(category.name, ((1500,), 1))
        for list_price_fen in prices:
            facts = SaleFacts(tier=settings.tier(category.name).number, mcc=category.mcc, receipt=1)
            tap = HabitTap(
                partner=settings.shopping[category.name], facts=facts, list_price_fen=list_price_fen
            )
            yield Habit(there=(tap,), weight=weight)
