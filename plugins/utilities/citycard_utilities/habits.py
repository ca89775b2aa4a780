"""How a simulated city pays bills at kiosks: some each morning, of every biller."""

from __future__ import annotations

from collections.abc import Iterator

from citycard.kernel.habits import Habit, HabitTap
from citycard_utilities.sectors import BillFacts
from citycard_utilities.settings import UtilitySettings

__all__ = ["habits"]

_BILLS = (1860, 4520, 9875)


def habits(settings: UtilitySettings) -> Iterator[Habit]:
    """Give one habit for each biller and usual amount; such a bill is not in arrears."""
    for biller in settings.billers:
        for place, amount_fen in enumerate(_BILLS):
            facts = BillFacts(biller=biller.number, bill=f"SIM{place}", household=f"SIM{place}")
            tap = HabitTap(partner=biller.id, facts=facts, list_price_fen=amount_fen)
            yield Habit(there=(tap,))
