"""Rights that the property company gives to its people, and that it takes back from anybody."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING

from sqlalchemy import select

from citycard import registry
from citycard.errors import Phrase
from citycard.registry import CardStatus
from citycard.store import writing
from citycard_community.errors import RightRefused, RightUnknown
from citycard_community.granting import BookedRight, grant, revoke
from citycard_community.sectors import RightKind
from citycard_community.settings import ALWAYS, CommunitySettings
from citycard_community.tables import right

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from citycard.city import City

__all__ = ["find_right", "give_staff", "take_back"]

_LONGEST = dt.timedelta(days=366)


def give_staff(
    city: City,
    settings: CommunitySettings,
    community: str,
    asn: str,
    zones: Sequence[int],
    hours: int,
    starts_on: dt.date,
    ends_on: dt.date,
) -> BookedRight:
    """Give somebody who works in a community a right to zones within a class of hours; again the same right.

    Raise CommunityUnknown, RegistryMissing, or RightRefused for zones, hours or days that cannot be.
    """
    place = settings.community(community)
    known = {zone.number for zone in place.zones}
    classes = {ALWAYS, *(one.number for one in settings.hours)}
    today = city.now_local().date()
    if not zones or not known.issuperset(zones):
        raise RightRefused(
            asn=asn, field="zones", value=list(zones), expected=Phrase("some of {known}", known=sorted(known))
        )
    if hours not in classes:
        raise RightRefused(
            asn=asn, field="hours", value=hours, expected=Phrase("one of {known}", known=sorted(classes))
        )
    if not starts_on <= ends_on <= starts_on + _LONGEST or ends_on < today:
        days = f"{starts_on} to {ends_on}"
        raise RightRefused(asn=asn, field="days", value=days, expected="to today or later, at most a year")
    bits = sum(1 << zone for zone in set(zones))
    with writing(city.engine) as conn:
        status = registry.find_card(conn, asn).status
        if status is not CardStatus.ISSUED:
            raise RightRefused(asn=asn, field="card", value=str(status), expected="a card in use")
        same = select(right.c.id).where(
            right.c.asn == asn,
            right.c.kind == int(RightKind.STAFF),
            right.c.community == community,
            right.c.zones == bits,
            right.c.hours == hours,
            right.c.starts_on == starts_on,
            right.c.ends_on == ends_on,
            right.c.revoked_at.is_(None),
        )
        serial = conn.scalars(same).first() or grant(
            conn,
            asn=asn,
            kind=RightKind.STAFF,
            community=place,
            zones=bits,
            hours=hours,
            starts_on=starts_on,
            ends_on=ends_on,
        )
        return find_right(conn, serial)


def take_back(city: City, serial: int) -> BookedRight:
    """Take back a right now; terminals refuse it from their next list on. Again without harm.

    A right of an owner comes back at the kiosk while the flat is the owner's. Raise RightUnknown.
    """
    with writing(city.engine) as conn:
        find_right(conn, serial)
        revoke(conn, [serial], city.now_local(), "the property company took it back")
        return find_right(conn, serial)


def find_right(conn: Connection, serial: int) -> BookedRight:
    """Give a right by its serial; raise RightUnknown."""
    row = conn.execute(select(right).where(right.c.id == serial)).one_or_none()
    if row is None:
        raise RightUnknown(serial=serial)
    return BookedRight(**row._mapping)  # noqa: SLF001 - a Row's own way
