"""Visitors: a resident gives one a right for one day, to a card that is known or by a code for the kiosk.

A code of 8 digits is made of the visit's id and a key of the vault, so that asking again tells the same code,
and the books hold only its digest.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
from typing import TYPE_CHECKING, Any
from uuid import UUID

import attrs
from sqlalchemy import Connection, func, insert, select, update

from citycard import registry
from citycard.errors import Phrase
from citycard.registry import CardStatus
from citycard.store import publish, writing
from citycard_community.errors import DayCodeRefused, NotTheirs, VisitRefused, VisitUnknown
from citycard_community.events import VisitorInvited, body_of
from citycard_community.granting import grant, revoke, rights_of_card
from citycard_community.rights import KEY
from citycard_community.sectors import RightKind
from citycard_community.settings import CommunitySettings
from citycard_community.tables import right, unit, visit
from citycard_community.units import Unit, find_unit

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["Visit", "end_visit", "invite", "use_code", "visits_of_host"]

_FURTHEST_DAYS = 31
_CODES = 10**8
_HOSTS = frozenset({RightKind.OWNER, RightKind.TENANT})


@attrs.frozen(kw_only=True)
class Visit:
    """A visit; ``code`` is the day code, empty when the visitor's card is known or another asks."""

    id: UUID
    unit: int
    host: str
    day: dt.date
    visitor: str
    ended: dt.datetime | None
    code: str = ""


def invite(
    city: City,
    settings: CommunitySettings,
    identity: UUID,
    host: str,
    unit_number: int,
    day: dt.date,
    visitor: str = "",
) -> Visit:
    """Invite a visitor for a day; once for each ``identity``, and the same answer again.

    Without a visitor's card the answer has a day code. Raise UnitUnknown, NotTheirs for a unit whose doors
    the host does not open as owner or tenant on that day, RegistryMissing, or VisitRefused for a day that is
    over or far, too many visitors, or a card that is not in use.
    """
    code = "" if visitor else _code(city, identity)
    with writing(city.engine) as conn:
        found = find_unit(conn, unit_number)
        conn.execute(select(unit.c.id).where(unit.c.id == found.id).with_for_update())
        row = conn.execute(select(visit).where(visit.c.id == identity)).one_or_none()
        if row is not None:
            asked_code = row.code is not None
            if (row.unit, row.host, row.day, asked_code) != (unit_number, host, day, bool(code)):
                raise VisitRefused(day=day, reason="this id was given to another visit: make a new one")
            return _visit(row, code)
        _check(conn, city, settings, found, host, day, visitor)
        digest = _digest(city, code) if code else None
        values = {"id": identity, "unit": unit_number, "host": host, "day": day}
        conn.execute(insert(visit).values(values | {"code": digest, "visitor": visitor}))
        if visitor:
            _give(conn, settings, found, identity, day, visitor)
        body = VisitorInvited(visit=identity, unit=unit_number, day=day)
        publish(conn, VisitorInvited.NAME, [body_of(body)])
        return _visit(conn.execute(select(visit).where(visit.c.id == identity)).one(), code)


def end_visit(city: City, identity: UUID, host: str) -> Visit:
    """Take back what a visitor was given; again without harm. Raise VisitUnknown or NotTheirs."""
    with writing(city.engine) as conn:
        row = conn.execute(select(visit).where(visit.c.id == identity).with_for_update()).one_or_none()
        if row is None:
            raise VisitUnknown(visit=identity)
        if row.host != host:
            raise NotTheirs(what=Phrase("visit {id}", id=identity), asn=host)
        if row.ended is None:
            now = city.now_local()
            conn.execute(update(visit).where(visit.c.id == identity).values(ended=now))
            serials = conn.scalars(select(right.c.id).where(right.c.visit == identity)).all()
            revoke(conn, serials, now, "the visit was taken back")
        return _visit(conn.execute(select(visit).where(visit.c.id == identity)).one(), "")


def use_code(city: City, settings: CommunitySettings, code: str, visitor: str) -> Visit:
    """Give the card in the kiosk what a code of today is good for; the same card may use it again.

    Raise DayCodeRefused for any other code.
    """
    today = city.now_local().date()
    with writing(city.engine) as conn:
        wanted = (visit.c.code == _digest(city, code), visit.c.day == today, visit.c.ended.is_(None))
        row = conn.execute(select(visit).where(*wanted).with_for_update()).first()
        if row is None or row.visitor not in {"", visitor}:
            raise DayCodeRefused
        if not row.visitor:
            conn.execute(update(visit).where(visit.c.id == row.id).values(visitor=visitor))
            _give(conn, settings, find_unit(conn, row.unit), row.id, today, visitor)
        return _visit(conn.execute(select(visit).where(visit.c.id == row.id)).one(), "")


def visits_of_host(conn: Connection, host: str, since: dt.date) -> list[Visit]:
    """Give the visits of a host from a day on, the newest first."""
    query = select(visit).where(visit.c.host == host, visit.c.day >= since).order_by(visit.c.day.desc())
    return [_visit(row, "") for row in conn.execute(query)]


def _check(
    conn: Connection,
    city: City,
    settings: CommunitySettings,
    found: Unit,
    host: str,
    day: dt.date,
    visitor: str,
) -> None:
    today = city.now_local().date()
    if not today <= day <= today + dt.timedelta(days=_FURTHEST_DAYS):
        raise VisitRefused(
            day=day,
            reason=Phrase(
                "expected a day from today to {furthest_days} days on", furthest_days=_FURTHEST_DAYS
            ),
        )
    own = [one for one in rights_of_card(conn, host, day) if one.unit == found.id and one.kind in _HOSTS]
    if not any(one.starts_on <= day <= one.last_day for one in own):
        raise NotTheirs(what=Phrase("unit {id} on {day}", id=found.id, day=day), asn=host)
    visitors = settings.community(found.community).visitors
    on_day = (visit.c.unit == found.id, visit.c.day == day, visit.c.ended.is_(None))
    if int(conn.scalar(select(func.count()).select_from(visit).where(*on_day)) or 0) >= visitors.a_day:
        raise VisitRefused(
            day=day, reason=Phrase("the unit has its {a_day} visitors of the day", a_day=visitors.a_day)
        )
    if visitor:
        status = registry.find_card(conn, visitor).status
        if status is not CardStatus.ISSUED:
            raise VisitRefused(
                day=day,
                reason=Phrase("card {visitor} is {status}, not in use", visitor=visitor, status=status),
            )


def _give(
    conn: Connection, settings: CommunitySettings, found: Unit, identity: UUID, day: dt.date, visitor: str
) -> None:
    community = settings.community(found.community)
    grant(
        conn,
        asn=visitor,
        kind=RightKind.VISITOR,
        community=community,
        zones=community.home_zones(found.building),
        hours=community.visitors.hours,
        starts_on=day,
        ends_on=day,
        unit=found.id,
        visit=identity,
    )


def _code(city: City, identity: UUID) -> str:
    number = int.from_bytes(hmac.digest(_key(city), identity.bytes, hashlib.sha256)[:8])
    return f"{number % _CODES:08d}"


def _digest(city: City, code: str) -> str:
    return hmac.new(_key(city), b"day code " + code.encode(), hashlib.sha256).hexdigest()


def _key(city: City) -> bytes:
    # Of no card: a card's number never ends in 16 zeros.
    return city.vault.card_key(KEY.name, bytes(8))


def _visit(row: Any, code: str) -> Visit:
    known = {field.name for field in attrs.fields(Visit)} - {"code"}
    return Visit(**{name: row._mapping[name] for name in known}, code=code)  # noqa: SLF001 - a Row's own way
