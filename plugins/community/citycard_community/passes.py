"""Residents' parking passes: a space for calendar months, paid online, carried on the card as a right."""

from __future__ import annotations

import datetime as dt
from functools import partial
from typing import TYPE_CHECKING
from uuid import UUID

import attrs
from sqlalchemy import Connection, delete, insert, select, update

from citycard.errors import Phrase
from citycard.store import publish, writing
from citycard.store.engine import write_alone
from citycard_community.errors import CarParkUnknown, PassRefused
from citycard_community.events import PassSold, body_of
from citycard_community.fees import PASS
from citycard_community.granting import grant, rights_of_card
from citycard_community.onceonly import charge_once, drop_unpaid, is_paid
from citycard_community.sectors import PassFacts, RightKind
from citycard_community.services import facts_asked
from citycard_community.settings import CarPark, Community, CommunitySettings
from citycard_community.tables import parking_pass
from citycard_community.units import month_of, next_month

if TYPE_CHECKING:
    from citycard.city import City

__all__ = ["SoldPass", "finish_passes", "passes_of_card", "sell_pass"]

_RESIDENTS = frozenset({RightKind.OWNER, RightKind.TENANT})
_MOST_MONTHS = 12
_WAITS = dt.timedelta(hours=1)


@attrs.frozen(kw_only=True)
class SoldPass:
    """A pass for a space from the month of ``first`` on; ``right`` is None until it is paid."""

    sale: UUID
    community: str
    car_park: int
    space: int
    first: dt.date
    months: int
    asn: str
    right: int | None

    @property
    def last_day(self) -> dt.date:
        """Return the pass's last day."""
        return _last_day(self.first, self.months)


def sell_pass(
    city: City,
    settings: CommunitySettings,
    identity: UUID,
    asn: str,
    community: str,
    car_park: int,
    space: int,
    first: dt.date,
    months: int,
    *,
    actor: str = "",
) -> SoldPass:
    """Sell a pass to a resident from the online account; once for each ``identity``.

    The space is kept while it is paid. Raise CommunityUnknown, CarParkUnknown, PassRefused for who does not
    live there, for months that are over or too many, or for a space that another pass has in one of them, and
    what ``charge_once`` raises; nothing was paid then.
    """
    place = settings.community(community)
    park = _park(place, car_park, space)
    with writing(city.engine) as conn:
        write_alone(conn, parking_pass)
        known = _find(conn, identity)
        if known is None:
            _check(conn, city, place, park, space, asn, month_of(first), months)
            conn.execute(
                insert(parking_pass),
                [
                    {
                        "community": community,
                        "car_park": car_park,
                        "space": space,
                        "month": month,
                        "sale": identity,
                        "asn": asn,
                        "asked_at": city.now_local(),
                    }
                    for month in _months(first, months)
                ],
            )
    wanted = (community, car_park, space, month_of(first), months, asn)
    if known is not None:
        if (known.community, known.car_park, known.space, known.first, known.months, known.asn) != wanted:
            raise PassRefused(
                space=space, car_park=park.name, reason=Phrase("id {id} was given to another", id=identity)
            )
        if known.right is not None:
            return known
    facts = PassFacts(
        community=place.number, car_park=car_park, space=space, first=month_of(first), months=months
    )
    charge_once(
        city,
        identity,
        asn,
        service=PASS,
        drop=partial(_forget, identity=identity),
        partner=place.partner,
        facts=facts_asked(facts),
        note=f"parking pass {park.name} {space}",
        actor=actor,
    )
    return _finish(city, settings, identity)


def passes_of_card(conn: Connection, asn: str, today: dt.date) -> list[SoldPass]:
    """Give the passes of a card that were paid and have not ended, by their first month."""
    mine = (parking_pass.c.asn == asn, parking_pass.c.right.is_not(None))
    sales = conn.scalars(select(parking_pass.c.sale).where(*mine).distinct()).all()
    found = [one for sale in sales if (one := _find(conn, sale)) is not None and one.last_day >= today]
    return sorted(found, key=lambda one: (one.first, one.space))


