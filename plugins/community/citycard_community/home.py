"""What the holder of a card sees of the own community: doors, flats, leases, fees due, parking, visitors."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection, select

from citycard.store import reading
from citycard_community.billing import Owed, bills_of_card
from citycard_community.granting import BookedRight, rights_of_card
from citycard_community.leases import Lease, leases_of_unit
from citycard_community.passes import passes_of_card
from citycard_community.sectors import RightKind
from citycard_community.settings import CommunitySettings
from citycard_community.spaces import stays_of_card
from citycard_community.tables import lease, right
from citycard_community.units import find_unit, units_of_owner
from citycard_community.visits import visits_of_host

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "CommunityHome",
    "HomeBill",
    "HomeDoor",
    "HomeLease",
    "HomePass",
    "HomeStay",
    "HomeUnit",
    "HomeVisit",
    "bill_shown",
    "home_of",
    "lease_shown",
]

_VISITS_DAYS = 7


@attrs.frozen(kw_only=True)
class HomeDoor:
    """A door that a right of the card opens, by which kind of right and until which day."""

    community: str
    door: str
    name: str
    name_zh: str
    kind: str
    until: dt.date


@attrs.frozen(kw_only=True)
class HomeLease:
    """A lease with its tenants' cards and its days."""

    lease: UUID
    unit: int
    place: str
    community: str
    building: int
    room: str
    tenants: tuple[str, ...]
    starts_on: dt.date
    last_day: dt.date


@attrs.frozen(kw_only=True)
class HomeUnit:
    """A flat of an owner; ``area`` in hundredths of a square metre."""

    unit: int
    place: str
    community: str
    building: int
    room: str
    area: int
    leases: tuple[HomeLease, ...]


@attrs.frozen(kw_only=True)
class HomeBill:
    """A property fee: ``owed_fen`` is what can be paid today, late charge included."""

    bill: int
    place: str
    community: str
    building: int
    room: str
    month: dt.date
    amount_fen: int
    late_fen: int
    owed_fen: int
    due_on: dt.date


@attrs.frozen(kw_only=True)
class HomePass:
    """A parking pass of the card."""

    community: str
    car_park: int
    space: int
    starts_on: dt.date
    last_day: dt.date


@attrs.frozen(kw_only=True)
class HomeStay:
    """A stay in a car park; without ``left_at`` the car is inside."""

    community: str
    car_park: int
    space: int
    entered_at: dt.datetime
    left_at: dt.datetime | None
    amount_fen: int | None


@attrs.frozen(kw_only=True)
class HomeVisit:
    """A visitor that the holder invited."""

    visit: UUID
    unit: int
    day: dt.date
    came: bool
    ended: bool


@attrs.frozen(kw_only=True)
class CommunityHome:
    """Everything that a holder sees of the own community."""

    card: str
    doors: tuple[HomeDoor, ...]
    homes: tuple[int, ...]
    units: tuple[HomeUnit, ...]
    leases: tuple[HomeLease, ...]
    bills: tuple[HomeBill, ...]
    passes: tuple[HomePass, ...]
    stays: tuple[HomeStay, ...]
    visits: tuple[HomeVisit, ...]


def home_of(city: City, settings: CommunitySettings, asn: str) -> CommunityHome:
    """Read what the holder of a card sees now; ``homes`` are the units that visitors can be invited to."""
    now = city.now_local()
    today = now.date()
    with reading(city.engine) as conn:
        rights = [one for one in rights_of_card(conn, asn, today) if one.holds_at(now)]
        lives = [one for one in rights if one.kind in {RightKind.OWNER, RightKind.TENANT}]
        return CommunityHome(
            card=asn,
            doors=_doors(settings, rights),
            homes=tuple(sorted({one.unit for one in lives if one.unit is not None})),
            units=tuple(
                HomeUnit(
                    unit=one.id,
                    place=one.name,
                    community=one.community,
                    building=one.building,
                    room=one.room,
                    area=one.area,
                    leases=tuple(
                        lease_shown(conn, found)
                        for found in leases_of_unit(conn, one.id)
                        if found.last_day >= today
                    ),
                )
                for one in units_of_owner(conn, asn)
            ),
            leases=_rented(conn, asn, today),
            bills=tuple(
                bill_shown(one) for one in bills_of_card(conn, settings, today, asn) if one.bill.owed_fen
            ),
            passes=tuple(
                HomePass(
                    community=one.community,
                    car_park=one.car_park,
                    space=one.space,
                    starts_on=one.first,
                    last_day=one.last_day,
                )
                for one in passes_of_card(conn, asn, today)
            ),
            stays=tuple(
                HomeStay(
                    community=one.community,
                    car_park=one.car_park,
                    space=one.space,
                    entered_at=one.entered_at,
                    left_at=one.left_at,
                    amount_fen=one.amount_fen,
                )
                for one in stays_of_card(conn, asn)
            ),
            visits=tuple(
                HomeVisit(
                    visit=one.id,
                    unit=one.unit,
                    day=one.day,
                    came=bool(one.visitor),
                    ended=one.ended is not None,
                )
                for one in visits_of_host(conn, asn, today - dt.timedelta(days=_VISITS_DAYS))
            ),
        )


def bill_shown(owed: Owed) -> HomeBill:
    """Give a bill as it is shown."""
    return HomeBill(
        bill=owed.bill.id,
        place=f"{owed.community} {owed.building}-{owed.room}",
        community=owed.community,
        building=owed.building,
        room=owed.room,
        month=owed.bill.month,
        amount_fen=owed.bill.amount_fen,
        late_fen=owed.bill.late_fen,
        owed_fen=owed.owed_fen,
        due_on=owed.bill.due_on,
    )


def lease_shown(conn: Connection, found: Lease) -> HomeLease:
    """Give a lease as it is shown."""
    flat = find_unit(conn, found.unit)
    return HomeLease(
        lease=found.id,
        unit=found.unit,
        place=flat.name,
        community=flat.community,
        building=flat.building,
        room=flat.room,
        tenants=found.tenants,
        starts_on=found.starts_on,
        last_day=found.last_day,
    )


def _doors(settings: CommunitySettings, rights: list[BookedRight]) -> tuple[HomeDoor, ...]:
    found: dict[tuple[str, str], HomeDoor] = {}
    for one in rights:
        if one.kind is RightKind.PARKING:
            continue
        community = settings.community(one.community)
        for door in community.doors:
            known = found.get((community.id, door.id))
            if one.zones >> door.zone & 1 and (known is None or known.until < one.last_day):
                found[community.id, door.id] = HomeDoor(
                    community=community.id,
                    door=door.id,
                    name=door.name,
                    name_zh=door.name_zh,
                    kind=one.kind.name.lower(),
                    until=one.last_day,
                )
    return tuple(found[key] for key in sorted(found))


def _rented(conn: Connection, asn: str, today: dt.date) -> tuple[HomeLease, ...]:
    query = select(right.c.unit).join(lease, lease.c.id == right.c.lease).where(right.c.asn == asn).distinct()
    return tuple(
        lease_shown(conn, found)
        for number in conn.scalars(query).all()
        for found in leases_of_unit(conn, number)
        if asn in found.tenants and found.last_day >= today
    )
