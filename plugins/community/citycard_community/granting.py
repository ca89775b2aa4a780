"""The rights in the city's books: given, ended, and what of them a card is to carry.

A right keeps its serial when its last day is moved on. One that ends early keeps the last day that a card may
have been told, and is on the list of terminals until then.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from uuid import UUID

import attrs
from sqlalchemy import Connection, insert, or_, select, update

from citycard.registry import CardStatus
from citycard.registry.tables import card
from citycard_community.sectors import Right, RightKind
from citycard_community.settings import ALWAYS, Community, CommunitySettings
from citycard_community.tables import right

__all__ = ["BookedRight", "grant", "prolong", "revoke", "revoked_serials", "rights_of_card", "signed_form"]


@attrs.frozen(kw_only=True)
class BookedRight:
    """A right as the books have it; ``revoked_at`` is the local moment from which it is off."""

    id: int
    asn: str
    kind: RightKind = attrs.field(converter=RightKind)
    community: str
    zones: int
    hours: int
    starts_on: dt.date
    ends_on: dt.date
    unit: int | None
    lease: UUID | None
    visit: UUID | None
    revoked_at: dt.datetime | None
    revoked_why: str

    @property
    def last_day(self) -> dt.date:
        """Return the last whole day, which is earlier than what cards were told when it ends early."""
        if self.revoked_at is None:
            return self.ends_on
        return min(self.ends_on, self.revoked_at.date() - dt.timedelta(days=1))

    def holds_at(self, at: dt.datetime) -> bool:
        """Say whether it is good at a local moment, whatever its hours."""
        on = self.revoked_at is None or at < self.revoked_at
        return on and self.starts_on <= at.date() <= self.ends_on


def grant(
    conn: Connection,
    *,
    asn: str,
    kind: RightKind,
    community: Community,
    zones: int,
    starts_on: dt.date,
    ends_on: dt.date,
    hours: int = ALWAYS,
    unit: int | None = None,
    lease: UUID | None = None,
    visit: UUID | None = None,
) -> int:
    """Write a right into the books and return its serial; a card gets it at its next kiosk."""
    row = {
        "asn": asn,
        "kind": int(kind),
        "community": community.id,
        "zones": zones,
        "hours": hours,
        "starts_on": starts_on,
        "ends_on": ends_on,
        "unit": unit,
        "lease": lease,
        "visit": visit,
        "revoked_why": "",
    }
    made = conn.execute(insert(right).values(row)).inserted_primary_key
    assert made is not None
    return int(made[0])


def prolong(conn: Connection, serials: Iterable[int], ends_on: dt.date) -> None:
    """Move the last day of rights on."""
    conn.execute(update(right).where(right.c.id.in_(list(serials))).values(ends_on=ends_on))


def revoke(conn: Connection, serials: Iterable[int], at: dt.datetime, why: str) -> int:
    """End rights from a local moment on, and return how many were not to end earlier anyway."""
    later = or_(right.c.revoked_at.is_(None), right.c.revoked_at > at)
    ended = (
        update(right)
        .where(right.c.id.in_(list(serials)), right.c.ends_on >= at.date(), later)
        .values(revoked_at=at, revoked_why=why)
    )
    return conn.execute(ended).rowcount


def rights_of_card(conn: Connection, asn: str, day: dt.date) -> list[BookedRight]:
    """Give the rights of a card whose last day has not passed, the oldest first."""
    query = select(right).where(right.c.asn == asn, right.c.ends_on >= day).order_by(right.c.id)
    booked = [BookedRight(**row._mapping) for row in conn.execute(query)]  # noqa: SLF001 - a Row's own way
    return [one for one in booked if one.last_day >= day]


def revoked_serials(conn: Connection, at: dt.datetime) -> list[int]:
    """Give the serials that terminals must refuse at a local moment, in order.

    They were revoked, or their card is lost, blocked or given up, and their last day has not passed.
    """
    stopped = or_(card.c.asn.is_(None), card.c.status != str(CardStatus.ISSUED))
    query = (
        select(right.c.id)
        .outerjoin(card, card.c.asn == right.c.asn)
        .where(right.c.ends_on >= at.date(), or_(right.c.revoked_at <= at, stopped))
        .order_by(right.c.id)
    )
    return list(conn.scalars(query))


def signed_form(booked: BookedRight, settings: CommunitySettings) -> Right:
    """Give a booked right as a card carries it, not signed yet."""
    return Right(
        kind=booked.kind,
        community=settings.community(booked.community).number,
        zones=booked.zones,
        hours=booked.hours,
        starts_on=booked.starts_on,
        ends_on=booked.last_day,
        serial=booked.id,
    )