def finish_passes(city: City, settings: CommunitySettings, now: dt.datetime) -> int:
    """Finish the sales that were paid and broke off, forget those that were not; return how many finished."""
    with writing(city.engine) as conn:
        asked = (parking_pass.c.right.is_(None),)
        columns = (parking_pass.c.sale, parking_pass.c.asked_at)
        rows = conn.execute(select(*columns).where(*asked).distinct()).all()
    finished = 0
    for row in rows:
        sold = is_paid(city, row.sale, PASS)
        if not sold and row.asked_at + _WAITS < now:
            sold = not drop_unpaid(city, row.sale, PASS, partial(_forget, identity=row.sale))
        if sold:
            _finish(city, settings, row.sale)
            finished += 1
    return finished


def _finish(city: City, settings: CommunitySettings, identity: UUID) -> SoldPass:
    with writing(city.engine) as conn:
        write_alone(conn, parking_pass)
        found = _find(conn, identity)
        assert found is not None
        if found.right is not None:
            return found
        serial = grant(
            conn,
            asn=found.asn,
            kind=RightKind.PARKING,
            community=settings.community(found.community),
            zones=found.car_park << 16 | found.space,
            starts_on=found.first,
            ends_on=found.last_day,
        )
        conn.execute(update(parking_pass).where(parking_pass.c.sale == identity).values(right=serial))
        body = PassSold(
            sale=identity,
            community=found.community,
            car_park=found.car_park,
            space=found.space,
            month=found.first,
            months=found.months,
        )
        publish(conn, PassSold.NAME, [body_of(body)])
        return attrs.evolve(found, right=serial)


def _forget(conn: Connection, identity: UUID) -> None:
    unpaid = (parking_pass.c.sale == identity, parking_pass.c.right.is_(None))
    conn.execute(delete(parking_pass).where(*unpaid))


def _find(conn: Connection, identity: UUID) -> SoldPass | None:
    query = select(parking_pass).where(parking_pass.c.sale == identity).order_by(parking_pass.c.month)
    rows = conn.execute(query).all()
    if not rows:
        return None
    one = rows[0]
    return SoldPass(
        sale=one.sale,
        community=one.community,
        car_park=one.car_park,
        space=one.space,
        first=one.month,
        months=len(rows),
        asn=one.asn,
        right=one.right,
    )


def _park(place: Community, car_park: int, space: int) -> CarPark:
    park = place.car_park(car_park)
    if park is None:
        known = f"it has {', '.join(str(one.number) for one in place.car_parks) or 'none'}"
        raise CarParkUnknown(
            community=place.id, what=Phrase("car park {car_park}", car_park=car_park), known=known
        )
    if not 1 <= space <= park.spaces:
        known = f"car park {car_park} has 1 to {park.spaces}"
        raise CarParkUnknown(community=place.id, what=Phrase("space {space}", space=space), known=known)
    return park


def _check(
    conn: Connection,
    city: City,
    place: Community,
    park: CarPark,
    space: int,
    asn: str,
    first: dt.date,
    months: int,
) -> None:
    today = city.now_local().date()

    def refuse(reason: str) -> PassRefused:
        return PassRefused(space=space, car_park=park.name, reason=reason)

    if not 1 <= months <= _MOST_MONTHS or first < month_of(today):
        raise refuse(
            Phrase(
                "{months} months from {first}, expected 1 to {most_months} from this month on",
                months=months,
                first=first,
                most_months=_MOST_MONTHS,
            )
        )
    homes = [
        one
        for one in rights_of_card(conn, asn, today)
        if one.community == place.id and one.kind in _RESIDENTS and one.holds_at(city.now_local())
    ]
    if not homes:
        raise refuse("passes are for residents, and this card is none's")
    wanted = _months(first, months)
    query = select(parking_pass.c.month).where(
        parking_pass.c.community == place.id,
        parking_pass.c.car_park == park.number,
        parking_pass.c.space == space,
        parking_pass.c.month.in_(wanted),
    )
    taken = sorted(conn.scalars(query))
    if taken:
        raise refuse(Phrase("another pass has it in {taken:%Y-%m}", taken=taken[0]))


def _months(first: dt.date, months: int) -> list[dt.date]:
    found = [month_of(first)]
    while len(found) < months:
        found.append(next_month(found[-1]))
    return found


def _last_day(first: dt.date, months: int) -> dt.date:
    return next_month(_months(first, months)[-1]) - dt.timedelta(days=1)
