"""Points of a partner's scheme: what earns them, what they are worth, in which lots they are held.

Pure. A lot keeps the rate that its partner paid in when the points were earned, so that the fund of a scheme
always holds what its living lots are worth, to the fen. Lots are used in the order in which they lapse.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from uuid import UUID

import attrs

__all__ = ["ExchangeRate", "Lot", "Scheme", "Taken", "take", "worth_fen"]

_FEN_PER_YUAN = 100
_positive = attrs.validators.gt(0)


@attrs.frozen(kw_only=True)
class Scheme:
    """The points scheme of a partner, named by the partner's id.

    ``points_per_yuan`` is what a customer earns, whole points for what was paid; ``rate_fen`` is what the
    partner pays into the fund for each point; points last for ``valid_days`` after the day they were earned.
    """

    partner: str
    title: str
    title_zh: str = ""
    points_per_yuan: int = attrs.field(validator=_positive)
    rate_fen: int = attrs.field(validator=_positive)
    valid_days: int = attrs.field(validator=_positive)

    def earned(self, amount_fen: int) -> int:
        """Give the points for an amount; what is less than a point earns nothing."""
        return amount_fen * self.points_per_yuan // _FEN_PER_YUAN

    def expires_on(self, day: date) -> date:
        """Give the last day on which points that are earned on a day can be used."""
        return day + timedelta(days=self.valid_days)


@attrs.frozen(kw_only=True)
class Lot:
    """Points earned together. ``unused`` of ``points`` can still be used, through ``expires_on``."""

    id: UUID
    number: str
    scheme: str
    points: int
    unused: int
    rate_fen: int
    expires_on: date
    earned_at: datetime

    @property
    def worth_fen(self) -> int:
        """Give the money in the fund that stands behind what is unused."""
        return self.unused * self.rate_fen


@attrs.frozen(kw_only=True)
class Taken:
    """Points taken out of one lot."""

    lot: Lot
    points: int

    @property
    def worth_fen(self) -> int:
        """Give the money in the fund that stands behind them."""
        return self.points * self.lot.rate_fen


@attrs.frozen(kw_only=True)
class ExchangeRate:
    """``give`` points of the scheme ``source`` become ``get`` points of the scheme ``target``."""

    source: str
    target: str
    give: int = attrs.field(validator=_positive)
    get: int = attrs.field(validator=_positive)


def take(lots: Iterable[Lot], points: int, *, on: date) -> tuple[Taken, ...] | None:
    """Take points out of lots that can be used on a day, the earliest to lapse first; None if too few."""
    found = []
    living = [lot for lot in lots if lot.unused and lot.expires_on >= on]
    for lot in sorted(living, key=lambda one: (one.expires_on, one.earned_at, one.id)):
        taken = min(points, lot.unused)
        if taken:
            found.append(Taken(lot=lot, points=taken))
            points -= taken
    return None if points else tuple(found)


def worth_fen(taken: Sequence[Taken], fen_per_point: int) -> int:
    """Give what an accepting partner is paid for points, and gives its customer for them.

    It is what the partner promises for a point, but never more than was paid in for it.
    """
    return sum(one.points * min(fen_per_point, one.lot.rate_fen) for one in taken)
