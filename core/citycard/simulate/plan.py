"""What to simulate: how many cards, terminals, records and days, from which seed, with how many faults."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs

from citycard.errors import SimulationPlanInvalid

__all__ = ["SimulationPlan"]


def _between(low: float, high: float) -> Callable[[Any, attrs.Attribute[Any], Any], None]:
    def check(_: Any, field: attrs.Attribute[Any], value: Any) -> None:
        if not low <= value <= high:
            raise SimulationPlanInvalid(field=field.name, value=value, expected=f"from {low:,} to {high:,}")

    return check


@attrs.frozen(kw_only=True)
class SimulationPlan:
    """A city to simulate. The same plan gives the same files and the same truth in cities of the same keys.

    ``records`` are all records that cards make, before faults repeat some. ``faults`` is the number of faults
    a record, such as 0.005. ``start`` is the first business date. ``domains`` names the plugins whose
    services are tapped, all of them when empty; ``evenly`` gives each plugin as many journeys. Raise
    SimulationPlanInvalid.
    """

    cards: int = attrs.field(validator=_between(1, 99_999_999))
    terminals: int = attrs.field(validator=_between(1, 9_999_999))
    records: int = attrs.field(validator=_between(1, 999_999_999))
    days: int = attrs.field(default=1, validator=_between(1, 28))
    seed: int = attrs.field(default=1, validator=_between(0, 2**63))
    faults: float = attrs.field(default=0.0, validator=_between(0, 0.1))
    start: dt.date = dt.date(2026, 3, 2)
    domains: tuple[str, ...] = ()
    evenly: bool = False

    @property
    def midnight(self) -> dt.datetime:
        """Give the local time from which seconds are counted."""
        return dt.datetime.combine(self.start, dt.time())

    @property
    def card_faults(self) -> int:
        """Give how many faults are put on cards."""
        return round(self.records * self.faults)

    def share(self, total: int, first: int, last: int) -> tuple[int, int]:
        """Deal a total to cards by number: give what is dealt before ``first``, and before ``last``."""
        return total * first // self.cards, total * last // self.cards
