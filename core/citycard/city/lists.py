"""The lists of cards to refuse as files for terminals: numbered and signed, whole or what changed since."""

from __future__ import annotations

from typing import TYPE_CHECKING

from citycard import registry
from citycard.errors import ListUnknown
from citycard.store import reading
from citycard.terminal.lists import ListKind, write_list

if TYPE_CHECKING:
    from citycard.city.city import City

__all__ = ["changed_list", "full_list"]


def full_list(city: City) -> bytes:
    """Return the newest published list, whole."""
    with reading(city.engine) as conn:
        number = registry.blacklist_number(conn)
        cards = registry.blacklist_at(conn, number)
    return write_list(
        ListKind.FULL,
        city=city.config.city.code,
        number=number,
        made_at=city.now_local(),
        added=cards,
        sign=city.vault.sign,
    )


def changed_list(city: City, since: int) -> bytes:
    """Return what changed from the list ``since`` to the newest; ListUnknown when there is none between."""
    with reading(city.engine) as conn:
        number = registry.blacklist_number(conn)
        if not 0 <= since < number:
            raise ListUnknown(since=since, newest=number)
        before, now = registry.blacklist_at(conn, since), registry.blacklist_at(conn, number)
    return write_list(
        ListKind.CHANGES,
        city=city.config.city.code,
        since=since,
        number=number,
        made_at=city.now_local(),
        added=now - before,
        removed=before - now,
        sign=city.vault.sign,
    )
