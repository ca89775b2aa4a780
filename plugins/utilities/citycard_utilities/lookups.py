"""Whose bills somebody may see: a partner its own, a citizen those of a few households an hour.

A household's number is all that a citizen needs to find its bills, so nobody may try many. What was looked
up is remembered in this process only, and is forgotten when it starts again.
"""

from __future__ import annotations

import datetime as dt
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING

import attrs

from citycard_utilities.errors import TooManyHouseholds

if TYPE_CHECKING:
    from starlette.requests import Request

    from citycard_utilities.settings import UtilitySettings

__all__ = ["Lookups", "Served", "may_see"]


@attrs.define
class Lookups:
    """Remember which households each citizen looked up within a span, at most ``allowed`` different ones."""

    allowed: int = 10
    span: dt.timedelta = dt.timedelta(hours=1)
    remembered: int = 10_000
    _seen: OrderedDict[str, dict[tuple[str, str], dt.datetime]] = attrs.field(factory=OrderedDict, init=False)
    _lock: threading.Lock = attrs.field(factory=threading.Lock, init=False)

    def note(self, who: str, biller: str, household: str, now: dt.datetime) -> None:
        """Note that somebody looks a household up; raise TooManyHouseholds instead for one too many."""
        with self._lock:
            seen = self._seen.pop(who, {})
            seen = {key: at for key, at in seen.items() if at + self.span > now}
            self._seen[who] = seen
            if (biller, household) not in seen and len(seen) >= self.allowed:
                wait = min(seen.values()) + self.span - now
                raise TooManyHouseholds(allowed=self.allowed, minutes=int(wait.total_seconds() // 60) + 1)
            seen.setdefault((biller, household), now)
            while len(self._seen) > self.remembered:
                self._seen.popitem(last=False)


@attrs.frozen(kw_only=True)
class Served:
    """What endpoints answer by: the settings that they were declared with, and what was looked up."""

    settings: UtilitySettings
    lookups: Lookups = attrs.field(factory=Lookups)


def may_see(request: Request, lookups: Lookups, permission: str, biller: str, household: str) -> None:
    """Let a partner see its own bills only, and a citizen those of a few households; others see all.

    Raise PermissionMissing or TooManyHouseholds. Without a household, only a partner is asked.
    """
    from citycard.web import actor_of, city_of, require

    actor = actor_of(request)
    if actor.role == "partner":
        require(actor, permission, biller)
    elif actor.role == "citizen" and household:
        lookups.note(actor.subject or "", biller, household, city_of(request).now_local())
