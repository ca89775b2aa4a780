"""Where terminals stand and who runs them, in words, for pages and statements."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
from sqlalchemy import Connection

from citycard import registry

__all__ = ["Where", "wheres"]


@attrs.frozen(kw_only=True)
class Where:
    """Where a terminal stands, and who runs it, in words; empty where it is not known."""

    place: str = ""
    partner: str = ""


def wheres(conn: Connection) -> Mapping[str, Where]:
    """Give the place and the partner of every terminal, by its number."""
    partners = {partner.id: partner.name for partner in registry.partners(conn)}
    places = {
        place.code: f"{place.line} · {place.name}" if place.line and place.line != place.name else place.name
        for place in registry.places(conn)
    }
    return {
        terminal.number: Where(
            place=places.get(terminal.place, "") if terminal.place else "",
            partner=partners.get(terminal.partner, terminal.partner),
        )
        for terminal in registry.terminals(conn)
    }
