"""What is done over HTTP, by programs and pages alike: may they, then do it; plain functions in a thread."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING
from uuid import UUID

from citycard.clock import first_and_last
from citycard.errors import Phrase, QueryInvalid
from citycard.registry import find_card
from citycard.store import reading, writing
from citycard.web.readings import record_reading
from citycard.web.sessions import require
from citycard_community.asking import (
    CarParkState,
    CommunityBills,
    CommunityUnits,
    DoorOpenings,
    FeePaid,
    FeeToPay,
    LeaseToBegin,
    OpeningsQuery,
    PassBought,
    PassToBuy,
    RightGiven,
    StaffToAdmit,
    UnitsKept,
    VisitorCode,
    VisitToInvite,
)
from citycard_community.billing import bills_of_card, open_bills, pay_from_account
from citycard_community.errors import NotTheirs
from citycard_community.granting import BookedRight, rights_of_card
from citycard_community.home import CommunityHome, HomeLease, bill_shown, home_of, lease_shown
from citycard_community.leases import Lease, begin_lease, end_lease, extend_lease, find_lease, running_leases
from citycard_community.openings import own_cards, read_openings, without_others
from citycard_community.passes import sell_pass
from citycard_community.permissions import (
    BUY_PASSES,
    INVITE,
    KEEP_LEASES,
    KEEP_STAFF,
    KEEP_UNITS,
    PAY_FEES,
    READ_FEES,
    READ_HOME,
    READ_OPENINGS,
    owner_of,
)
from citycard_community.running import settings_of
from citycard_community.sectors import RightKind
from citycard_community.spaces import Spaces
from citycard_community.staff import find_right, give_staff, take_back
from citycard_community.units import Unit, UnitGiven, find_unit, keep_units, units_of_community
from citycard_community.visits import Visit, end_visit, invite

if TYPE_CHECKING:
    from citycard.city import City
    from citycard.web.permissions import Actor
    from citycard_community.settings import Community, Door

__all__ = [
    "admit_staff",
    "begin",
    "buy_pass",
    "call_off",
    "car_parks",
    "end",
    "extend",
    "fees",
    "flats",
    "home",
    "invite_visitor",
    "keep",
    "lease_of",
    "openings",
    "pay_fee",
    "take_right_back",
]

_RESIDENTS = frozenset({RightKind.OWNER, RightKind.TENANT})
_WEEK = dt.timedelta(days=7)
_LONGEST = dt.timedelta(days=92)


def home(city: City, actor: Actor, card: str) -> CommunityHome:
    """Read what a card's holder sees, and record the look of anybody else."""
    require(actor, READ_HOME, card)
    if not card:
        raise QueryInvalid(field="card", text="", expected="a card's number of 20 digits")
    with reading(city.engine) as conn:
        find_card(conn, card)
    _note_look(city, actor, [card], "community home")
    return home_of(city, settings_of(city), card)


def pay_fee(city: City, actor: Actor, bill: int, body: FeeToPay) -> FeePaid:
    """Pay a bill that the card's holder sees; raise NotTheirs for another."""
    require(actor, PAY_FEES, body.card)
    settings, today = settings_of(city), city.now_local().date()
    with reading(city.engine) as conn:
        seen = {one.bill.id for one in bills_of_card(conn, settings, today, body.card)}
    if bill not in seen:
        raise NotTheirs(what=Phrase("bill {bill}", bill=bill), asn=body.card)
    paid = pay_from_account(city, settings, body.id, body.card, bill, body.amount_fen, actor=actor.name)
    with reading(city.engine) as conn:
        left = {one.bill.id: one.owed_fen for one in bills_of_card(conn, settings, today, body.card)}
    return FeePaid(
        id=paid.id, bill=bill, amount_fen=paid.amount_fen, late_fen=paid.late_fen, owed_fen=left.get(bill, 0)
    )


