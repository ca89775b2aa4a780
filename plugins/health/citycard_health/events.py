"""What health tells: each event with its body. Amounts are fen, moments the city's local time."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs
from sqlalchemy import Connection

from citycard.kernel.data import EventType

__all__ = [
    "EVENT_TYPES",
    "AppointmentChanged",
    "ClaimsSettled",
    "DataRead",
    "SportPaid",
    "VisitChanged",
    "tell",
]


@attrs.frozen(kw_only=True)
class AppointmentChanged:
    """An appointment was booked, cancelled, kept or missed (``state``)."""

    booking: str
    asn: str
    clinic: str
    starts_at: str
    state: str


@attrs.frozen(kw_only=True)
class VisitChanged:
    """A visit was charged or given back: who pays or got how much of it."""

    visit: str
    asn: str
    clinic: str
    amount_fen: int
    insured_fen: int
    online_fen: int
    purse_fen: int


@attrs.frozen(kw_only=True)
class DataRead:
    """Somebody read health data of a patient."""

    asn: str
    reader: str
    what: str
    reason: str
    break_glass: bool


@attrs.frozen(kw_only=True)
class ClaimsSettled:
    """An insurer paid the claims of a month."""

    insurer: str
    month: str
    total_fen: int


@attrs.frozen(kw_only=True)
class SportPaid:
    """Sports were paid from the social-security account, or given back (``amount_fen`` below zero)."""

    sport: str
    asn: str
    venue: str
    amount_fen: int


EVENT_TYPES = (
    EventType(name="health.appointment-changed", title="An appointment changed", body=AppointmentChanged),
    EventType(name="health.visit-charged", title="A visit was charged", body=VisitChanged),
    EventType(name="health.visit-returned", title="A visit was given back", body=VisitChanged),
    EventType(name="health.data-read", title="Health data was read", body=DataRead),
    EventType(name="health.claims-settled", title="An insurer paid its claims", body=ClaimsSettled),
    EventType(name="health.sport-paid", title="Sports were paid", body=SportPaid),
)
_NAMES: Mapping[type, str] = {
    AppointmentChanged: "health.appointment-changed",
    DataRead: "health.data-read",
    ClaimsSettled: "health.claims-settled",
    SportPaid: "health.sport-paid",
}


def tell(conn: Connection, body: Any, *, name: str = "") -> None:
    """Tell an event in the transaction of what happened; ``name`` where a class is the body of several."""
    # Imported here: declaring the events does without the table that they wait in.
    from citycard.store import publish

    words = {
        key: value.isoformat() if isinstance(value, dt.datetime) else value
        for key, value in attrs.asdict(body).items()
    }
    publish(conn, name or _NAMES[type(body)], [words])
