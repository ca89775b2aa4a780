"""Transit's addresses: what is where, who may use it, and what it takes and gives.

What answers is in ``web``, which is imported with the first request.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from citycard.kernel.outside import PUBLIC, MenuItem, Permission, Route, entering
from citycard_transit.services import Fares

if TYPE_CHECKING:
    from citycard_transit.settings import TransitSettings

__all__ = ["MENU", "PERMISSIONS", "routes"]

_READ_RULES = "transit.read-rules"
PERMISSIONS = (Permission(name=_READ_RULES, title="Read the fare rules that are in force."),)
MENU = (MenuItem(path="/rules", title="Fare rules", title_zh="票价规则", permission=_READ_RULES),)
_WEB = "citycard_transit.web"


def routes(settings: TransitSettings) -> Iterator[Route]:
    """Declare the endpoints of a city with these settings."""
    fares = Fares.of(settings)
    yield Route(
        path="/fare",
        endpoint=entering(f"{_WEB}:fare", fares),
        permission=PUBLIC,
        summary="What a ride costs and why, rule by rule.",
        request=f"{_WEB}:FareQuery",
        response="citycard_transit.explain:Explanation",
    )
    yield Route(
        path="/lines",
        endpoint=f"{_WEB}:lines",
        permission=PUBLIC,
        summary="The lines and their places.",
        response=f"{_WEB}:TransitLine",
    )
    yield Route(
        path="/rules",
        endpoint=entering(f"{_WEB}:rules", fares),
        permission=_READ_RULES,
        summary="The fare rules in force, with their version.",
        response=f"{_WEB}:Rules",
    )