def buy_pass(city: City, actor: Actor, body: PassToBuy) -> PassBought:
    """Buy a parking pass."""
    require(actor, BUY_PASSES, body.card)
    sold = sell_pass(
        city,
        settings_of(city),
        body.id,
        body.card,
        body.community,
        body.car_park,
        body.space,
        body.first,
        body.months,
        actor=actor.name,
    )
    return PassBought(
        id=sold.sale,
        card=sold.asn,
        community=sold.community,
        car_park=sold.car_park,
        space=sold.space,
        starts_on=sold.first,
        last_day=sold.last_day,
    )


def invite_visitor(city: City, actor: Actor, body: VisitToInvite) -> VisitorCode:
    """Invite a visitor."""
    require(actor, INVITE, body.card)
    return _visit(invite(city, settings_of(city), body.id, body.card, body.unit, body.day, body.visitor))


def call_off(city: City, actor: Actor, visit: UUID, card: str) -> VisitorCode:
    """Take back what a visitor was given."""
    require(actor, INVITE, card)
    return _visit(end_visit(city, visit, card))


def begin(city: City, actor: Actor, body: LeaseToBegin) -> HomeLease:
    """Begin a lease: its unit's owner may, and the property company."""
    _require_unit(city, actor, body.unit)
    lease = begin_lease(
        city, settings_of(city), body.id, body.unit, body.tenants, body.starts_on, body.ends_on
    )
    return _lease(city, lease)


def lease_of(city: City, actor: Actor, lease: UUID) -> HomeLease:
    """Read a lease: its unit's owner may, and the property company."""
    found = find_lease(city, lease)
    _require_unit(city, actor, found.unit)
    return _lease(city, found)


def flats(city: City, actor: Actor, community: str) -> tuple[tuple[Unit, ...], tuple[HomeLease, ...]]:
    """Read the flats of a community and the leases that run there."""
    require(actor, READ_FEES, settings_of(city).community(community).partner)
    with reading(city.engine) as conn:
        leases = running_leases(conn, community, city.now_local().date())
        return (
            tuple(units_of_community(conn, community)),
            tuple(lease_shown(conn, one) for one in leases),
        )


def extend(city: City, actor: Actor, lease: UUID, ends_on: dt.date) -> HomeLease:
    """Extend a lease."""
    _require_unit(city, actor, find_lease(city, lease).unit)
    return _lease(city, extend_lease(city, lease, ends_on))


def end(city: City, actor: Actor, lease: UUID, last_day: dt.date) -> HomeLease:
    """End a lease early."""
    _require_unit(city, actor, find_lease(city, lease).unit)
    return _lease(city, end_lease(city, lease, last_day))


def keep(city: City, actor: Actor, body: CommunityUnits) -> UnitsKept:
    """Take units over."""
    settings = settings_of(city)
    require(actor, KEEP_UNITS, settings.community(body.community).partner)
    given = [
        UnitGiven(
            community=body.community, building=one.building, room=one.room, area=one.area, owner=one.owner
        )
        for one in body.units
    ]
    return UnitsKept(changed=keep_units(city, settings, given))


def admit_staff(city: City, actor: Actor, body: StaffToAdmit) -> RightGiven:
    """Give a right to somebody who works there."""
    settings = settings_of(city)
    require(actor, KEEP_STAFF, settings.community(body.community).partner)
    return _right(
        give_staff(
            city,
            settings,
            body.community,
            body.card,
            body.zones,
            body.hours,
            body.starts_on,
            body.ends_on,
        )
    )


def take_right_back(city: City, actor: Actor, serial: int) -> RightGiven:
    """Take a right back, whoever has it."""
    with reading(city.engine) as conn:
        found = find_right(conn, serial)
    require(actor, KEEP_STAFF, settings_of(city).community(found.community).partner)
    return _right(take_back(city, serial))


