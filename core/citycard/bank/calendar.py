"""On which days banks work: weekends, China's public holidays with their make-up days, and what a city adds.

The holidays are those that the State Council announces, each autumn for the next year, as the library
``chinesecalendar`` has them. Of a year that it does not know yet, only weekends are known.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from enum import StrEnum
from functools import cache

import attrs

__all__ = ["BusinessCalendar", "DaySource", "known_years"]

_SATURDAY = 5
_DAY = timedelta(days=1)


class DaySource(StrEnum):
    """Who says whether banks work on a day: the city itself, the State Council, or the weekday alone."""

    CITY = "city"
    STATE_COUNCIL = "state-council"
    WEEKDAY = "weekday"


@cache
def _announced() -> tuple[frozenset[date], frozenset[date]]:
    """Give the public holidays that are known, and the days that make up for them."""
    from chinese_calendar.constants import holidays, workdays

    return frozenset(holidays), frozenset(workdays)


@cache
def known_years() -> tuple[int, int]:
    """Give the first and the last year whose public holidays are known."""
    holidays, _ = _announced()
    return min(holidays).year, max(holidays).year


def _days(days: Iterable[date]) -> frozenset[date]:
    return frozenset(days)


@attrs.frozen(kw_only=True)
class BusinessCalendar:
    """Say on which days banks work. ``holidays`` and ``working_days`` are the city's own, and come first."""

    holidays: frozenset[date] = attrs.field(default=frozenset(), converter=_days)
    working_days: frozenset[date] = attrs.field(default=frozenset(), converter=_days)

    def source(self, day: date) -> DaySource:
        """Say who decides about a day."""
        if day in self.holidays or day in self.working_days:
            return DaySource.CITY
        first, last = known_years()
        return DaySource.STATE_COUNCIL if first <= day.year <= last else DaySource.WEEKDAY

    def is_business_day(self, day: date) -> bool:
        """Say whether banks work on a day."""
        source = self.source(day)
        if source is DaySource.CITY:
            return day in self.working_days
        if source is DaySource.STATE_COUNCIL:
            holidays, working_days = _announced()
            return day in working_days or (day.weekday() < _SATURDAY and day not in holidays)
        return day.weekday() < _SATURDAY

    def on_or_after(self, day: date) -> date:
        """Give a day itself when banks work on it, or the next one on which they do."""
        while not self.is_business_day(day):
            day += _DAY
        return day

    def add(self, day: date, count: int) -> date:
        """Give the business day that comes ``count`` (0 or more) business days after a day."""
        day = self.on_or_after(day)
        for _ in range(count):
            day = self.on_or_after(day + _DAY)
        return day

    def between(self, earlier: date, later: date) -> int:
        """Count the business days after ``earlier`` up to and including ``later``; 0 when it is not later."""
        days = (earlier + timedelta(days=place) for place in range(1, (later - earlier).days + 1))
        return sum(map(self.is_business_day, days))

    def unknown_years(self, years: Iterable[int]) -> list[int]:
        """Give the years among these whose public holidays nobody knows yet, so that only weekends count."""
        first, last = known_years()
        return sorted({year for year in years if not first <= year <= last})
