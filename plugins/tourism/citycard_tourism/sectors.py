"""What culture and leisure keep on a card, and what their terminals add to a record (docs/tourism.md).

A pass, a membership, two tickets and the reader's right. Whoever forged one would get in: each ends with a
code over the card's number and all of the record (``seals``). A gate writes it again with each use.
"""

from __future__ import annotations

import datetime as dt
from enum import IntEnum
from typing import Any

from citycard.card.codec import choice, date, encode, examples, flag, layout, moment, raw, reserved, unsigned
from citycard.card.sector import SectorLayout

__all__ = [
    "BRANCHES",
    "MEMBERSHIP",
    "PASS",
    "READER",
    "SECTORS",
    "TICKETS",
    "FeeFacts",
    "PassFacts",
    "PassRecord",
    "ReaderRecord",
    "RightKind",
    "Step",
    "TicketFacts",
    "TicketRecord",
    "TicketState",
    "VisitFacts",
]

MEMBERSHIP, PASS, READER = "tourism-member", "tourism-pass", "tourism-reader"
TICKETS = ("tourism-ticket-1", "tourism-ticket-2")
BRANCHES = 8
"""How many venues a plan may count visits of."""
MAC = 8


class TicketState(IntEnum):
    """What a place for a ticket holds."""

    NONE = 0
    VALID = 1
    USED = 2


class RightKind(IntEnum):
    """What a gate was shown."""

    NONE = 0
    TICKET = 1
    PASS = 2
    MEMBERSHIP = 3
    READER = 4


class Step(IntEnum):
    """What was done with a right."""

    ENTER = 1
    LEAVE = 2
    WRITE = 3
    """It was put onto the card, or changed there, and nothing was paid for it then."""
    TAKE_OFF = 4


@layout(size=45)
class PassRecord:
    """A pass or membership; plan 0 is none. ``visits`` counts by branch, in the plan's order."""

    plan: int = unsigned(2, default=0)
    serial: int = unsigned(4, default=0)
    starts: dt.date | None = date(default=None)
    ends: dt.date | None = date(default=None, note="last day, included")
    frozen: bool = flag(default=False)
    uses: int = unsigned(2, default=0)
    visits: bytes = raw(BRANCHES, default=bytes(BRANCHES), note="since it was paid, at most 255 each")
    group: int = unsigned(2, default=0, note="gate group of the last use")
    at: dt.datetime | None = moment(default=None, note="last use")
    inside: bool = flag(default=False)
    turn: int = unsigned(1, default=0, note="how often it was extended")
    key_version: int = unsigned(1, default=0)
    mac: bytes = raw(MAC, default=bytes(MAC))


@layout(size=33)
class TicketRecord:
    """A ticket for ``people`` at one slot of a show."""

    show: int = unsigned(2, default=0)
    serial: int = unsigned(4, default=0)
    starts: dt.datetime | None = moment(default=None)
    minutes: int = unsigned(2, default=0, note="how long the slot is")
    people: int = unsigned(1, default=0)
    state: TicketState = choice(TicketState, default=TicketState.NONE)
    at: dt.datetime | None = moment(default=None, note="when it was used")
    key_version: int = unsigned(1, default=0)
    mac: bytes = raw(MAC, default=bytes(MAC))


@layout(size=23)
class ReaderRecord:
    """The right to borrow books: until when, how many are out, and when the first of them is due."""

    until: dt.date | None = date(default=None, note="last day, included")
    books: int = unsigned(1, default=0)
    due: dt.date | None = date(default=None)
    blocked: bool = flag(default=False, note="a fee is owed")
    fee: int = unsigned(4, default=0, note="loan whose fee the purse paid last")
    key_version: int = unsigned(1, default=0)
    mac: bytes = raw(MAC, default=bytes(MAC))


@layout(size=48)
class PassFacts:
    """A pass or membership that is sold (turn 0) or extended: what its price and its shares depend on."""

    plan: int = unsigned(2)
    serial: int = unsigned(4)
    turn: int = unsigned(1, default=0, note="0 sold, else how often it was extended")
    rights: int = unsigned(2, default=0, note="entitlements as bits, in the order of the settings")
    seller: int = unsigned(2, default=0, note="number of the venue that sold it")
    visits: bytes = raw(BRANCHES, default=bytes(BRANCHES), note="of the period before, by branch")
    spare: bytes = reserved(29)


