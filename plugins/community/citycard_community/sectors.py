"""What communities keep on a card: its signed rights, and where it is parked; and the facts of their records.

A card carries four rights. Each has a MAC of the community's own key over the number of the card, so that a
right copied to another card, or changed, opens nothing (docs/community.md).
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum

from citycard.card.codec import (
    bcd,
    choice,
    date,
    encode,
    examples,
    layout,
    moment,
    raw,
    reserved,
    unsigned,
)
from citycard.card.sector import SectorLayout

__all__ = [
    "MAC_SIZE",
    "RIGHTS",
    "RIGHT_SIZE",
    "SLOTS",
    "STAY",
    "CardRights",
    "ClinicFacts",
    "DoorFacts",
    "FeeFacts",
    "ParkingFacts",
    "ParkingState",
    "ParkingStep",
    "PassFacts",
    "Right",
    "RightKind",
    "Stay",
]

SLOTS = 4
RIGHT_SIZE = 29
MAC_SIZE = 8


class RightKind(IntEnum):
    """What a right is for, and by that who gave it."""

    NONE = 0
    OWNER = 1
    TENANT = 2
    VISITOR = 3
    STAFF = 4
    PARKING = 5
    """A pass for one space of a car park; the other kinds open doors."""


@layout(size=RIGHT_SIZE)
class Right:
    """One signed right; ``zones`` has a bit for each zone, or the car park and space of a pass."""

    kind: RightKind = choice(RightKind, default=RightKind.NONE)
    community: int = unsigned(2, default=0, note="number of the community")
    zones: int = unsigned(4, default=0, note="bit n is zone n; a pass: car park (2), space (2)")
    hours: int = unsigned(1, default=0, note="class of hours, 0 is always")
    starts_on: dt.date | None = date(default=None)
    ends_on: dt.date | None = date(default=None, note="last day, included")
    serial: int = unsigned(4, default=0, note="number of the right in the city's books")
    key_version: int = unsigned(1, default=0)
    mac: bytes = raw(MAC_SIZE, default=bytes(MAC_SIZE), note="first half of a CMAC")

    @property
    def car_park(self) -> int:
        """Return the car park of a pass."""
        return self.zones >> 16

    @property
    def space(self) -> int:
        """Return the space of a pass."""
        return self.zones & 0xFFFF

    def holds_on(self, day: dt.date) -> bool:
        """Say whether a day is one of the right's days."""
        return (
            self.starts_on is not None and self.ends_on is not None and self.starts_on <= day <= self.ends_on
        )


_EMPTY = bytes(RIGHT_SIZE)


@layout(size=SLOTS * RIGHT_SIZE)
class CardRights:
    """The four rights of a card, each as its bytes; an empty slot is zeros."""

    first: bytes = raw(RIGHT_SIZE, default=_EMPTY)
    second: bytes = raw(RIGHT_SIZE, default=_EMPTY)
    third: bytes = raw(RIGHT_SIZE, default=_EMPTY)
    fourth: bytes = raw(RIGHT_SIZE, default=_EMPTY)


class ParkingState(IntEnum):
    """Whether the card is in a car park."""

    OUTSIDE = 0
    INSIDE = 1


@layout(size=20)
class Stay:
    """Where and since when a card is parked; an exit leaves who, where and when, and says outside."""

    state: ParkingState = choice(ParkingState, default=ParkingState.OUTSIDE)
    community: int = unsigned(2, default=0)
    car_park: int = unsigned(1, default=0)
    space: int = unsigned(2, default=0)
    entered_at: dt.datetime | None = moment(default=None)
    gate: str = bcd(6, default="0" * 12, note="terminal of the entry")
    reserved: bytes = reserved(1)


class ParkingStep(IntEnum):
    """What a record of a car park's gate is."""

    ENTRY = 0
    EXIT = 1
    LOST_TICKET = 2
    """An exit without an entry on the card."""
    PASS_EXIT = 3
    """An exit that a resident's pass pays for."""
    PAID_EXIT = 4
    """An exit that the tap before had paid for already, and was torn from the gate."""


@layout(size=10)
class DoorFacts:
    """Which door was opened by which right."""

    community: int = unsigned(2)
    zone: int = unsigned(1)
    kind: RightKind = choice(RightKind)
    serial: int = unsigned(4)
    reserved: bytes = reserved(2)


@layout(size=18)
class ParkingFacts:
    """What an exit is priced by: ``since`` is the entry, or the first moment that no pass pays for."""

    community: int = unsigned(2)
    car_park: int = unsigned(1)
    step: ParkingStep = choice(ParkingStep)
    space: int = unsigned(2)
    since: dt.datetime | None = moment(default=None)
    serial: int = unsigned(4, default=0, note="the pass, 0 without one")
    reserved: bytes = reserved(1)


@layout(size=16)
class PassFacts:
    """Which pass was bought: the space, the first month as its first day, and how many months."""

    community: int = unsigned(2)
    car_park: int = unsigned(1)
    space: int = unsigned(2)
    first: dt.date | None = date()
    months: int = unsigned(1)
    serial: int = unsigned(4, default=0)
    reserved: bytes = reserved(2)


@layout(size=32)
class FeeFacts:
    """Which bill was paid, and under which id of a payment."""

    community: int = unsigned(2)
    bill: int = unsigned(4)
    payment: bytes = raw(16)
    late_fen: int = unsigned(4, default=0, note="how much of it is late charge")
    reserved: bytes = reserved(6)


@layout(size=8)
class ClinicFacts:
    """Which clinic, and the right that showed a resident, 0 for everybody else."""

    clinic: int = unsigned(2)
    serial: int = unsigned(4, default=0)
    reserved: bytes = reserved(2)


_RIGHT = Right(
    kind=RightKind.TENANT,
    community=7,
    zones=0b1001,
    hours=0,
    starts_on=dt.date(2026, 3, 1),
    ends_on=dt.date(2027, 2, 28),
    serial=12,
    key_version=1,
    mac=bytes.fromhex("0123456789ABCDEF"),
)
examples(Right, ("02 0007 00000009 00 20260301 20270228 0000000C 01 0123456789ABCDEF", _RIGHT))

_STAY = Stay(
    state=ParkingState.INSIDE,
    community=7,
    car_park=1,
    space=12,
    entered_at=dt.datetime(2026, 3, 2, 8, 30),  # noqa: DTZ001 - cards know local time only
    gate="990100000003",
)
examples(Stay, ("01 0007 01 000C 20260302083000 990100000003 00", _STAY))
examples(
    DoorFacts,
    ("0007 03 02 0000000C 0000", DoorFacts(community=7, zone=3, kind=RightKind.TENANT, serial=12)),
)

RIGHTS = SectorLayout(
    name="community",
    title="Rights of residents and visitors",
    title_zh="社区权限",
    record=CardRights,
    examples=((encode(_RIGHT) + bytes(3 * RIGHT_SIZE), CardRights(first=encode(_RIGHT))),),  # type: ignore[arg-type]
)
STAY = SectorLayout(
    name="community-parking",
    title="Where the card is parked",
    title_zh="停车记录",
    record=Stay,
    examples=((encode(_STAY), _STAY),),  # type: ignore[arg-type]
)
