"""Where the time comes from. Pure code takes moments as values; the edge takes a Clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol

import attrs

__all__ = ["Clock", "FixedClock", "SystemClock"]


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
