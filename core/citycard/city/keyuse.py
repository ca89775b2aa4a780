"""Which cards have which purse keys, as far as the city wrote it down.

What a card got in a personalisation job or at a reader stands in its history (``keys``: the version). A card
without such a line may have any version that ever was, so it counts as a user of each: a version that
somebody may need is not retired.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import func, select

from citycard import registry
from citycard.registry import CardStatus, tables
from citycard.store import reading, writing

if TYPE_CHECKING:
    from citycard.city.city import City
    from citycard.city.rekey import Rekeyed

__all__ = ["KEYS_NOTED", "KeyUse", "key_use", "note_rekeyed"]

KEYS_NOTED = "keys"
_GONE = (CardStatus.REPLACED, CardStatus.RETURNED)


@attrs.frozen(kw_only=True)
class KeyUse:
    """How many cards that can still be used have each purse version, and of how many it is not known."""

    noted: dict[int, int]
    unknown: int

    def of(self, version: int) -> int:
        """Return how many cards may need a version."""
        return self.noted.get(version, 0) + self.unknown


def key_use(city: City) -> KeyUse:
    """Count the cards that can still be used by the purse version that they have."""
    card, event = tables.card, tables.card_event
    last = (
        select(event.c.asn, func.max(event.c.seq).label("seq"))
        .where(event.c.what == KEYS_NOTED)
        .group_by(event.c.asn)
        .subquery()
    )
    alive = card.c.status.not_in([status.value for status in _GONE])
    query = (
        select(event.c.detail, func.count())
        .join(last, last.c.seq == event.c.seq)
        .join(card, card.c.asn == event.c.asn)
        .where(alive)
        .group_by(event.c.detail)
    )
    with reading(city.engine) as conn:
        noted = {int(detail): count for detail, count in conn.execute(query)}
        total = conn.execute(select(func.count()).select_from(card).where(alive)).scalar_one()
    return KeyUse(noted=noted, unknown=total - sum(noted.values()))


def note_rekeyed(city: City, done: Rekeyed, *, actor: str) -> None:
    """Write into a card's history which purse version it has now; a card not in the registry has none."""
    with writing(city.engine) as conn:
        if conn.execute(select(tables.card.c.asn).where(tables.card.c.asn == done.asn)).first() is None:
            return
        known = [one for one in registry.card_events(conn, done.asn) if one.what == KEYS_NOTED]
        if not known or known[-1].detail != str(done.after):
            now = city.clock.now()
            registry.note_events(conn, [done.asn], KEYS_NOTED, str(done.after), actor=actor, at=now)
