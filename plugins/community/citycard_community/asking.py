"""What may be asked of communities over HTTP, and what is answered: the bodies and queries."""

from __future__ import annotations

import datetime as dt
from uuid import UUID

import attrs

from citycard_community.home import HomeBill
from citycard_community.openings import DoorOpening

__all__ = [
    "CarParkState",
    "CommunityBills",
    "CommunityQuery",
    "CommunityUnits",
    "DoorOpenings",
    "FeePaid",
    "FeeToPay",
    "HomeQuery",
    "LeaseToBegin",
    "LeaseToEnd",
    "LeaseToExtend",
    "OpeningsQuery",
    "PassBought",
    "PassToBuy",
    "RightGiven",
    "RightToTakeBack",
    "StaffToAdmit",
    "UnitToKeep",
    "UnitsKept",
    "VisitToEnd",
    "VisitToInvite",
    "VisitorCode",
]


def _text(expected: str, most: int = 32) -> str:
    field: str = attrs.field(default="", metadata={"expected": expected, "range": (0, most)})
    return field


@attrs.frozen(kw_only=True)
class HomeQuery:
    """Whose community is asked for: a card's number; a citizen's own when left out."""

    card: str = _text("a card's number of 20 digits", 20)


@attrs.frozen(kw_only=True)
class CommunityQuery:
    """Which community is asked about."""

    community: str = _text("the id of a community")


@attrs.frozen(kw_only=True)
class OpeningsQuery:
    """Which openings are asked for: of a door or all, from a day to another, the last week when left out."""

    community: str = _text("the id of a community")
    door: str = _text("the id of a door")
    since: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2026-03-01"})
    until: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2026-03-01"})


@attrs.frozen(kw_only=True)
class DoorOpenings:
    """Openings, the newest first; ``card`` is empty where it is not shown to who asks."""

    community: str
    openings: tuple[DoorOpening, ...]


@attrs.frozen(kw_only=True)
class FeeToPay:
    """A bill to be paid from the account of ``card``: all that is owed without an amount."""

    id: UUID
    card: str
    amount_fen: int | None = None


@attrs.frozen(kw_only=True)
class FeePaid:
    """What was paid, how much of it was late charge, and what is still owed."""

    id: UUID
    bill: int
    amount_fen: int
    late_fen: int
    owed_fen: int


@attrs.frozen(kw_only=True)
class PassToBuy:
    """A parking pass to be bought from the account of ``card``, for months from that of ``first`` on."""

    id: UUID
    card: str
    community: str
    car_park: int
    space: int
    first: dt.date
    months: int = 1


@attrs.frozen(kw_only=True)
class PassBought:
    """A pass that was paid: a kiosk writes it onto the card."""

    id: UUID
    card: str
    community: str
    car_park: int
    space: int
    starts_on: dt.date
    last_day: dt.date


@attrs.frozen(kw_only=True)
class VisitToInvite:
    """A visitor for a day, invited by ``card``; without the visitor's card the answer has a day code."""

    id: UUID
    card: str
    unit: int
    day: dt.date
    visitor: str = attrs.field(default="", validator=attrs.validators.matches_re(r"([0-9]{20})?"))


@attrs.frozen(kw_only=True)
class VisitToEnd:
    """The card of who invited a visitor and takes it back."""

    card: str


@attrs.frozen(kw_only=True)
class VisitorCode:
    """A visit; ``code`` is for the kiosk, once, on its day; empty when the visitor's card is known."""

    visit: UUID
    unit: int
    day: dt.date
    code: str
    ended: bool


@attrs.frozen(kw_only=True)
class LeaseToBegin:
    """A lease of a unit to the holders of cards; ``id`` is made by the client."""

    id: UUID
    unit: int
    tenants: tuple[str, ...]
    starts_on: dt.date
    ends_on: dt.date


@attrs.frozen(kw_only=True)
class LeaseToExtend:
    """The later day on which a lease ends."""

    ends_on: dt.date


@attrs.frozen(kw_only=True)
class LeaseToEnd:
    """The earlier day on which a lease ends; rights are off from the midnight after."""

    last_day: dt.date


@attrs.frozen(kw_only=True)
class UnitToKeep:
    """A unit: ``area`` in hundredths of a square metre, ``owner`` a card's number."""

    building: int
    room: str
    area: int
    owner: str


@attrs.frozen(kw_only=True)
class CommunityUnits:
    """Units of one community, taken over all or none."""

    community: str
    units: tuple[UnitToKeep, ...]


@attrs.frozen(kw_only=True)
class UnitsKept:
    """How many units are new or changed."""

    changed: int


@attrs.frozen(kw_only=True)
class StaffToAdmit:
    """A right for somebody who works there: zones by number, a class of hours, and days."""

    community: str
    card: str
    zones: tuple[int, ...]
    hours: int = 0
    starts_on: dt.date
    ends_on: dt.date


@attrs.frozen(kw_only=True)
class RightGiven:
    """A right by its serial; ``revoked_at`` is the local moment from which it is off."""

    serial: int
    community: str
    kind: str
    starts_on: dt.date
    ends_on: dt.date
    revoked_at: dt.datetime | None


@attrs.frozen(kw_only=True)
class RightToTakeBack:
    """Nothing more than the address says."""


@attrs.frozen(kw_only=True)
class CommunityBills:
    """The bills of a community of which something is owed, the oldest first."""

    community: str
    owed_fen: int
    bills: tuple[HomeBill, ...]


@attrs.frozen(kw_only=True)
class CarParkState:
    """How full a car park is; ``free`` is what visitors find."""

    car_park: int
    name: str
    name_zh: str
    spaces: int
    taken: int
    kept: int
    free: int
