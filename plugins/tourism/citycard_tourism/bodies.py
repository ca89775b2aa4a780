"""What endpoints of culture and leisure take and give: a class for each body, with names that are its own."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import attrs

__all__ = [
    "ActOnRight",
    "BookBack",
    "FeesPaid",
    "FeesToPay",
    "GoodsSold",
    "GoodsToSell",
    "LoanToRenew",
    "PassToBuy",
    "PlanShown",
    "Programme",
    "ShowShown",
    "SlotLine",
    "SlotQuery",
    "SlotToSet",
    "TicketToBuy",
    "TicketToMove",
    "VenueShown",
    "VisitQuery",
]


def _local(_: Any, field: attrs.Attribute[dt.datetime], value: dt.datetime) -> None:
    if value.tzinfo is not None:
        msg = "the city's local time without a zone, such as 2018-09-01T10:00"
        raise ValueError(msg, field, value)


def _fen(most: int = 10_000_000) -> Any:
    return [attrs.validators.gt(0), attrs.validators.le(most)]


@attrs.frozen(kw_only=True)
class TicketToBuy:
    """A ticket to buy from a card's online account; ``points`` of ``scheme`` pay a part of it."""

    id: UUID
    card: str
    show: str
    starts: dt.datetime = attrs.field(validator=_local)
    people: int = 1
    scheme: str = ""
    points: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(10_000_000)])


@attrs.frozen(kw_only=True)
class TicketToMove:
    """The slot that a ticket is moved to."""

    id: UUID
    starts: dt.datetime = attrs.field(validator=_local)


@attrs.frozen(kw_only=True)
class ActOnRight:
    """An act on what was bought before, with the id that its client made."""

    id: UUID


@attrs.frozen(kw_only=True)
class PassToBuy:
    """A pass to buy from a card's online account."""

    id: UUID
    card: str
    plan: str


@attrs.frozen(kw_only=True)
class GoodsToSell:
    """Goods of a venue, to be paid from a card's online account."""

    id: UUID
    card: str
    venue: str
    list_price_fen: int = attrs.field(validator=_fen())


@attrs.frozen(kw_only=True)
class GoodsSold:
    """What was paid, and the points that it earned."""

    id: UUID
    amount_fen: int
    points: int


@attrs.frozen(kw_only=True)
class LoanToRenew:
    """The card that a book was lent to."""

    card: str


@attrs.frozen(kw_only=True)
class FeesToPay:
    """The card whose library fees are paid; each fee is paid once, so that this needs no id of its own."""

    card: str


@attrs.frozen(kw_only=True)
class FeesPaid:
    """What was paid for late books."""

    card: str
    amount_fen: int


@attrs.frozen(kw_only=True)
class BookBack:
    """A book that came back to a library, today or on an earlier day."""

    venue: str
    item: str
    day: dt.date | None = None


@attrs.frozen(kw_only=True)
class SlotToSet:
    """How many places a slot has."""

    show: str
    starts: dt.datetime = attrs.field(validator=_local)
    capacity: int = attrs.field(validator=[attrs.validators.ge(0), attrs.validators.le(1_000_000)])


@attrs.frozen(kw_only=True)
class SlotQuery:
    """A show and a day; today when left out."""

    show: str = ""
    day: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})


@attrs.frozen(kw_only=True)
class SlotLine:
    """A slot, with the places it has and those that are left."""

    show: str
    starts: dt.datetime
    ends: dt.datetime
    capacity: int
    left: int


@attrs.frozen(kw_only=True)
class VisitQuery:
    """A period, the last thirty days when left out, and a venue, all when left out."""

    since: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})
    until: dt.date | None = attrs.field(default=None, metadata={"expected": "a day such as 2018-09-01"})
    venue: str = ""


@attrs.frozen(kw_only=True)
class VenueShown:
    """A venue."""

    id: str
    name: str
    name_zh: str
    kind: str


@attrs.frozen(kw_only=True)
class ShowShown:
    """What timed tickets are sold for."""

    name: str
    title: str
    title_zh: str
    venue: str
    price_fen: int
    times: Sequence[str]
    minutes: int


@attrs.frozen(kw_only=True)
class PlanShown:
    """A pass or membership."""

    name: str
    title: str
    title_zh: str
    kind: str
    venues: Sequence[str]
    price_fen: int
    days: int


@attrs.frozen(kw_only=True)
class Programme:
    """Everything that is on."""

    venues: Sequence[VenueShown]
    shows: Sequence[ShowShown]
    plans: Sequence[PlanShown]
