"""What every endpoint finds at ``request.app.state.web``: the city and the parts of the running server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from starlette.requests import Request

from citycard.city.usesbook import UsesBook
from citycard.clock import Clock
from citycard.web.limits import Attempts
from citycard.web.permissions import Actor

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.web.sources import DayBook
    from citycard.web.switchboard import Switchboard

__all__ = ["Web", "actor_of", "city_of", "web_of"]


@attrs.frozen(kw_only=True)
class Web:
    """The running server's parts: city, switchboard of its plugins, days and uses read, limit on sign-ins."""

    city: City
    switchboard: Switchboard
    days: DayBook
    attempts: Attempts
    uses: UsesBook = attrs.field(default=attrs.Factory(lambda self: UsesBook(self.city), takes_self=True))

    @property
    def clock(self) -> Clock:
        """Tell the time by the city's clock."""
        return self.city.clock


def web_of(request: Request) -> Web:
    """Return the server's parts for a request."""
    web: Web = request.app.state.web
    return web


def city_of(request: Request) -> City:
    """Return the city a request is about; plugins' endpoints find their engine and clock on it."""
    return web_of(request).city


def actor_of(request: Request) -> Actor:
    """Return who makes a request; nobody in particular before the permission was checked."""
    actor: Actor = getattr(request.state, "actor", None) or Actor()
    return actor
