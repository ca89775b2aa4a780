"""How much and how often an account may be used: the city's rules, and tighter ones of its owner.

Pure: the rules become conditions that the ledger judges and counts together with the posting, so that two
payments at once cannot both slip under one limit. Days, weeks (from Monday) and months are the city's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

import attrs

from citycard.errors import Phrase

if TYPE_CHECKING:
    from citycard.ledger.records import Limit

__all__ = ["LIMIT_FIELDS", "ActKind", "Broken", "CityLimits", "LimitRule", "Period", "broken", "conditions"]


class ActKind(StrEnum):
    """What a limit is for: paying, holding an amount, putting money in."""

    PAY = "pay"
    HOLD = "hold"
    TOP_UP = "top-up"


class Period(StrEnum):
    """The span over which a limit counts; ``single`` is one act by itself."""

    SINGLE = "single"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"

    def name_at(self, at: datetime) -> str:
        """Name the span that a local moment lies in: ``2026-11-28``, ``2026-W48``, ``2026-11``."""
        if self is Period.WEEK:
            year, week, _ = at.isocalendar()
            return f"{year}-W{week:02d}"
        return f"{at:%Y-%m-%d}" if self is Period.DAY else f"{at:%Y-%m}"

    def ends(self, at: datetime) -> datetime | None:
        """Give the local midnight at which the span of a moment ends; a single act has none."""
        today = at.date()
        if self is Period.SINGLE:
            return None
        if self is Period.DAY:
            following = today + timedelta(days=1)
        elif self is Period.WEEK:
            following = today + timedelta(days=7 - today.weekday())
        else:
            following = date(today.year + today.month // 12, today.month % 12 + 1, 1)
        return datetime.combine(following, time())


# How a refusal names the span of a limit.
_SPANS = {
    Period.SINGLE: "at once",
    Period.DAY: "per day",
    Period.WEEK: "per week",
    Period.MONTH: "per month",
}
_COUNTED = (Period.DAY, Period.WEEK, Period.MONTH)


def _bound() -> int | None:
    value: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0)), kw_only=True
    )
    return value


@attrs.frozen(kw_only=True)
class LimitRule:
    """The limits of one kind of act: fen at once, fen and times in a day, week and month; None is none."""

    single_fen: int | None = _bound()
    day_fen: int | None = _bound()
    day_count: int | None = _bound()
    week_fen: int | None = _bound()
    week_count: int | None = _bound()
    month_fen: int | None = _bound()
    month_count: int | None = _bound()

    def tightened(self, own: LimitRule) -> LimitRule:
        """Give the smaller of both limits, field by field."""
        return LimitRule(**{name: _smaller(getattr(self, name), getattr(own, name)) for name in LIMIT_FIELDS})

    def loosened_by(self, own: LimitRule) -> str | None:
        """Name the first field in which ``own`` would allow more than this rule, or None."""
        for name in LIMIT_FIELDS:
            here, there = getattr(self, name), getattr(own, name)
            if here is not None and there is not None and there > here:
                return name
        return None

    def of(self, period: Period) -> tuple[int | None, int | None]:
        """Give the most fen and the most times within a period."""
        count = None if period is Period.SINGLE else getattr(self, f"{period}_count")
        return getattr(self, f"{period}_fen"), count


#: The fields of a rule, from the shortest period to the longest.
LIMIT_FIELDS = tuple(field.name for field in attrs.fields(LimitRule))


@attrs.frozen(kw_only=True)
class CityLimits:
    """The city's limits by kind of act."""

    pay: LimitRule = LimitRule()
    hold: LimitRule = LimitRule()
    top_up: LimitRule = LimitRule()

    def of(self, act: ActKind) -> LimitRule:
        """Give the rule of one kind of act."""
        rule: LimitRule = getattr(self, act.value.replace("-", "_"))
        return rule


@attrs.frozen(kw_only=True)
class Broken:
    """A limit that says no: which one (``pay per day, in fen``), its value, what is used, and its end."""

    limit: str
    limit_value: int
    used: int
    wanted: int
    resets_at: datetime | None


def conditions(number: str, act: ActKind, rule: LimitRule, at: datetime) -> tuple[Limit, ...]:
    """Give what the ledger must judge and count for one act of an account at a local moment.

    Periods without a limit are counted as well, so that a limit set in the middle of a month knows its
    beginning.
    """
    # Imported here: city.toml, which has rules of this kind, is read without the records of the ledger.
    from citycard.ledger.records import Limit

    found = []
    for period in _COUNTED:
        most_fen, most_times = rule.of(period)
        found.append(Limit(key=_key(number, act, period, at), max_fen=most_fen, max_count=most_times))
    return tuple(found)


def broken(
    number: str,
    act: ActKind,
    rule: LimitRule,
    at: datetime,
    *,
    amount_fen: int,
    used: Mapping[str, tuple[int, int]],
) -> Broken | None:
    """Name the first limit that an act of ``amount_fen`` would break; ``used`` gives fen and times by key."""
    for period in Period:
        most_fen, most_times = rule.of(period)
        used_fen, used_times = used.get(_key(number, act, period, at), (0, 0))
        for most, have, wanted, unit in (
            (most_fen, used_fen, amount_fen, "in fen"),
            (most_times, used_times, 1, "in times"),
        ):
            if most is not None and have + wanted > most:
                return Broken(
                    limit=Phrase("{kind} {what}, {how}", kind=act, what=_SPANS[period], how=unit),
                    limit_value=most,
                    used=have,
                    wanted=wanted,
                    resets_at=period.ends(at),
                )
    return None


def _key(number: str, act: ActKind, period: Period, at: datetime) -> str:
    return "" if period is Period.SINGLE else f"account/{number}/{act}/{period.name_at(at)}"


def _smaller(first: int | None, second: int | None) -> int | None:
    given = [value for value in (first, second) if value is not None]
    return min(given, default=None)
