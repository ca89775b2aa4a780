"""Where the time comes from. Pure code takes moments as values; the edge takes a Clock."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import attrs

from citycard.errors import PeriodInvalid

__all__ = ["Clock", "FixedClock", "SystemClock", "first_and_last"]


class Clock(Protocol):
    """Tell the time as an aware datetime in UTC."""

    def now(self) -> datetime: ...


@attrs.frozen
class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@attrs.define
class FixedClock:
    """A clock that stands still until it is moved; for tests and replays."""

    moment: datetime

    def now(self) -> datetime:
        return self.moment


def first_and_last(
    since: date | None, until: date | None, *, today: date, back: timedelta | None = None
) -> tuple[date, date]:
    """Return the first and the last day that somebody asks for, both included; raise PeriodInvalid.

    Left out, the last one is ``today``, and the first one ``back`` before it, or the first of its month.
    """
    last = until or today
    first = since or (last.replace(day=1) if back is None else last - back)
    if first > last:
        raise PeriodInvalid(since=first, until=last)
    return first, last
