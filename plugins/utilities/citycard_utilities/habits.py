"""How a simulated city buys prepaid credit at counters; bills are paid online there (``live``)."""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.habits import Habit, HabitTap
from citycard_utilities.sectors import CreditFacts
from citycard_utilities.settings import UtilitySettings

__all__ = ["habits"]

_UNITS = (1000, 2000, 5000)


def habits(settings: UtilitySettings) -> Iterator[Habit]:
    """Give a purchase of credit for each amount and each biller whose kind has a price for it."""
    priced = {price.kind for price in settings.prices}
    for biller in settings.billers:
        if biller.kind not in priced:
            continue
        for place, units in enumerate(_UNITS, start=1):
            meter = f"{biller.number * 1000 + place:012d}"
            facts = CreditFacts(biller=biller.number, meter=meter, units=units, year_units=0, counter=1)
            yield Habit(there=(HabitTap(partner=biller.id, facts=facts),))