@layout(size=48)
class TicketFacts:
    """A ticket that is sold."""

    show: int = unsigned(2)
    serial: int = unsigned(4, default=0)
    starts: dt.datetime | None = moment(default=None)
    people: int = unsigned(1, default=1)
    rights: int = unsigned(2, default=0)
    points_fen: int = unsigned(4, default=0, note="paid with points")
    spare: bytes = reserved(28)


@layout(size=48)
class VisitFacts:
    """A right that was used or changed at a venue; it costs nothing."""

    venue: int = unsigned(2)
    right: RightKind = choice(RightKind, default=RightKind.NONE)
    number: int = unsigned(2, default=0, note="of the show or plan")
    serial: int = unsigned(4, default=0)
    step: Step = choice(Step, default=Step.ENTER)
    people: int = unsigned(1, default=1)
    group: int = unsigned(2, default=0)
    spare: bytes = reserved(35)


@layout(size=48)
class FeeFacts:
    """An overdue fee of the library."""

    venue: int = unsigned(2)
    loan: int = unsigned(4, default=0)
    days: int = unsigned(2, default=0, note="days too long")
    rights: int = unsigned(2, default=0)
    spare: bytes = reserved(38)


_PASS = PassRecord(
    plan=1,
    serial=41,
    starts=dt.date(2026, 3, 2),
    ends=dt.date(2027, 3, 1),
    uses=1,
    visits=bytes((1, 0, 0, 0, 0, 0, 0, 0)),
    group=3,
    at=dt.datetime(2026, 3, 2, 9, 5),  # noqa: DTZ001 - cards know local time only
    inside=True,
    key_version=1,
    mac=bytes.fromhex("A1B2C3D4E5F60718"),
)
_TICKET = TicketRecord(
    show=7,
    serial=42,
    starts=dt.datetime(2026, 3, 2, 14, 0),  # noqa: DTZ001 - cards know local time only
    minutes=120,
    people=2,
    state=TicketState.VALID,
    key_version=1,
    mac=bytes.fromhex("A1B2C3D4E5F60718"),
)
_READER = ReaderRecord(
    until=dt.date(2029, 3, 1), books=1, due=dt.date(2026, 4, 1), key_version=1, mac=bytes(8)
)
examples(
    PassRecord,
    (
        (
            "0001 00000029 20260302 20270301 00 0001 0100000000000000 0003 20260302090500 01 00 01"
            "A1B2C3D4E5F60718"
        ),
        _PASS,
    ),
)
examples(
    TicketRecord, ("0007 0000002A 20260302140000 0078 02 01 00000000000000 01 A1B2C3D4E5F60718", _TICKET)
)
examples(ReaderRecord, ("20290301 01 20260401 00 00000000 01 0000000000000000", _READER))
examples(
    PassFacts,
    (
        "0002 0000002B 01 0001 0005 0403000000000000" + "00" * 29,
        PassFacts(plan=2, serial=43, turn=1, rights=1, seller=5, visits=bytes((4, 3, 0, 0, 0, 0, 0, 0))),
    ),
)
examples(
    TicketFacts,
    (
        "0007 0000002A 20260302140000 02 0001 00000000" + "00" * 28,
        TicketFacts(
            show=7,
            serial=42,
            starts=dt.datetime(2026, 3, 2, 14, 0),  # noqa: DTZ001 - cards know local time only
            people=2,
            rights=1,
        ),
    ),
)
examples(
    VisitFacts,
    (
        "0003 01 0007 0000002A 01 02 0003" + "00" * 35,
        VisitFacts(venue=3, right=RightKind.TICKET, number=7, serial=42, people=2, group=3),
    ),
)
examples(FeeFacts, ("0004 00000009 000C 0000" + "00" * 38, FeeFacts(venue=4, loan=9, days=12)))


def _sector(name: str, title: str, title_zh: str, example: Any) -> SectorLayout:
    return SectorLayout(
        name=name,
        title=title,
        title_zh=title_zh,
        record=type(example),
        examples=((encode(example), example),),  # type: ignore[arg-type]
    )


SECTORS = (
    _sector(PASS, "Annual pass", "年票", _PASS),
    _sector(MEMBERSHIP, "Membership", "会员", _PASS),
    _sector(TICKETS[0], "Timed ticket", "预约门票", _TICKET),
    _sector(TICKETS[1], "Second timed ticket", "第二张预约门票", _TICKET),
    _sector(READER, "Library reader", "借书证", _READER),
)
