"""Leases: tenants have rights while a lease runs, and no day longer.

A lease names a unit, its tenants' cards and its days. Extended, the same rights run on, and cards learn it at
a kiosk. Ended early, the rights stand on the terminals' list until the last day that cards were told.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard import registry
from citycard.errors import Phrase
from citycard.registry import CardStatus
from citycard.store import publish, reading, writing
from citycard_community.errors import LeaseRefused, LeaseUnknown
from citycard_community.events import LeaseChanged, body_of
from citycard_community.granting import grant, prolong, revoke
from citycard_community.replacing import REPLACED
from citycard_community.sectors import RightKind
from citycard_community.settings import CommunitySettings
from citycard_community.tables import lease, right, unit
from citycard_community.units import find_unit

if TYPE_CHECKING:
    from citycard.city import City

__all__ = [
    "Lease",
    "begin_lease",
    "end_lease",
    "extend_lease",
    "find_lease",
    "leases_of_unit",
    "running_leases",
]

_MOST_TENANTS = 6
_LONGEST = dt.timedelta(days=20 * 366)
_NIGHT = dt.time()


@attrs.frozen(kw_only=True)
class Lease:
    """A lease: ``last_day`` is the day it was ended early on, else ``ends_on``."""

    id: UUID
    unit: int
    starts_on: dt.date
    ends_on: dt.date
    ended_on: dt.date | None
    tenants: tuple[str, ...]

    @property
    def last_day(self) -> dt.date:
        """Return the last day on which it runs."""
        return self.ends_on if self.ended_on is None else self.ended_on


def begin_lease(
    city: City,
    settings: CommunitySettings,
    identity: UUID,
    unit_number: int,
    tenants: Sequence[str],
    starts_on: dt.date,
    ends_on: dt.date,
) -> Lease:
    """Begin a lease and give its tenants their rights; once for each ``identity``.

    Raise UnitUnknown, RegistryMissing for a card nobody knows, or LeaseRefused: for days that are over or
    turned round, for another lease of the unit in these days, for tenants who are none, twice, or too many.
    """
    with writing(city.engine) as conn:
        found = find_unit(conn, unit_number)
        conn.execute(select(unit.c.id).where(unit.c.id == found.id).with_for_update())
        known = _read(conn, identity)
        if known is not None:
            if (known.unit, known.tenants, known.starts_on) != (
                unit_number,
                tuple(sorted(tenants)),
                starts_on,
            ):
                raise LeaseRefused(
                    lease=identity, reason="this id was given to another lease: make a new one"
                )
            return known
        _check_days(city, identity, starts_on, ends_on)
        _check_tenants(conn, identity, tenants, found.owner)
        _check_free(conn, identity, unit_number, starts_on, ends_on)
        row = {"id": identity, "unit": unit_number, "starts_on": starts_on, "ends_on": ends_on}
        conn.execute(insert(lease).values(row))
        community = settings.community(found.community)
        for asn in tenants:
            grant(
                conn,
                asn=asn,
                kind=RightKind.TENANT,
                community=community,
                zones=community.home_zones(found.building),
                starts_on=starts_on,
                ends_on=ends_on,
                unit=found.id,
                lease=identity,
            )
        return _told(conn, identity, "begun")


def extend_lease(city: City, identity: UUID, ends_on: dt.date) -> Lease:
    """Let a lease run until a later day; again without harm.

    Raise LeaseUnknown, or LeaseRefused when it is over, was ended, or another lease stands in the way.
    """
    with writing(city.engine) as conn:
        found = _held(conn, identity)
        if found.ends_on == ends_on and found.ended_on is None:
            return found
        today = city.now_local().date()
        if found.last_day < today or found.ended_on is not None:
            raise LeaseRefused(
                lease=identity,
                reason=Phrase("it ended on {last_day}: begin another one", last_day=found.last_day),
            )
        if ends_on < found.ends_on:
            raise LeaseRefused(
                lease=identity,
                reason=Phrase("it runs until {ends_on}: to shorten it, end it", ends_on=found.ends_on),
            )
        _check_days(city, identity, found.starts_on, ends_on)
        _check_free(conn, identity, found.unit, found.starts_on, ends_on)
        conn.execute(update(lease).where(lease.c.id == identity).values(ends_on=ends_on))
        standing = (right.c.lease == identity, right.c.revoked_at.is_(None))
        prolong(conn, conn.scalars(select(right.c.id).where(*standing)).all(), ends_on)
        return _told(conn, identity, "extended")


def end_lease(city: City, identity: UUID, last_day: dt.date) -> Lease:
    """End a lease early: rights are off from the midnight after ``last_day``; again without harm.

    With yesterday as the last day they are off at once. Raise LeaseUnknown, or LeaseRefused for a day
    before that or after its end.
    """
    with writing(city.engine) as conn:
        found = _held(conn, identity)
        if found.ended_on == last_day:
            return found
        yesterday = city.now_local().date() - dt.timedelta(days=1)
        if found.last_day < yesterday:
            raise LeaseRefused(
                lease=identity, reason=Phrase("it ended on {last_day}", last_day=found.last_day)
            )
        if not yesterday <= last_day <= found.last_day:
            reason = Phrase(
                "the last day is {last_day}, expected a day from {yesterday} to {latest}",
                last_day=last_day,
                yesterday=yesterday,
                latest=found.last_day,
            )
            raise LeaseRefused(lease=identity, reason=reason)
        conn.execute(update(lease).where(lease.c.id == identity).values(ended_on=last_day))
        serials = conn.scalars(select(right.c.id).where(right.c.lease == identity)).all()
        off = dt.datetime.combine(last_day + dt.timedelta(days=1), _NIGHT)
        revoke(conn, serials, off, "the lease ended")
        return _told(conn, identity, "ended")


def find_lease(city: City, identity: UUID) -> Lease:
    """Give a lease; raise LeaseUnknown."""
    with reading(city.engine) as conn:
        found = _read(conn, identity)
    if found is None:
        raise LeaseUnknown(lease=identity)
    return found


def leases_of_unit(conn: Connection, unit_number: int) -> list[Lease]:
    """Give the leases of a unit, the first first."""
    query = select(lease.c.id).where(lease.c.unit == unit_number).order_by(lease.c.starts_on, lease.c.id)
    return [found for identity in conn.scalars(query).all() if (found := _read(conn, identity)) is not None]


def running_leases(conn: Connection, community: str, today: dt.date, limit: int = 1000) -> list[Lease]:
    """Give the leases of a community that have not ended, those that end first first."""
    last = func.coalesce(lease.c.ended_on, lease.c.ends_on)
    query = (
        select(lease.c.id)
        .join(unit, unit.c.id == lease.c.unit)
        .where(unit.c.community == community, last >= today)
        .order_by(last, lease.c.id)
        .limit(limit)
    )
    return [found for identity in conn.scalars(query).all() if (found := _read(conn, identity)) is not None]


def _held(conn: Connection, identity: UUID) -> Lease:
    """Read a lease while nobody else changes one of its unit."""
    found = _read(conn, identity)
    if found is None:
        raise LeaseUnknown(lease=identity)
    conn.execute(select(unit.c.id).where(unit.c.id == found.unit).with_for_update())
    again = _read(conn, identity)
    assert again is not None
    return again


def _read(conn: Connection, identity: UUID) -> Lease | None:
    row = conn.execute(select(lease).where(lease.c.id == identity)).one_or_none()
    if row is None:
        return None
    tenants = conn.scalars(
        select(right.c.asn).where(right.c.lease == identity, right.c.revoked_why != REPLACED).distinct()
    ).all()
    return Lease(**row._mapping, tenants=tuple(sorted(tenants)))  # noqa: SLF001 - a Row's own way


def _check_days(city: City, identity: UUID, starts_on: dt.date, ends_on: dt.date) -> None:
    today = city.now_local().date()
    if not starts_on <= ends_on or ends_on < today or ends_on - starts_on > _LONGEST:
        reason = Phrase(
            "it would run from {starts_on} to {ends_on}: it ends today or later, within 20 years",
            starts_on=starts_on,
            ends_on=ends_on,
        )
        raise LeaseRefused(lease=identity, reason=reason)


def _check_tenants(conn: Connection, identity: UUID, tenants: Sequence[str], owner: str) -> None:
    if not 1 <= len(tenants) <= _MOST_TENANTS or len(set(tenants)) != len(tenants):
        reason = Phrase(
            "it has {count} tenants, expected 1 to {most_tenants}, each once",
            count=len(tenants),
            most_tenants=_MOST_TENANTS,
        )
        raise LeaseRefused(lease=identity, reason=reason)
    for asn in tenants:
        if asn == owner:
            raise LeaseRefused(lease=identity, reason="the owner of the unit cannot be its tenant")
        status = registry.find_card(conn, asn).status
        if status is not CardStatus.ISSUED:
            raise LeaseRefused(
                lease=identity, reason=Phrase("card {asn} is {status}, not in use", asn=asn, status=status)
            )


def _check_free(
    conn: Connection, identity: UUID, unit_number: int, starts_on: dt.date, ends_on: dt.date
) -> None:
    for other in leases_of_unit(conn, unit_number):
        if other.id != identity and other.starts_on <= ends_on and starts_on <= other.last_day:
            reason = Phrase(
                "lease {id} of the unit runs from {starts_on} to {last_day}",
                id=other.id,
                starts_on=other.starts_on,
                last_day=other.last_day,
            )
            raise LeaseRefused(lease=identity, reason=reason)


def _told(conn: Connection, identity: UUID, what: str) -> Lease:
    found = _read(conn, identity)
    assert found is not None
    body = LeaseChanged(lease=identity, unit=found.unit, what=what, last_day=found.last_day)
    publish(conn, LeaseChanged.NAME, [body_of(body)])
    return found
