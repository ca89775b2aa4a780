"""What communities tell other plugins, once it was committed. No card's number is told."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from typing import Any, ClassVar
from uuid import UUID

import attrs

from citycard.kernel.data import EventType

__all__ = [
    "BillIssued",
    "BillPaid",
    "LeaseChanged",
    "PassSold",
    "VisitorInvited",
    "body_of",
    "event_types",
]


@attrs.frozen(kw_only=True)
class LeaseChanged:
    """A lease was ``begun``, ``extended`` or ``ended``."""

    NAME: ClassVar[str] = "community.lease-changed"
    lease: UUID
    unit: int
    what: str
    last_day: dt.date


@attrs.frozen(kw_only=True)
class BillIssued:
    """A property fee was billed."""

    NAME: ClassVar[str] = "community.bill-issued"
    bill: int
    unit: int
    month: dt.date
    amount_fen: int
    due_on: dt.date


@attrs.frozen(kw_only=True)
class BillPaid:
    """Something was paid for a bill; ``owed_fen`` is still owed."""

    NAME: ClassVar[str] = "community.bill-paid"
    bill: int
    payment: UUID
    amount_fen: int
    owed_fen: int


@attrs.frozen(kw_only=True)
class VisitorInvited:
    """A resident invited a visitor for a day."""

    NAME: ClassVar[str] = "community.visitor-invited"
    visit: UUID
    unit: int
    day: dt.date


@attrs.frozen(kw_only=True)
class PassSold:
    """A parking pass was sold for a space from a month on."""

    NAME: ClassVar[str] = "community.pass-sold"
    sale: UUID
    community: str
    car_park: int
    space: int
    month: dt.date
    months: int


_TITLES: tuple[tuple[Any, str], ...] = (
    (LeaseChanged, "A lease began, was extended or ended"),
    (BillIssued, "A property fee was billed"),
    (BillPaid, "A property fee was paid, or a part of it"),
    (VisitorInvited, "A resident invited a visitor"),
    (PassSold, "A parking pass was sold"),
)


def event_types() -> Iterator[EventType]:
    """Declare the events."""
    for body, title in _TITLES:
        yield EventType(name=body.NAME, title=title, body=body)


def body_of(event: Any) -> dict[str, Any]:
    """Write an event's body as JSON has it: days and ids are text."""
    return {
        name: str(value) if isinstance(value, UUID | dt.date) else value
        for name, value in attrs.asdict(event).items()
    }