def fees(city: City, actor: Actor, community: str) -> CommunityBills:
    """Read what a community is owed."""
    settings = settings_of(city)
    require(actor, READ_FEES, settings.community(community).partner)
    with reading(city.engine) as conn:
        found = open_bills(conn, settings, city.now_local().date(), community)
    return CommunityBills(
        community=community,
        owed_fen=sum(one.owed_fen for one in found),
        bills=tuple(bill_shown(one) for one in found),
    )


def openings(city: City, actor: Actor, query: OpeningsQuery) -> DoorOpenings:
    """Read who opened doors.

    A resident sees when the own doors were opened, and the card only where it is the own one or a visitor's.
    The property company sees the cards, and each look at one is recorded.
    """
    settings = settings_of(city)
    community = settings.community(query.community)
    doors = [door for door in community.doors if query.door in {"", door.id}]
    if not doors:
        raise QueryInvalid(field="door", text=query.door, expected="the id of one of its doors")
    since, until = first_and_last(query.since, query.until, today=city.now_local().date(), back=_WEEK)
    if until > since + _LONGEST:
        raise QueryInvalid(
            field="since",
            text=str(since),
            expected=Phrase("at most {days} days to until", days=_LONGEST.days),
        )
    require(actor, READ_OPENINGS, owner_of(actor, community, actor.subject))
    if actor.role == "citizen":
        doors = _own_doors(city, actor.subject, community, doors)
    found = read_openings(city, community, doors, since, until)
    if actor.role == "citizen":
        with reading(city.engine) as conn:
            found = without_others(found, own_cards(conn, actor.subject))
    _note_look(city, actor, sorted({one.card for one in found} - {""}), "community openings")
    return DoorOpenings(community=community.id, openings=found)


def car_parks(city: City, community: str) -> tuple[CarParkState, ...]:
    """Say how full the car parks of a community are."""
    found, today = settings_of(city).community(community), city.now_local().date()
    states = []
    for park in found.car_parks:
        now = Spaces(city, found, park).occupancy(today)
        states.append(
            CarParkState(
                car_park=park.number,
                name=park.name,
                name_zh=park.name_zh,
                spaces=now.spaces,
                taken=now.taken,
                kept=now.kept,
                free=now.free,
            )
        )
    return tuple(states)


def _own_doors(city: City, asn: str, community: Community, doors: list[Door]) -> list[Door]:
    now = city.now_local()
    with reading(city.engine) as conn:
        rights = [
            one
            for one in rights_of_card(conn, asn, now.date())
            if one.kind in _RESIDENTS and one.community == community.id and one.holds_at(now)
        ]
    own = [door for door in doors if any(one.zones >> door.zone & 1 for one in rights)]
    if not own:
        raise NotTheirs(
            what=Phrase("who opened {doors}", doors=", ".join(door.name for door in doors)), asn=asn
        )
    return own


def _note_look(city: City, actor: Actor, cards: list[str], page: str) -> None:
    """Record a look at the cards of others, before they are shown."""
    others = [card for card in cards if card != actor.subject or actor.role != "citizen"]
    if others:
        with writing(city.engine) as conn:
            for card in others:
                record_reading(conn, actor, asn=card, page=page, at=city.clock.now())


def _require_unit(city: City, actor: Actor, unit: int) -> None:
    with reading(city.engine) as conn:
        found = find_unit(conn, unit)
    community = settings_of(city).community(found.community)
    require(actor, KEEP_LEASES, owner_of(actor, community, found.owner))


def _lease(city: City, lease: Lease) -> HomeLease:
    with reading(city.engine) as conn:
        return lease_shown(conn, lease)


def _right(booked: BookedRight) -> RightGiven:
    return RightGiven(
        serial=booked.id,
        community=booked.community,
        kind=booked.kind.name.lower(),
        starts_on=booked.starts_on,
        ends_on=booked.ends_on,
        revoked_at=booked.revoked_at,
    )


def _visit(visit: Visit) -> VisitorCode:
    return VisitorCode(
        visit=visit.id, unit=visit.unit, day=visit.day, code=visit.code, ended=visit.ended is not None
    )
