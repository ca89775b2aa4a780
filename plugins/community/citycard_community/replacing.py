"""When the card office replaces a card, its rights, flats and passes go on to the card that follows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import Connection, or_, select, update

from citycard import registry
from citycard.registry import CardStatus
from citycard.store import writing
from citycard_community.granting import BookedRight, grant, revoke, rights_of_card
from citycard_community.settings import CommunitySettings
from citycard_community.tables import parking_pass, right, unit, visit

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["REPLACED", "follow_replacements"]

REPLACED = "the card was replaced"


def follow_replacements(city: City, settings: CommunitySettings) -> int:
    """Move what is on replaced cards to their successors, and return how many cards; again without harm."""
    now = city.now_local()
    on = or_(right.c.revoked_at.is_(None), right.c.revoked_at > now)
    with writing(city.engine) as conn:
        query = select(right.c.asn).where(right.c.ends_on >= now.date(), on).distinct()
        known = {*conn.scalars(query), *conn.scalars(select(unit.c.owner).distinct())} - {""}
        cards = registry.cards_by_asn(conn, sorted(known))
        moved = 0
        for asn, card in cards.items():
            closing = registry.closing_of(conn, asn) if card.status is CardStatus.REPLACED else None
            if closing is not None and closing.successor is not None:
                _move(conn, city, settings, asn, closing.successor)
                moved += 1
    return moved


def _move(conn: Connection, city: City, settings: CommunitySettings, old: str, new: str) -> None:
    now = city.now_local()
    for one in rights_of_card(conn, old, now.date()):
        serial = _granted_again(conn, settings, one, new)
        conn.execute(update(parking_pass).where(parking_pass.c.right == one.id).values(right=serial))
        if one.revoked_at is not None:
            # What was to end early still does.
            revoke(conn, [serial], one.revoked_at, one.revoked_why)
        conn.execute(update(right).where(right.c.id == one.id).values(revoked_at=now, revoked_why=REPLACED))
    conn.execute(update(parking_pass).where(parking_pass.c.asn == old).values(asn=new))
    conn.execute(update(unit).where(unit.c.owner == old).values(owner=new))
    conn.execute(update(visit).where(visit.c.host == old).values(host=new))


def _granted_again(conn: Connection, settings: CommunitySettings, one: BookedRight, asn: str) -> int:
    return grant(
        conn,
        asn=asn,
        kind=one.kind,
        community=settings.community(one.community),
        zones=one.zones,
        hours=one.hours,
        starts_on=one.starts_on,
        ends_on=one.ends_on,
        unit=one.unit,
        lease=one.lease,
        visit=one.visit,
    )
