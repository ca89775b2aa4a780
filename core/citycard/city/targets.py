"""What a city government wants to reach, by domain and district, and how far it is on a day."""

from __future__ import annotations

from datetime import date
from enum import StrEnum

import attrs

__all__ = ["EVERY", "FEW", "Measure", "Progress", "Standing", "SupervisionSection", "Target", "progress"]

EVERY = "all"
"""What a target is about that names no domain, or no district."""

FEW = 5
"""A number of cards below this one, of a part of the city, is not told (docs/supervision.md)."""


class Measure(StrEnum):
    """What a target counts: cards that were used, uses, or what was paid, in fen."""

    CARDS = "cards"
    USES = "uses"
    TURNOVER = "turnover_fen"


class Standing(StrEnum):
    """Where a target stands on a day, against the share of it that is due by then.

    ``too-few`` says that what was reached are so few cards that it is not told.
    """

    NOT_BEGUN = "not-begun"
    AHEAD = "ahead"
    BEHIND = "behind"
    REACHED = "reached"
    MISSED = "missed"
    TOO_FEW = "too-few"


def _not_before(target: Target, _attribute: object, until: date) -> None:
    if until < target.since:
        msg = f"until {until} is before since {target.since}"
        raise ValueError(msg)


@attrs.frozen(kw_only=True)
class Target:
    """One target: ``value`` of a measure, to be reached from the day ``since`` to the end of ``until``.

    ``domain`` is a plugin's name and ``district`` a district's id; left out, it is about all of them.
    """

    domain: str = EVERY
    district: str = EVERY
    measure: Measure
    value: int = attrs.field(validator=[attrs.validators.gt(0), attrs.validators.lt(10**15)])
    since: date
    until: date = attrs.field(validator=_not_before)

    @property
    def whole_city(self) -> bool:
        """Tell whether it is about the whole city."""
        return (self.domain, self.district) == (EVERY, EVERY)

    def due(self, on: date) -> int:
        """Give what is due at the end of a day where every day brings as much, rounded down."""
        days = (self.until - self.since).days + 1
        return self.value * min(max((on - self.since).days + 1, 0), days) // days


@attrs.frozen(kw_only=True)
class SupervisionSection:
    """What the city is measured by: its targets (docs/supervision.md)."""

    targets: tuple[Target, ...] = ()


@attrs.frozen(kw_only=True)
class Progress:
    """How far a target is at the end of the day ``on``: what was reached, and what is due by then.

    ``reached`` and ``percent`` are None where they would tell of fewer than 5 cards. ``percent`` is of the
    whole target, rounded down.
    """

    on: date
    reached: int | None
    due: int
    percent: int | None
    standing: Standing


def progress(target: Target, reached: int, on: date) -> Progress:
    """Say how far a target is at the end of a day on which ``reached`` was counted since it began."""
    due = target.due(on)
    hidden = target.measure is Measure.CARDS and not target.whole_city and 0 < reached < FEW
    return Progress(
        on=on,
        reached=None if hidden else reached,
        due=due,
        percent=None if hidden else reached * 100 // target.value,
        standing=_hidden(target, due, on) if hidden else _standing(target, reached, due, on),
    )


def _standing(target: Target, reached: int, due: int, on: date) -> Standing:
    if on < target.since:
        return Standing.NOT_BEGUN
    if reached >= target.value:
        return Standing.REACHED
    if on >= target.until:
        return Standing.MISSED
    return Standing.AHEAD if reached >= due else Standing.BEHIND


def _hidden(target: Target, due: int, on: date) -> Standing:
    """Say only what is true of every number that may be hidden, so that nothing can be learned of it."""
    if on >= target.until:
        return Standing.MISSED if target.value >= FEW else Standing.TOO_FEW
    return Standing.BEHIND if due >= FEW else Standing.TOO_FEW
